package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// timed is a fake whose one kernel takes a millisecond for each pair.
type timed struct {
	*fake
	timing bool
	pairs  int
}

func (f *timed) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	scores, stats, err := f.fake.ScoreStats(ctx, dst, pairs)
	if f.timing && err == nil {
		f.pairs += len(pairs)
	}
	return scores, stats, err
}

func (f *timed) TimeKernels() (stop func() []model.KernelTime, known bool) {
	if f.timing {
		panic("two timings at a time")
	}
	f.timing, f.pairs = true, 0
	return func() []model.KernelTime {
		f.timing = false
		if f.pairs == 0 {
			return nil
		}
		each := time.Duration(f.pairs) * time.Millisecond
		return []model.KernelTime{{Layer: 1, Block: "attention", Kernel: "gemm", Shape: "8x8", Calls: int64(f.pairs), Time: 3 * each, FLOPs: 2, Bytes: 1},
			{Layer: -1, Kernel: "between kernels", Time: each}}
	}, true
}

func (l *lab) runTimed(ctx context.Context) (*recording.Recording, error) {
	return run(ctx, l.options, func(device, _ string) (scorer, error) {
		if device == "reference" {
			return l.reference, nil
		}
		return &timed{fake: l.measured}, nil
	})
}

// Kernels are timed while batches are measured, and at no other time.
func TestMeasureKernels(t *testing.T) {
	l := newLab(t, 50)
	l.options.Batches = []int{4, 10}
	for _, on := range []bool{true, false} {
		l.options.Profile = on
		synctest.Test(t, func(t *testing.T) {
			rec, err := l.runTimed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if noted(rec, "The kernels were timed") != on || noted(rec, "75.0 % of the time inside passes") != on {
				t.Errorf("profile %v: notes %q", on, rec.Notes)
			}
			for _, run := range rec.Runs {
				if !on {
					if run.Kernels != nil {
						t.Errorf("not asked for: %+v", run.Kernels)
					}
					continue
				}
				want := []recording.Kernel{{Layer: 1, Block: "attention", Kernel: "gemm", Shape: "8x8", Calls: 50, Time: 150 * time.Millisecond, FLOPs: 2, Bytes: 1}, {Layer: -1, Kernel: "between kernels", Time: 50 * time.Millisecond}}
				if !slices.Equal(run.Kernels, want) {
					t.Errorf("batch %d: %+v, want %+v", run.Batch, run.Kernels, want)
				}
			}
		})
	}
}

func TestMeasureKernelsInterrupted(t *testing.T) {
	l := newLab(t, 400)
	l.options.Profile = true
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(16500*time.Millisecond, cancel)
		rec, err := l.runTimed(ctx)
		if !errors.Is(err, context.Canceled) || rec == nil || len(rec.Runs) != 1 {
			t.Fatalf("%+v, %v", rec, err)
		}
		if k := rec.Runs[0].Kernels; len(k) != 2 || int(k[0].Calls) != 4*len(rec.Runs[0].Batches) || !noted(rec, "The kernels were timed") {
			t.Errorf("%+v, notes %q", k, rec.Notes)
		}
	})
}

// A device that cannot is found out before time is spent on it.
func TestMeasureKernelsUnknown(t *testing.T) {
	l := newLab(t, 50)
	l.options.Profile = true
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.run(t.Context())
		if rec != nil || !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), `device "cpu"`) {
			t.Errorf("%v, error %v", rec, err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("took %v, want no more than the first score's second", took)
		}
	})
}
