package ab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// Each round has both sides; any number of rounds has as many of one order as of the other,
// but one; and another seed has another order.
func TestSchedule(t *testing.T) {
	different := 0
	for seed := range uint64(20) {
		for rounds := range 12 {
			aFirst := 0
			order := Schedule(rounds, seed)
			for _, r := range order {
				if r != [2]string{A, B} && r != [2]string{B, A} {
					t.Fatalf("round %v", r)
				}
				if r[0] == A {
					aFirst++
				}
			}
			if len(order) != rounds || aFirst < rounds/2 || aFirst > (rounds+1)/2 {
				t.Errorf("seed %d: %d of %d rounds, A first in %d", seed, len(order), rounds, aFirst)
			}
		}
		if !reflect.DeepEqual(Schedule(10, seed), Schedule(10, seed)) {
			t.Errorf("seed %d: two orders", seed)
		}
		if !reflect.DeepEqual(Schedule(10, seed), Schedule(10, seed+1)) {
			different++
		}
	}
	if different < 15 { // of 20, each being the same once in 32
		t.Errorf("%d seeds have an order of their own", different)
	}
}

// What is kept is read back, and is judged alike.
func TestTrialIsKept(t *testing.T) {
	dir := t.TempDir()
	trial := New(Side{Flags: []string{"--precision", "f32"}, SHA256: "aa"}, Side{Commit: "bb"}, 6, 7)
	kept := 0
	run := func(_ context.Context, side string, round int) (*report.Report, error) {
		if kept != round {
			t.Errorf("round %d begins and %d are kept", round, kept)
		}
		return report.Derive(recordingtest.SeedLike()), nil
	}
	if err := trial.Run(t.Context(), run, func(trial *Trial) error { kept++; return trial.Write(dir) }); err != nil {
		t.Fatal(err)
	}
	back, err := Read(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	if back.Seed != 7 || back.Planned != 6 || back.CutShort != "" || len(back.Rounds) != 6 || back.A.Flags[1] != "f32" || back.B.Commit != "bb" {
		t.Errorf("read %+v", back)
	}
	if a, b := trial.Judge(nil), back.Judge(nil); !reflect.DeepEqual(a, b) || a.Outcome() != compare.Passed {
		t.Errorf("kept %s\nread %s", a.Summary(), b.Summary())
	}
	for _, round := range back.Rounds {
		for _, run := range round.Runs {
			if f := run.Report.Configs[0]; f.Samples != nil || f.Dashboard.Rows != nil || f.Latency.N != 100 {
				t.Errorf("kept of a run: %+v", f)
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil || !IsTrial(data) || IsTrial([]byte(`{"runs":[]}`)) || IsTrial([]byte("# report")) {
		t.Errorf("a trial is not told from a recording: %v", err)
	}
	if len(data) > 100_000 {
		t.Errorf("%d bytes for 12 runs", len(data))
	}
}

// A trial that ends early keeps what there was, and says why it ended.
func TestTrialIsCutShort(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		at      int // the run, from 0, at which it happens
		happens func(cancel func(), r *report.Report) error
		runs    int // that are kept
		err     error
		cut     string
		outcome compare.Outcome
	}{
		"interrupted at once": {0, func(cancel func(), _ *report.Report) error { cancel(); return errors.New("killed") }, 0, context.Canceled, "interrupted", compare.Incomparable},
		"interrupted":         {15, func(cancel func(), _ *report.Report) error { cancel(); return nil }, 15, context.Canceled, "interrupted", compare.Passed},
		"failed":              {3, func(func(), *report.Report) error { return broken }, 3, broken, "a run failed", compare.Undecided},
		"inaccurate": {2, func(_ func(), r *report.Report) error { r.Withheld = "accuracy gate not passed"; return nil }, 3, nil,
			"scores failed the accuracy gate", compare.Incomparable},
		"other text": {1, func(_ func(), r *report.Report) error { r.Dataset = &recording.Dataset{SHA256: "other"}; return nil }, 2, nil,
			"the sides cannot be compared", compare.Incomparable},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		trial, dir := New(Side{}, Side{}, 10, 1), t.TempDir()
		err := trial.Run(ctx, func(context.Context, string, int) (*report.Report, error) {
			r := report.Derive(recordingtest.SeedLike())
			if n++; n == c.at+1 {
				if err := c.happens(cancel, r); err != nil {
					return nil, err
				}
			}
			return r, nil
		}, func(trial *Trial) error { return trial.Write(dir) })
		cancel()
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v", name, err)
		}
		back, err := Read(filepath.Join(dir, File))
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		for _, r := range back.Rounds {
			runs += len(r.Runs)
		}
		if runs != c.runs || back.CutShort != c.cut {
			t.Errorf("%s: %d runs, cut short %q", name, runs, back.CutShort)
		}
		if j := back.Judge(nil); j.Outcome() != c.outcome {
			t.Errorf("%s: %s", name, j.Summary())
		}
	}
	// What cannot be kept ends it as well.
	full := errors.New("disk full")
	run := func(context.Context, string, int) (*report.Report, error) {
		return report.Derive(recordingtest.SeedLike()), nil
	}
	if err := New(Side{}, Side{}, 10, 1).Run(t.Context(), run, func(*Trial) error { return full }); err != full {
		t.Errorf("error %v", err)
	}
}

func TestDecode(t *testing.T) {
	const head = `{"kind":"ab","schema":1,"rounds":[{"runs":[`
	good := head + `{"side":"A","report":{}},{"side":"B","report":{}}]}]}`
	if trial, err := Decode([]byte(good)); err != nil || len(trial.whole()) != 1 {
		t.Errorf("%+v, %v", trial, err)
	}
	for text, want := range map[string]string{
		``:                                    "unexpected end",
		`{}`:                                  `field "kind": "", want "ab"`,
		`{"kind":"ab","schema":2}`:            `field "schema": 2, this program knows 1`,
		head + `{"side":"C","report":{}}]}]}`: `rounds[0].runs[0]: field "side": "C"`,
		head + `{"side":"A"}]}]}`:             `rounds[0].runs[0]: no report`,
		head + `{"side":"A","report":{"configs":[{"rate":1e-320}]}}]}]}`:                  `field "rounds[0].runs[0].report.configs[0].rate": 1e-320`,
		head + `{"side":"A","report":{}},{"side":"A","report":{}}]}]}`:                    `rounds[0].runs[1]: a second run of "A"`,
		`{"kind":"ab","schema":1,"rounds":[` + strings.Repeat("{},", MostRounds) + `{}]}`: fmt.Sprintf("%d rounds", MostRounds+1),
	} {
		if _, err := Decode([]byte(text)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: error %v, want %s", text, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// Each round of more than two sides has each once, and any two precede each other equally
// often.
func TestTurns(t *testing.T) {
	const n = 7
	for seed := range uint64(20) {
		order := Turns(n, 6, seed)
		before := [n][n]int{}
		for _, round := range order {
			if sorted := slices.Sorted(slices.Values(round)); !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5, 6}) {
				t.Fatalf("round %v", round)
			}
			for i, a := range round {
				for _, b := range round[i+1:] {
					before[a][b]++
				}
			}
		}
		for a := range n {
			for b := range n {
				if a != b && before[a][b] != 3 {
					t.Errorf("seed %d: %d before %d in %d of 6", seed, a, b, before[a][b])
				}
			}
		}
		if !reflect.DeepEqual(order, Turns(n, 6, seed)) || reflect.DeepEqual(order, Turns(n, 6, seed+1)) {
			t.Errorf("seed %d: the order is not the seed's", seed)
		}
	}
	if got := Turns(3, 5, 1); len(got) != 5 {
		t.Errorf("%v", got)
	}
}
