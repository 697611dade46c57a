package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Small calls go before large ones with any number of workers and processors, while
// kernels are timed, observers panic and callers leave; every score that is returned has
// its bits, and closing in the middle of it ends everything.
func TestInterrupted(t *testing.T) {
	fsys, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	text := pairs(200)
	for _, procs := range []int{1, 2, 4} {
		for _, workers := range []int{1, 3} {
			func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				e, err := engine.OpenFS(fsys, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile(), engine.Workers(workers),
					engine.Observe(func(s engine.PassStats) {
						if s.Urgent {
							panic("a bad observer")
						}
					}))
				if err != nil {
					t.Fatal(err)
				}
				interrupted(t, e, text, score(t, e, text))
				if s := e.Stats(); s.Urgent == 0 || s.Running != 0 || s.WaitingPairs != 0 {
					t.Errorf("%d processors, %d workers: %+v", procs, workers, s)
				}
			}()
		}
	}
}

// interrupted makes calls of all sizes for a while, and until one was urgent, and closes the
// engine.
func interrupted(t *testing.T, e *engine.Engine, text []engine.Pair, want []float32) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		for time.Sleep(200 * time.Millisecond); e.Stats().Urgent == 0; {
			time.Sleep(time.Millisecond)
		}
		cancel()
	})
	call := func(ctx context.Context, lo, hi int) {
		got, err := e.Score(ctx, nil, text[lo:hi])
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
		for i := range got {
			if got[i] != want[lo+i] {
				t.Errorf("pair %d has %g, alone %g", lo+i, got[i], want[lo+i])
			}
		}
	}
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				call(ctx, 0, len(text))
			}
		})
	}
	for caller := range uint64(4) {
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(caller, 1)); ctx.Err() == nil; {
				lo := r.IntN(len(text))
				soon, done := ctx, context.CancelFunc(func() {})
				if caller > 0 { // the first has patience, however slow the machine is
					soon, done = context.WithTimeout(ctx, time.Duration(1+r.IntN(8))*time.Millisecond)
				}
				call(soon, lo, lo+1)
				done()
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			stop, known := e.TimeKernels()
			if !known {
				t.Error("kernels are not timed")
				return
			}
			stop()
		}
	})
	wg.Wait()
	for range 4 {
		wg.Go(func() { call(context.Background(), 0, len(text)) })
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}
