package ab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

const (
	// File is the name of a trial's file in its folder.
	File = "ab.json"
	// SchemaVersion is raised when a field of Trial changes its meaning or is removed.
	SchemaVersion = 1
	// MostRounds is far above any real use; a larger number is taken for a typing error.
	MostRounds = 10_000
)

// ErrInvalid is wrapped by every error about a file that is not a trial.
var ErrInvalid = errors.New("bench: bad trial")

// Trial holds two sides that were run in turns. Durations are integers in nanoseconds.
type Trial struct {
	Schema  int       `json:"schema"`
	Kind    string    `json:"kind"` // always "ab"; it tells trials from reports and recordings
	Started time.Time `json:"started"`
	Args    []string  `json:"args"` // the command line
	A       Side      `json:"a"`
	B       Side      `json:"b"`
	Shared  []string  `json:"shared_flags"` // of both sides
	Seed    uint64    `json:"seed"`         // of the order
	Planned int       `json:"planned_rounds"`
	// CutShort says why there are fewer rounds than planned; empty if there are not, or not
	// yet.
	CutShort string  `json:"cut_short,omitempty"`
	Rounds   []Round `json:"rounds"`
}

// Side says how one side was run.
type Side struct {
	Flags  []string `json:"flags"`
	Binary string   `json:"binary,omitempty"` // as the user named it; empty: the program that ran the trial, or one built from Commit
	Commit string   `json:"commit,omitempty"` // the full hash of what it was built from
	SHA256 string   `json:"sha256"`           // of the program
}

// Round holds the runs of one round, in the order in which they ran.
type Round struct {
	Runs []Run `json:"runs"`
}

// Run is one process.
type Run struct {
	Side    string         `json:"side"` // A or B
	Started time.Time      `json:"started"`
	Wall    time.Duration  `json:"wall_ns"` // of the whole process, with loading and warm-up
	Report  *report.Report `json:"report"`  // without samples, dashboard, stages and ranges
}

// kind is the value of Trial.Kind.
const kind = "ab"

// New returns a trial without rounds.
func New(a, b Side, rounds int, seed uint64) *Trial {
	return &Trial{Schema: SchemaVersion, Kind: kind, A: a, B: b, Seed: seed, Planned: rounds, Rounds: []Round{}}
}

// whole returns the rounds that have a run of each side.
func (t *Trial) whole() (out []compare.Round) {
	for _, round := range t.Rounds {
		var r compare.Round
		for _, run := range round.Runs {
			switch run.Side {
			case A:
				r.A = run.Report
			case B:
				r.B = run.Report
			}
		}
		if r.A != nil && r.B != nil {
			out = append(out, r)
		}
	}
	return out
}

// OfOne says whether both sides are one program with the same flags: an A/A trial, in which
// every difference is chance.
func (t *Trial) OfOne() bool {
	return t.A.SHA256 != "" && t.A.SHA256 == t.B.SHA256 && slices.Equal(t.A.Flags, t.B.Flags)
}

// Judge judges B from all whole rounds. A run that failed the accuracy gate counts even if
// its round is not whole.
func (t *Trial) Judge(gates []compare.Gate) *compare.Judgement {
	j := compare.Rounds(t.whole(), gates)
	for _, round := range t.Rounds {
		for _, run := range round.Runs {
			if why := run.Report.Withheld; why != "" {
				text := fmt.Sprintf("%s has no speed figures: %s", run.Side, why)
				if !slices.Contains(j.Faults, text) {
					j.Faults, j.Rows = append([]string{text}, j.Faults...), nil
				}
			}
		}
	}
	return j
}

// Write writes the trial into the folder dir. It never leaves a file that is written in
// part.
func (t *Trial) Write(dir string) error {
	err := file.Write(filepath.Join(dir, File), func(w io.Writer) error { return file.WriteJSON(w, t) })
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// Read reads the trial at path.
func Read(path string) (*Trial, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	data, err := file.Read(f)
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", path, err)
	}
	t, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Decode decodes a trial. All its errors wrap ErrInvalid.
func Decode(data []byte) (*Trial, error) {
	t := new(Trial)
	if err := file.ReadJSON(data, t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := figure.Check(t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch {
	case t.Kind != kind:
		return nil, fmt.Errorf("%w: field \"kind\": %q, want %q", ErrInvalid, t.Kind, kind)
	case t.Schema != SchemaVersion:
		return nil, fmt.Errorf("%w: field \"schema\": %d, this program knows %d", ErrInvalid, t.Schema, SchemaVersion)
	case len(t.Rounds) > MostRounds:
		return nil, fmt.Errorf("%w: %d rounds, want at most %d", ErrInvalid, len(t.Rounds), MostRounds)
	}
	for i, round := range t.Rounds {
		var seen []string
		for j, run := range round.Runs {
			at := fmt.Sprintf("rounds[%d].runs[%d]", i, j)
			switch {
			case run.Side != A && run.Side != B:
				return nil, fmt.Errorf("%w: %s: field \"side\": %q, want %q or %q", ErrInvalid, at, run.Side, A, B)
			case slices.Contains(seen, run.Side):
				return nil, fmt.Errorf("%w: %s: a second run of %q in one round", ErrInvalid, at, run.Side)
			case run.Report == nil:
				return nil, fmt.Errorf("%w: %s: no report", ErrInvalid, at)
			}
			seen = append(seen, run.Side)
		}
	}
	return t, nil
}

// IsTrial reports whether the data is a trial, and not a report or a recording.
func IsTrial(data []byte) bool {
	var t struct{ Kind string }
	return file.ReadJSON(data, &t) == nil && t.Kind == kind
}
