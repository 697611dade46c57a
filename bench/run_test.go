package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// lab is what a test of a whole run needs: engines of its own making, files to
// hash and a data set.
type lab struct {
	options             Options
	measured, reference *fake
	opened              []string // devices, in order
}

// newLab returns a lab in which a batch takes a second, the reference no time,
// and the data set has n pairs.
func newLab(t *testing.T, n int) *lab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.jsonl")
	var text strings.Builder
	for _, p := range numbered(n).pairs {
		line, err := json.Marshal(map[string]string{"query": p.Query, "passage": p.Passage})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return &lab{
		options: Options{
			Name: "name", Description: "what for", Args: []string{"bench", "--pairs=3"},
			Model: Checkpoint{ID: "some/model", Files: fstest.MapFS{
				"model.safetensors": {Data: []byte("weights")}, "vocab.txt": {Data: []byte("words")}}},
			Dataset: path, Pairs: n, Batches: []int{4},
		},
		measured:  newFake(func([]engine.Pair) time.Duration { return time.Second }),
		reference: newFake(nil),
	}
}

func (l *lab) run(ctx context.Context) (*recording.Recording, error) {
	return run(ctx, l.options, func(device, precision string) (scorer, error) {
		l.opened = append(l.opened, device)
		if device == "reference" {
			return l.reference, nil
		}
		return l.measured, nil
	})
}

func noted(r *recording.Recording, text string) bool {
	return slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, text) })
}

// A report that nobody named says in its title what was measured.
func TestMeasureTitle(t *testing.T) {
	l := newLab(t, 8)
	l.options.Name = ""
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if text := rendered(t, report.Derive(rec)); !strings.HasPrefix(text, "# minilm-metal: some/model on cpu, f32\n") {
			t.Errorf("%.200s", text)
		}
	})
}

func TestMeasureConfigurations(t *testing.T) {
	l := newLab(t, 50)
	synctest.Test(t, func(t *testing.T) {
		l.options.Batches, l.options.Concurrencies = []int{4, 10}, []int{1, 2}
		stages := map[string][2]int{}
		l.options.Progress = func(stage string, done, total int) { stages[stage] = [2]int{done, total} }
		r, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, run := range r.Runs {
			pairs := 0
			for _, b := range run.Batches {
				pairs += b.Pairs
			}
			got = append(got, fmt.Sprintf("%dx%d: %d of %d pairs in %d batches, %v, %s, %d samples, steady %v, bound %v",
				run.Batch, run.Concurrency, pairs, run.Requested, len(run.Batches), run.Elapsed, run.Loop, len(run.Samples), run.Warmup.Stable, run.TimeBound))
		}
		want := []string{
			"4x1: 50 of 50 pairs in 13 batches, 13s, closed, 26 samples, steady true, bound false",
			"4x2: 50 of 50 pairs in 13 batches, 7s, closed, 14 samples, steady true, bound false",
			"10x1: 50 of 50 pairs in 5 batches, 5s, closed, 10 samples, steady true, bound false",
			"10x2: 50 of 50 pairs in 5 batches, 3s, closed, 6 samples, steady true, bound false",
		}
		for i := range want {
			if i >= len(got) || !strings.HasPrefix(got[i], want[i][:strings.Index(want[i], ", steady")]) {
				t.Errorf("runs\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				break
			}
		}
		if !slices.Equal(l.opened, []string{"", "reference"}) || !l.measured.closed || !l.reference.closed {
			t.Errorf("opened %q, closed %v %v", l.opened, l.measured.closed, l.reference.closed)
		}
		for stage, want := range map[string][2]int{"load": {1, 1}, "accuracy": {24, 24}, "batch=10, concurrency=2": {50, 50}} {
			if stages[stage] != want {
				t.Errorf("progress %q ended at %v, want %v", stage, stages[stage], want)
			}
		}
		if r.Schema != recording.SchemaVersion || r.Name != "name" || r.Description != "what for" || r.Backend != "minilm-metal" || r.Device != "cpu" || r.Precision != "f32" {
			t.Errorf("%+v", r)
		}
		if want := (recording.Model{ID: "some/model", Layers: 6, Hidden: 384, WeightsSHA256: sum("weights"), TokenizerSHA256: sum("words")}); r.Model != want {
			t.Errorf("model %+v, want %+v", r.Model, want)
		}
		if r.Accuracy == nil || !r.Accuracy.Passed || r.Peak != nil || r.Environment.Workers != 2 || r.Environment.GPU != "" {
			t.Errorf("accuracy %+v, peak %v, environment %+v", r.Accuracy, r.Peak, r.Environment)
		}
		if r.ColdStart.FirstScore != time.Second || r.Dataset.Pairs != 50 || r.Dataset.Name != "own.jsonl" {
			t.Errorf("%+v, %+v", r.ColdStart, r.Dataset)
		}
		if !noted(r, "Cold start") || noted(r, "synthetic") || noted(r, "time bound") || noted(r, "round and round") {
			t.Errorf("notes %q", r.Notes)
		}
	})
}

func TestMeasureNotes(t *testing.T) {
	l := newLab(t, 10)
	synctest.Test(t, func(t *testing.T) {
		l.options.Pairs, l.options.Model.Synthetic = 25, true
		r, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !noted(r, "weights are synthetic") || !noted(r, "The data set has 10 pairs, fewer than the 25 asked for") {
			t.Errorf("notes %q", r.Notes)
		}
		if r.Dataset.Pairs != 10 || r.Runs[0].Requested != 25 || len(r.Runs[0].Batches) != 7 {
			t.Errorf("%+v, %d batches", r.Dataset, len(r.Runs[0].Batches))
		}
	})
}

// A run that is far too long for its bound ends when it should, and shares the
// time among its configurations.
func TestMeasureTimeBound(t *testing.T) {
	l := newLab(t, 4000)
	synctest.Test(t, func(t *testing.T) {
		l.options.TimeBound, l.options.Concurrencies = 100*time.Second, []int{1, 3}
		begun := time.Now()
		r, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 98*time.Second || took > 100*time.Second {
			t.Errorf("took %v, want just under 100 s", took)
		}
		for _, run := range r.Runs {
			if !run.TimeBound || run.Elapsed < 40*time.Second || run.Elapsed > 51*time.Second || run.Warmup.Time > 8*time.Second {
				t.Errorf("concurrency %d: bound %v, %v, %+v", run.Concurrency, run.TimeBound, run.Elapsed, run.Warmup)
			}
		}
		if !noted(r, "batch=4, concurrency=3: stopped by the time bound of 1m40s") {
			t.Errorf("notes %q", r.Notes)
		}
	})
	t.Run("none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l.options.TimeBound, l.options.Concurrencies = -1, nil
			r, err := l.run(t.Context())
			if err != nil || len(r.Runs) != 1 || len(r.Runs[0].Batches) != 1000 || r.Runs[0].TimeBound {
				t.Errorf("%v: %d batches", err, len(r.Runs[0].Batches))
			}
		})
	})
	t.Run("over before it begins", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l.options.TimeBound, l.options.Concurrencies = time.Nanosecond, []int{1, 2}
			l.reference.service = l.measured.service
			r, err := l.run(t.Context())
			if err != nil || len(r.Runs) != 2 || len(r.Runs[0].Batches) != 1 || !r.Runs[1].TimeBound || r.Accuracy.Pairs != 2 {
				t.Errorf("%v: %+v", err, r)
			}
		})
	})
}

func TestMeasureOpenLoop(t *testing.T) {
	l := newLab(t, 400)
	for _, rate := range []float64{2, 8} { // the engine serves 4 pairs/s
		synctest.Test(t, func(t *testing.T) {
			l.options.Rate, l.options.TimeBound, l.options.Concurrencies = rate, -1, []int{1}
			r, err := l.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			run := r.Runs[0]
			if run.Loop != "open" || run.Rate != rate || len(run.Batches) != 100 {
				t.Errorf("%q %v, %d batches", run.Loop, run.Rate, len(run.Batches))
			}
			if run.Open == nil || run.Open.Seed != arrivalSeed || (run.Open.Waited > 75) != (rate > 4) {
				t.Errorf("rate %v: %+v", rate, run.Open)
			}
			due := newArrivals(arrivalSeed, 4, rate)
			for i, b := range run.Batches { // one caller: in order of arrival
				if want := due.next(); b.Start != want {
					t.Errorf("batch %d: start %v, want the intended %v", i, b.Start, want)
				}
			}
			if got := noted(r, "pairs/s were offered"); got != (rate > 4) {
				t.Errorf("rate %v: overload noted: %v", rate, got)
			}
		})
	}
}

func TestMeasureInterrupted(t *testing.T) {
	l := newLab(t, 400)
	// Accuracy takes 1 s and the first score 1 s; the warm-up 4 s.
	for _, tt := range []struct {
		name    string
		after   time.Duration
		batches int // -1: no recording
	}{
		{"while loading", 500 * time.Millisecond, -1},
		{"in the gate", 1500 * time.Millisecond, -1},
		{"in the warm-up", 3 * time.Second, -1},
		{"before the first batch has ended", 6500 * time.Millisecond, -1},
		{"after some", 16500 * time.Millisecond, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(tt.after, cancel)
				defer cancel()
				l.options.Batches = []int{4, 8}
				r, err := l.run(ctx)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
				if tt.batches < 0 {
					if r != nil {
						t.Errorf("a recording of nothing: %+v", r.Runs)
					}
					return
				}
				if r == nil || len(r.Runs) != 1 || len(r.Runs[0].Batches) != tt.batches || r.Runs[0].TimeBound {
					t.Fatalf("%+v", r)
				}
				if !noted(r, "interrupted after 40 of 400 pairs") || !l.measured.closed {
					t.Errorf("notes %q, closed %v", r.Notes, l.measured.closed)
				}
			})
		})
	}
}

func TestMeasureRefusesWrongScores(t *testing.T) {
	l := newLab(t, 100)
	l.measured.shift = 0.1
	synctest.Test(t, func(t *testing.T) {
		r, err := l.run(t.Context())
		if !errors.Is(err, ErrInaccurate) || r == nil || r.Accuracy.Passed || len(r.Runs) != 0 || !noted(r, "nothing was timed") {
			t.Errorf("%v: %+v", err, r)
		}
	})
}

func TestMeasureErrors(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name   string
		change func(l *lab)
		want   error
		text   string
	}{
		{"no model", func(l *lab) { l.options.Model.Files = nil }, ErrOptions, "no model"},
		{"pairs", func(l *lab) { l.options.Pairs = -1 }, ErrOptions, "-1 pairs"},
		{"workers", func(l *lab) { l.options.Workers = -2 }, ErrOptions, "-2 workers"},
		{"batch 0", func(l *lab) { l.options.Batches = []int{32, 0} }, ErrOptions, "batch of 0 pairs"},
		{"huge batch", func(l *lab) { l.options.Batches = []int{1 << 40} }, ErrOptions, "batch of 1099511627776 pairs"},
		{"concurrency", func(l *lab) { l.options.Concurrencies = []int{-3} }, ErrOptions, "concurrency -3"},
		{"rate", func(l *lab) { l.options.Rate = -1 }, ErrOptions, "rate -1"},
		{"rate NaN", func(l *lab) { l.options.Rate = math.NaN() }, ErrOptions, "rate NaN"},
		{"rate Inf", func(l *lab) { l.options.Rate = math.Inf(1) }, ErrOptions, "rate +Inf"},
		{"huge rate", func(l *lab) { l.options.Rate = 1e300 }, ErrOptions, "rate 1e+300"},
		{"tiny rate", func(l *lab) { l.options.Rate = 1e-300 }, ErrOptions, "more than 1h0m0s apart"},
		{"huge bound", func(l *lab) { l.options.Load = &LoadOptions{SLO: 1e6 * time.Hour} }, ErrOptions, "latency of at most 1000000h"},
		{"data set", func(l *lab) { l.options.Dataset += ".gone" }, fs.ErrNotExist, "own.jsonl.gone"},
		{"first score", func(l *lab) { l.measured.fail = func([]engine.Pair) error { return broken } }, broken, "first score"},
		{"gate", func(l *lab) { l.reference.fail = func([]engine.Pair) error { return broken } }, broken, "reference"},
		{"no weights", func(l *lab) { l.options.Model.Files = fstest.MapFS{} }, nil, "weights"},
		{"no tokenizer", func(l *lab) {
			l.options.Model.Files = fstest.MapFS{"model.safetensors": {Data: []byte("x")}}
		}, fs.ErrNotExist, "vocab.txt"},
		{"a batch", func(l *lab) {
			calls := 0
			l.measured.fail = func(p []engine.Pair) error {
				if calls++; calls > 10 {
					return broken
				}
				return nil
			}
		}, broken, "batch=4, concurrency=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, 100)
			tt.change(l)
			synctest.Test(t, func(t *testing.T) {
				r, err := l.run(t.Context())
				if r != nil || err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("%v, error %v, want %q in it", r, err, tt.text)
				}
				if slices.Contains(l.opened, "") && !l.measured.closed || slices.Contains(l.opened, "reference") && !l.reference.closed {
					t.Error("an engine is left open")
				}
			})
		})
	}
}

// The whole way with the real engine, on a small model.
func TestMeasureEngine(t *testing.T) {
	files, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 32, Heads: 4, Intermediate: 64, Vocab: 3000})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Measure(t.Context(), Options{
		Device: "cpu", Model: Checkpoint{Files: files, ID: "tiny", Synthetic: true}, Pairs: 40,
		Batches: []int{1, 32}, Concurrencies: []int{1, 3}, Workers: 2, TimeBound: 2 * time.Second, Profile: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Environment.InstructionSet == "" {
		t.Error("no instruction set is recorded")
	}
	if len(r.Runs) != 4 || !r.Accuracy.Passed || r.Accuracy.Pairs < 2 || r.Accuracy.LogitSD == 0 {
		t.Fatalf("%d runs, accuracy %+v", len(r.Runs), r.Accuracy)
	}
	// Which precision is chosen is the processor's affair.
	if _, known := tolerances[r.Precision]; r.Device != "cpu" || !known || r.Model.Layers != 2 || r.Model.Parameters == 0 || len(r.Model.WeightsSHA256) != 64 || len(r.Model.TokenizerSHA256) != 64 {
		t.Errorf("%s %s %+v", r.Device, r.Precision, r.Model)
	}
	for _, run := range r.Runs {
		pairs, tokens, flops := 0, 0, int64(0)
		for _, b := range run.Batches {
			pairs += b.Pairs
			tokens += b.Tokens
			flops += b.FLOPs
			if b.Infer <= 0 || b.Computed != b.Tokens || b.FLOPs <= 0 || b.Tokenize-b.Overlapped+b.Queue+b.Infer > b.Latency {
				t.Errorf("sample %+v", b)
			}
		}
		if !run.TimeBound && (pairs != 40 || tokens != r.Dataset.Tokens) {
			t.Errorf("%d pairs and %d tokens, want 40 and %d", pairs, tokens, r.Dataset.Tokens)
		}
		for _, k := range run.Kernels {
			flops -= k.FLOPs
		}
		if len(run.Kernels) == 0 || flops != 0 {
			t.Errorf("the batches have %d more FLOPs than the %d kernels", flops, len(run.Kernels))
		}
		if len(run.Samples) == 0 || run.Samples[0].RSS == nil || run.Elapsed <= 0 {
			t.Errorf("samples %+v in %v", run.Samples, run.Elapsed)
		}
	}
	if _, err := Measure(t.Context(), Options{Model: Checkpoint{Files: files}, Device: "abacus"}); !errors.Is(err, engine.ErrDevice) {
		t.Errorf("device abacus: %v", err)
	}
	// What is recorded is what JSON carries.
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back recording.Recording
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	back.Started = r.Started // the monotonic part is not carried
	if !reflect.DeepEqual(&back, r) {
		t.Error("the recording does not survive JSON")
	}
}
