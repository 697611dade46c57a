package bench

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// staged is a timed fake that timing makes slower, and that may fail at it.
type staged struct {
	*timed
	slower  time.Duration // a batch, when it is timed
	timings int           // begun
	refuse  int           // the timing from which on there is none; 0: never
	silent  int           // the timing from which on no kernel is told; 0: never
	order   []bool        // of each batch, whether it was timed
}

func (f *staged) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	f.mu.Lock()
	f.order = append(f.order, f.timing)
	f.mu.Unlock()
	scores, stats, err := f.timed.ScoreStats(ctx, dst, pairs)
	if f.timing && err == nil {
		time.Sleep(f.slower)
		stats.Infer += f.slower
	}
	return scores, stats, err
}

func (f *staged) TimeKernels() (stop func() []model.KernelTime, known bool) {
	f.timings++
	if f.refuse > 0 && f.timings >= f.refuse {
		return nil, false
	}
	end, known := f.timed.TimeKernels()
	if f.silent == 0 || f.timings < f.silent {
		return end, known
	}
	return func() []model.KernelTime {
		end()
		return nil
	}, known
}

// newStages is a lab whose batches take a time, and a half more when timed.
func newStages(t *testing.T, pairs int, service time.Duration) (*lab, *staged) {
	t.Helper()
	l := newLab(t, pairs)
	l.options.Stages, l.options.TimeBound = true, -1
	l.measured.service = func([]engine.Pair) time.Duration { return service }
	return l, &staged{timed: &timed{fake: l.measured}, slower: service / 2}
}

func (l *lab) runStages(ctx context.Context, f *staged) (*recording.Recording, error) {
	return run(ctx, l.options, func(device, _ string) (scorer, error) {
		if device == "reference" {
			return l.reference, nil
		}
		return f, nil
	})
}

// Stages are of batches of their own, scored both ways, after the measurement.
func TestMeasureStages(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name                  string
		pairs, batch, callers int
		rate                  float64
		service               time.Duration
		batches               int
	}{
		{"ten batches at least", 50, 4, 1, 0, 100 * ms, 10},
		{"a share of many pairs", 4000, 4, 1, 0, 10 * ms, 20},
		{"callers", 50, 4, 3, 0, 100 * ms, 10},
		{"open loop", 50, 4, 2, 8, 100 * ms, 10},
		{"no further than five seconds", 50, 4, 1, 0, time.Second, 2},
		{"once at least", 50, 4, 1, 0, time.Minute, 1},
		{"batch above the pairs", 3, 4, 1, 0, 100 * ms, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, f := newStages(t, c.pairs, c.service)
			l.options.Batches, l.options.Concurrencies, l.options.Rate = []int{c.batch, 2 * c.batch}, []int{c.callers}, c.rate
			synctest.Test(t, func(t *testing.T) {
				ends := map[string]int{}
				l.options.Progress = func(stage string, done, _ int) { ends[stage] = done }
				rec, err := l.runStages(t.Context(), f)
				if err != nil || len(rec.Runs) != 2 {
					t.Fatalf("%+v, %v", rec, err)
				}
				r := rec.Runs[0]
				scored := c.batches * min(c.batch, c.pairs)
				tokens := 0
				for i := range scored {
					tokens += 3 + 1 + 1 + (i%c.pairs)*7%50 // special, query, passage of numbered
				}
				n := time.Duration(c.batches)
				want := &recording.Stages{Batches: c.batches, Pairs: scored, Tokens: tokens, Fused: n * c.service, Timed: n * c.service * 3 / 2,
					Kernels: []recording.Kernel{
						{Layer: 1, Block: "attention", Kernel: "gemm", Shape: "8x8", Calls: int64(scored), Time: 3 * time.Duration(scored) * ms, FLOPs: 2 * int64(n), Bytes: int64(n)},
						{Layer: -1, Kernel: "between kernels", Time: time.Duration(scored) * ms}}}
				if !reflect.DeepEqual(r.Stages, want) {
					t.Errorf("stages %+v, want %+v", r.Stages, want)
				}
				if r.Kernels != nil || len(r.Batches) != (c.pairs+c.batch-1)/c.batch || slices.ContainsFunc(r.Batches, func(b recording.BatchSample) bool { return b.Infer != c.service }) {
					t.Errorf("the measurement: %d batches, %+v, kernels %+v", len(r.Batches), r.Batches[0], r.Kernels)
				}
				// By turns, and each way first in every other.
				first := slices.Index(f.order, true) - 1
				for i, timed := range f.order[first : first+2*c.batches] {
					if want := i%4 == 1 || i%4 == 2; timed != want {
						t.Errorf("call %d of the stages: timed %v", i, timed)
					}
				}
				if f.timing {
					t.Error("still timing")
				}
				if ends[fmt.Sprintf("batch=%d, concurrency=%d: stages", c.batch, c.callers)] != c.batches {
					t.Errorf("progress %v", ends)
				}
				if noted(rec, "no stages") {
					t.Errorf("notes %q", rec.Notes)
				}
			})
		})
	}
}

// The time bound keeps a little for the stages, and no more than there is.
func TestMeasureStagesTimeBound(t *testing.T) {
	l, f := newStages(t, 4000, time.Second)
	l.options.TimeBound, l.options.Concurrencies = 100*time.Second, []int{1, 3}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.runStages(t.Context(), f)
		if err != nil || len(rec.Runs) != 2 {
			t.Fatalf("%+v, %v", rec, err)
		}
		if took := time.Since(begun); took > 100*time.Second || took < 90*time.Second {
			t.Errorf("took %v, want under 100 s and not by much", took)
		}
		for _, r := range rec.Runs {
			if !r.TimeBound || r.Stages == nil || r.Stages.Batches < 1 || r.Elapsed < 30*time.Second {
				t.Errorf("concurrency %d: bound %v, %v, stages %+v", r.Concurrency, r.TimeBound, r.Elapsed, r.Stages)
			}
		}
	})
	t.Run("less than five seconds left", func(t *testing.T) {
		l, f := newStages(t, 4000, 300*time.Millisecond)
		l.options.TimeBound = 20 * time.Second
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			rec, err := l.runStages(t.Context(), f)
			if err != nil || len(rec.Runs) != 1 || rec.Runs[0].Stages == nil || rec.Runs[0].Stages.Batches != 2 {
				t.Fatalf("%+v, %v", rec, err)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	})
	t.Run("no time left", func(t *testing.T) {
		l.options.TimeBound = 16 * time.Second
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			rec, err := l.runStages(t.Context(), f)
			if err != nil || len(rec.Runs) != 2 || rec.Runs[0].Stages != nil || len(rec.Runs[0].Batches) < 2 {
				t.Fatalf("%+v, %v", rec, err)
			}
			if took := time.Since(begun); took > 16*time.Second {
				t.Errorf("took %v", took)
			}
			if !noted(rec, "batch=4, concurrency=1: no stages: a batch twice takes 2s, and the time bound of 16s (for the whole run) leaves ") {
				t.Errorf("notes %q", rec.Notes)
			}
		})
	})
	t.Run("over before it begins", func(t *testing.T) {
		l.options.TimeBound = time.Nanosecond
		synctest.Test(t, func(t *testing.T) {
			rec, err := l.runStages(t.Context(), f)
			if err != nil || len(rec.Runs) != 2 || rec.Runs[1].Stages != nil || !noted(rec, "concurrency=3: no stages") || !noted(rec, "leaves 0s.") {
				t.Errorf("%+v, %v", rec, err)
			}
		})
	})
}

// A profile is of the measured batches, whether or not there are stages.
func TestMeasureStagesAndProfile(t *testing.T) {
	l, f := newStages(t, 50, 100*time.Millisecond)
	l.options.Profile = true
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.runStages(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		r := rec.Runs[0]
		if r.Stages == nil || r.Stages.Batches != 10 || len(r.Kernels) != 2 || r.Kernels[0].Calls != 50 {
			t.Errorf("kernels %+v, stages %+v", r.Kernels, r.Stages)
		}
	})
}

// The whole way with the real engine: the kernels of a batch have its FLOPs.
func TestMeasureStagesEngine(t *testing.T) {
	files, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 32, Heads: 4, Intermediate: 64, Vocab: 3000})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := Measure(t.Context(), Options{Device: "cpu", Model: Checkpoint{Files: files, Synthetic: true}, Pairs: 40, Batches: []int{4}, Workers: 2, TimeBound: -1, Stages: true})
	if err != nil {
		t.Fatal(err)
	}
	r, flops, tokens := rec.Runs[0], int64(0), 0
	s := r.Stages
	if s == nil || s.Batches < 1 || s.Batches > len(r.Batches) {
		t.Fatalf("%+v, notes %q", s, rec.Notes)
	}
	for _, b := range r.Batches[:s.Batches] { // all ten, but on a machine that is too slow for that
		flops, tokens = flops+b.FLOPs, tokens+b.Tokens
	}
	if s.Pairs != 4*s.Batches || s.Tokens != tokens || s.Fused <= 0 || s.Timed <= 0 {
		t.Fatalf("%+v, %d tokens, notes %q", s, tokens, rec.Notes)
	}
	for _, k := range s.Kernels {
		flops -= k.FLOPs
	}
	if flops != 0 || len(s.Kernels) < 10 {
		t.Errorf("the batches have %d more FLOPs than the %d kernels", flops, len(s.Kernels))
	}
}
