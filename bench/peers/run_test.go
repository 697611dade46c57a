package peers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/ab"
)

// options are those of a short run of fakes.
func options(t *testing.T, kinds ...string) Options {
	t.Helper()
	rows := pairs(5)
	o := Options{
		Opening: Opening{Threads: 1, Batch: 2}, Rows: rows, Rounds: 3, Seed: 4, Check: checkAgainst(rows),
		Limit: time.Hour, // a slow machine is no failure
		Install: func(module string) string {
			return "python -m pip install " + Pin("", module)
		},
		Progress: func(string, int, int) {}, Keep: func(*Recording) error { return nil },
	}
	for _, kind := range kinds {
		o.Peers = append(o.Peers, peer(t, kind))
	}
	return o
}

// Whatever a peer does, its row says it, and those beside it are measured as if it were not
// there.
func TestRun(t *testing.T) {
	failures := []struct {
		kind, says string
		turns      int // that it was measured in before
	}{
		{"dies", `exit status 3) and had not answered "open"; its last words: MemoryError: all of it`, 0},
		{"chatters", `its answer to "open" is "Welcome to version 2", want a line of JSON`, 0},
		{"lacks", "the module openvino is not installed: python -m pip install openvino==2026", 0},
		{"refuses", "no bfloat16 here", 0},
		{"miscounts", "4 scores for 5 pairs", 0},
		{"is wrong", "f32: off by 0.2", 0},
		{"is no number", "unsupported value: NaN", 0},
		{"goes back in time", "latency 1 is -3 s, want 0 to 1h0m0s", 0},
		{"turns wrong", "round 1: f32: off by 0.2", 0},
		{"dies later", `round 2: it ended (exit status 139) and had not answered "score"; its last words: Segmentation fault`, 1},
	}
	kinds := []string{"first"}
	for _, f := range failures {
		kinds = append(kinds, f.kind)
	}
	o := options(t, append(kinds, "last")...)
	o.Peers = append(o.Peers, Peer{Name: "gone", Command: []string{filepath.Join(t.TempDir(), "gone")}}, Peer{Name: "absent", Absent: "not here"})
	kept := 0
	o.Keep = func(r *Recording) error { kept++; return nil }
	load := 0.5
	o.Load = func() *float64 { return &load }
	var r Recording
	if err := Run(t.Context(), &r, o); err != nil {
		t.Fatal(err)
	}
	if kept != o.Rounds+1 || len(r.Loads) != o.Rounds || r.CutShort != "" || len(r.Entries) != len(o.Peers) {
		t.Errorf("kept %d times, %+v", kept, r)
	}
	for i, f := range failures {
		e := r.Entries[i+1]
		if e.Name != f.kind || !strings.Contains(e.Failure, f.says) || len(e.Turns) != f.turns {
			t.Errorf("%s: %d turns, failure %q, want %q", f.kind, len(e.Turns), e.Failure, f.says)
		}
	}
	if e := r.Entries[1]; !strings.HasPrefix(e.Words, "Traceback") {
		t.Errorf("of its standard error is kept %q", e.Words)
	}
	if a := r.Entries[6].Accuracy; a == nil || a.Passed || a.MeanError != 0.2 {
		t.Errorf("how wrong it was is not kept: %+v", a)
	}
	for i, says := range map[int]string{len(kinds) + 1: "gone", len(kinds) + 2: "not here"} {
		if e := r.Entries[i]; !strings.Contains(e.Failure, says) {
			t.Errorf("%+v, want %q", e, says)
		}
	}
	order := ab.Turns(len(o.Peers), o.Rounds, o.Seed)
	for _, at := range []int{0, len(kinds)} {
		e := r.Entries[at]
		if e.Failure != "" || len(e.Turns) != o.Rounds || e.FirstScore <= 0 || !e.Accuracy.Passed || e.Versions["fake"] != "1.2" || e.Date == "" {
			t.Fatalf("%+v", e)
		}
		if runtime.GOOS == "linux" && (e.PeakMB == nil || *e.PeakMB < 1) {
			t.Errorf("peak memory %v", e.PeakMB)
		}
		for round, turn := range e.Turns {
			if turn.Round != round || order[round][turn.Place] != at || turn.Elapsed <= 0 || len(turn.Latencies) != 5 || turn.Latencies[0] != 2*time.Millisecond {
				t.Errorf("round %d of %v: %+v", round, order[round], turn)
			}
		}
	}
}

// A peer that never answers is killed, and so is what it has started.
func TestHang(t *testing.T) {
	kinds := []string{"hangs"}
	if runtime.GOOS != "windows" { // which has no groups of processes
		kinds = append(kinds, "leaves one behind")
	}
	o := options(t, kinds...)
	o.Limit = 50 * time.Millisecond
	var r Recording
	if err := Run(t.Context(), &r, o); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Entries {
		if e.Failure != `no answer to "open" within 50ms` {
			t.Errorf("%+v", e)
		}
	}
}

// Files are made by a process of their own, which gets other pairs than those that count.
func TestPrepare(t *testing.T) {
	o := options(t, "first", "dies")
	for i := range o.Peers {
		o.Peers[i].Prepares = true
	}
	var r Recording
	if err := Run(t.Context(), &r, o); err != nil {
		t.Fatal(err)
	}
	if e := r.Entries[0]; e.Failure != "" || e.Prepare <= 0 {
		t.Errorf("%+v", e)
	}
	if e := r.Entries[1]; !strings.Contains(e.Failure, `had not answered "prepare"`) {
		t.Errorf("%+v", e)
	}
}

// An interrupt keeps what there is, and is nobody's failure.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o, dir := options(t, "first", "last"), t.TempDir()
	o.Keep = func(r *Recording) error {
		cancel()
		return r.Write(dir)
	}
	var r Recording
	if err := Run(ctx, &r, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	back, err := Read(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	if back.CutShort != "interrupted" || back.Planned != 3 {
		t.Errorf("%+v", back)
	}
	for _, e := range back.Entries {
		if e.Failure != "" || len(e.Turns) != 1 {
			t.Errorf("%+v", e)
		}
	}
	if !reflect.DeepEqual(Derive(back), Derive(&r)) {
		t.Error("what is read again has other figures")
	}

	full := errors.New("disk full")
	o.Keep = func(*Recording) error { return full }
	if err := Run(t.Context(), &r, o); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

func TestServe(t *testing.T) {
	for lines, want := range map[string]string{
		`no JSON`:               "invalid character",
		`{"do":"dance"}`:        `\"dance\": want prepare, open, pairs or score`,
		`{"do":"score","to":1}`: "score 0 to 1 of 0 pairs",
		`{"do":"pairs","rows":[{},{}]}` + "\n" + `{"do":"score","from":2,"to":1}`:          "score 2 to 1 of 2 pairs",
		`{"do":"pairs","rows":[{"query":"ab"}]}` + "\n" + `{"do":"score","from":0,"to":1}`: `"scores":[2]`,
	} {
		var out strings.Builder
		if err := Serve(strings.NewReader(lines+"\n"), &out, &fakeScorer{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) || strings.Count(out.String(), "\n") != 1+strings.Count(lines, "\n") {
			t.Errorf("%q: %q, want %q", lines, out.String(), want)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	for text, want := range map[string]string{
		"{":                           "unexpected end",
		"{}":                          `field "kind": "", want "peers"`,
		`{"kind":"peers","schema":7}`: `field "schema": 7, this program knows 1`,
		`{"kind":"peers","schema":1,"peers":[{"turns":[{"elapsed_ns":0}]}]}`: "peers[0]: round 0 took 0s",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	if _, err := Read(path + "gone"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
