package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// ErrParse is wrapped by the errors of what is no report.
var ErrParse = errors.New("bench: bad report")

// maxReport bounds the size of a report or recording that is read, in bytes.
const maxReport = 256 << 20

// Parse reads a report: report.json, recording.json, or markdown, ours or
// another tool's in the same format. It tells them apart by their content.
//
// Of markdown it reads the sections that the format has, what ours adds to a
// configuration but for the stages of inference, and of the background the data
// set, the processor and the noise; it skips a mix and an overload. The numbers are as
// precise as they were printed. What a report does not tell is zero or nil in the result. Errors name
// the line and the field.
func Parse(r io.Reader) (*Report, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF")) // an editor's byte order mark
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) > 0 && start[0] == '{' {
		return parseJSON(data)
	}
	return parseMarkdown(string(data))
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := bounded.ReadAll(r, maxReport)
	switch {
	case errors.Is(err, bounded.ErrTooLarge), errors.Is(err, bounded.ErrGitLFS):
		return nil, fmt.Errorf("%w: %w", ErrParse, err)
	case err != nil:
		return nil, fmt.Errorf("bench: %w", err)
	}
	return data, nil
}

func parseJSON(data []byte) (*Report, error) {
	var kind struct {
		Schema        int
		Runs, Configs json.RawMessage
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, jsonError(data, err)
	}
	switch {
	case kind.Runs != nil:
		rec, err := decodeRecording(data)
		if err != nil {
			return nil, err
		}
		return rec.Report(), nil
	case kind.Configs == nil:
		return nil, fmt.Errorf("%w: neither field \"configs\" of a report nor \"runs\" of a recording", ErrParse)
	case kind.Schema != SchemaVersion:
		return nil, fmt.Errorf("%w: field \"schema\": %d, this program knows %d", ErrParse, kind.Schema, SchemaVersion)
	}
	report := new(Report)
	if err := json.Unmarshal(data, report); err != nil {
		return nil, jsonError(data, err)
	}
	for i, f := range report.Configs {
		if f.Batch < 1 || f.Concurrency < 1 {
			return nil, fmt.Errorf("%w: configs[%d]: batch %d, concurrency %d, want at least 1 and 1", ErrParse, i, f.Batch, f.Concurrency)
		}
	}
	return report, nil
}

// jsonError says where in data the decoder stopped, and at which field.
func jsonError(data []byte, err error) error {
	line := func(offset int64) int {
		return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%w: line %d: %w", ErrParse, line(e.Offset), err)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		name := strings.ReplaceAll(e.Field, "Config.", "") // embedded, and no name in the file
		return fmt.Errorf("%w: line %d: field %q: %s is no %v", ErrParse, line(e.Offset), name, e.Value, e.Type)
	}
	return fmt.Errorf("%w: %w", ErrParse, err)
}
