package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// ErrParse is in every error about something that is not a report.
var ErrParse = errors.New("bench: bad report")

// Parse reads a report: report.json, recording.json, or markdown, ours or another tool's in
// the same format. It recognizes them by their content.
//
// Of markdown it reads the sections that the format has, what ours adds to a
// configuration but for the stages of inference, and of the background the data
// set, the processor and the noise; it skips a mix, an overload and points of load. The numbers are as
// precise as they were printed. What a report does not tell is zero or nil in the result. Errors name
// the line and the field.
func Parse(r io.Reader) (*report.Report, error) {
	data, err := file.Read(r)
	switch {
	case errors.Is(err, bounded.ErrTooLarge), errors.Is(err, bounded.ErrGitLFS):
		return nil, fmt.Errorf("%w: %w", ErrParse, err)
	case err != nil:
		return nil, fmt.Errorf("bench: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF")) // an editor's byte order mark
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) > 0 && start[0] == '{' {
		return parseJSON(data)
	}
	return parseMarkdown(string(data))
}

func parseJSON(data []byte) (*report.Report, error) {
	// Only whether they are there, and not a copy of either.
	var kind struct {
		Schema        int
		Runs, Configs present
	}
	if err := file.ReadJSON(data, &kind); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParse, err)
	}
	switch {
	case bool(kind.Runs):
		rec, err := recording.Decode(data)
		if err != nil {
			return nil, err
		}
		return report.Derive(rec), nil
	case !bool(kind.Configs):
		return nil, fmt.Errorf("%w: neither field \"configs\" of a report nor \"runs\" of a recording", ErrParse)
	case kind.Schema != recording.SchemaVersion:
		return nil, fmt.Errorf("%w: field \"schema\": %d, this program knows %d", ErrParse, kind.Schema, recording.SchemaVersion)
	}
	r := new(report.Report)
	if err := file.ReadJSON(data, r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParse, err)
	}
	if err := figure.Check(r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParse, err)
	}
	if n := len(r.Configs); n > recording.MostRuns {
		return nil, fmt.Errorf("%w: %d configs, want at most %d", ErrParse, n, recording.MostRuns)
	}
	for i, f := range r.Configs {
		if f.Batch < 1 || f.Concurrency < 1 {
			return nil, fmt.Errorf("%w: configs[%d]: batch %d, concurrency %d, want at least 1 and 1", ErrParse, i, f.Batch, f.Concurrency)
		}
	}
	return r, nil
}

// present is whether a field is there. It keeps nothing of what is in it.
type present bool

func (p *present) UnmarshalJSON([]byte) error {
	*p = true
	return nil
}
