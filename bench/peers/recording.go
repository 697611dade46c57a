package peers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// SchemaVersion is the version of peers.json.
	SchemaVersion = 1
	// File is the recording's name in the folder of a run, and MarkdownFile that of its table.
	File         = "peers.json"
	MarkdownFile = "peers.md"

	kind = "peers"
)

// ErrInvalid is in every error about a file that is no recording of this kind.
var ErrInvalid = errors.New("peers: not a valid recording")

// Recording is what one run has measured, and nothing that follows from it. Durations are
// integers, in nanoseconds.
type Recording struct {
	Kind        string                `json:"kind"` // "peers"
	Schema      int                   `json:"schema"`
	Task        string                `json:"task,omitempty"` // as in package recording: "embed", where pairs are texts, or none
	Started     time.Time             `json:"started"`
	Environment recording.Environment `json:"environment"`
	Model       recording.Model       `json:"model"`
	Dataset     recording.Dataset     `json:"dataset"`
	Threads     int                   `json:"threads"` // of each peer, and of ours
	Batch       int                   `json:"batch"`
	Pairs       int                   `json:"pairs"` // that each scores in each round
	Seed        uint64                `json:"seed"`  // of the order of turns
	Planned     int                   `json:"planned_rounds"`
	Loads       []float64             `json:"load1"` // the machine's load average when each round began; empty: not known
	CutShort    string                `json:"cut_short,omitempty"`
	Entries     []Entry               `json:"peers"`
}

// Entry is one peer.
type Entry struct {
	Name      string `json:"name"`
	Library   string `json:"library"`
	Precision string `json:"precision"`
	Ours      bool   `json:"ours"`
	About
	Prepare    time.Duration       `json:"prepare_ns"`     // making what is derived from the weights, if it was not in the cache
	FirstScore time.Duration       `json:"first_score_ns"` // from the start of its process to the score of one pair; 0: none
	PeakMB     *float64            `json:"peak_memory_mb"` // of its processes, the sum of their peaks, in MB of 10^6 bytes; nil: not known
	Accuracy   *recording.Accuracy `json:"accuracy"`       // of all pairs that were checked; nil: it never scored them
	Failure    string              `json:"failure,omitempty"`
	Words      string              `json:"stderr,omitempty"` // the end of its standard error, if it failed
	Turns      []Turn              `json:"turns"`
}

// Turn is one scoring of all pairs.
type Turn struct {
	Round     int             `json:"round"`      // from 0
	Place     int             `json:"place"`      // in the round, from 0
	Elapsed   time.Duration   `json:"elapsed_ns"` // by our clock, from the request to the answer
	Latencies []time.Duration `json:"latencies_ns,omitempty"`
}

// Write writes the recording into the folder dir. The file appears complete or not at all.
func (r *Recording) Write(dir string) error {
	err := file.Write(filepath.Join(dir, File), func(w io.Writer) error { return file.WriteJSON(w, r) })
	if err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	return nil
}

// Read reads the recording at path.
func Read(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	defer f.Close()
	data, err := file.Read(f)
	if err != nil {
		return nil, fmt.Errorf("peers: %s: %w", path, err)
	}
	r := new(Recording)
	if err := file.ReadJSON(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrInvalid, err)
	}
	switch {
	case r.Kind != kind:
		return nil, fmt.Errorf("%s: %w: field \"kind\": %q, want %q", path, ErrInvalid, r.Kind, kind)
	case r.Schema != SchemaVersion:
		return nil, fmt.Errorf("%s: %w: field \"schema\": %d, this program knows %d", path, ErrInvalid, r.Schema, SchemaVersion)
	}
	for i, e := range r.Entries {
		for _, t := range e.Turns {
			if t.Elapsed <= 0 {
				return nil, fmt.Errorf("%s: %w: peers[%d]: round %d took %v", path, ErrInvalid, i, t.Round, t.Elapsed)
			}
		}
	}
	return r, nil
}
