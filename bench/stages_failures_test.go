package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// A device that fails half-way costs neither what was measured nor the stages
// until then, and is told of.
func TestMeasureStagesFailures(t *testing.T) {
	broken := errors.New("broken")
	// The first timing is a trial, before anything is measured.
	for _, c := range []struct {
		name    string
		change  func(f *staged)
		batches int // 0: no stages
		want    string
	}{
		{"a timer that ends", func(f *staged) { f.refuse = 5 }, 3, `batch 3: device "cpu" cannot time its kernels`},
		{"a timer that never was", func(f *staged) { f.refuse = 2 }, 0, `batch 0: device "cpu"`},
		{"no kernels", func(f *staged) { f.silent = 4 }, 2, "batch 2: the device told the time of no kernel"},
		{"a timed batch", func(f *staged) {
			f.fail = func([]engine.Pair) error {
				if f.timing && f.timings == 4 {
					return broken
				}
				return nil
			}
		}, 2, "batch 2: broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, f := newStages(t, 50, 100*time.Millisecond)
			l.options.Batches = []int{4, 10}
			c.change(f)
			synctest.Test(t, func(t *testing.T) {
				rec, err := l.runStages(t.Context(), f)
				want := "bench: batch=4, concurrency=1: stages not timed: " + c.want
				if !errors.Is(err, errStages) || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("error %v\nwant  %s", err, want)
				}
				if rec == nil || len(rec.Runs) != 1 || len(rec.Runs[0].Batches) != 13 {
					t.Fatalf("%+v", rec)
				}
				got := 0
				if s := rec.Runs[0].Stages; s != nil {
					got = s.Batches
					if int(s.Kernels[0].Calls) != 4*got || s.Fused != time.Duration(got)*100*time.Millisecond {
						t.Errorf("half a batch is in %+v", s)
					}
				}
				if got != c.batches || !noted(rec, "its stages were timed in "+string(rune('0'+got))+" of 10 batches, and not in the next") {
					t.Errorf("%d batches, want %d; notes %q", got, c.batches, rec.Notes)
				}
				if f.timing || !l.measured.closed {
					t.Errorf("timing %v, closed %v", f.timing, l.measured.closed)
				}
				if err := rec.Validate(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestMeasureStagesInterrupted(t *testing.T) {
	l, f := newStages(t, 50, time.Second)
	l.options.Batches = []int{4, 10}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l.options.Progress = func(stage string, done, _ int) {
			if strings.HasSuffix(stage, ": stages") && done == 1 {
				cancel()
			}
		}
		rec, err := l.runStages(ctx, f)
		if !errors.Is(err, context.Canceled) || rec == nil || len(rec.Runs) != 1 || rec.Runs[0].Stages == nil || rec.Runs[0].Stages.Batches != 1 {
			t.Fatalf("%+v, %v", rec, err)
		}
		if !noted(rec, "batch=4, concurrency=1: interrupted when its stages were timed in 1 of 10 batches; what follows") {
			t.Errorf("notes %q", rec.Notes)
		}
	})
}

// A device that cannot is found out before time is spent on it.
func TestMeasureStagesUnknown(t *testing.T) {
	l := newLab(t, 50)
	l.options.Stages = true
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.run(t.Context())
		if rec != nil || !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), `device "cpu" cannot time its kernels`) {
			t.Errorf("%v, error %v", rec, err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("took %v, want no more than the first score's second", took)
		}
	})
}
