package cpu

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// Every row is done once, whoever is there to help and however often.
func TestShare(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			d, _ := openSmall(t, workers)
			places := modeltest.NewPlaces(d)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for range 20 {
						out := places.In()
						p := modeltest.Begin(t, d, sequences(1)).(*pass)
						for _, n := range []int{0, 1, 15, 16, 31, 32, 33, 100, 1000} {
							done := make([]atomic.Int32, n)
							p.share(n, func(got *pass, w *worker, lo, hi int) {
								if got != p || w == nil || lo < 0 || hi > n || lo > hi {
									t.Errorf("rows %d to %d of %d, pass %p of %p", lo, hi, n, got, p)
								}
								for i := lo; i < hi; i++ {
									done[i].Add(1)
								}
							})
							for i := range done {
								if got := done[i].Load(); got != 1 {
									t.Errorf("row %d of %d was done %d times", i, n, got)
								}
							}
						}
						p.End()
						out()
					}
				})
			}
			wg.Wait()
		})
	}
}

// A helper's panic is the leader's, once nobody is at work on the pass; the next
// job knows nothing of it.
func TestShareKeepsPanics(t *testing.T) {
	d, _ := openSmall(t, 3)
	p := modeltest.Begin(t, d, sequences(1)).(*pass)
	defer p.End()
	for round := range 20 {
		var at atomic.Int32
		func() {
			defer func() {
				if reason := recover(); reason != "broken" {
					t.Errorf("round %d: %v", round, reason)
				}
				if at.Load() != 0 {
					t.Errorf("round %d: somebody is still at work", round)
				}
			}()
			p.share(200, func(_ *pass, _ *worker, lo, hi int) {
				at.Add(1)
				defer at.Add(-1)
				time.Sleep(100 * time.Microsecond)
				if hi == 200 {
					panic("broken")
				}
			})
		}()
		p.share(200, func(*pass, *worker, int, int) {})
	}
}

// Helpers go back when a pass is over.
func TestHelpersReturn(t *testing.T) {
	d, _ := openSmall(t, 4)
	for range 50 {
		p := modeltest.Begin(t, d, sequences(1)).(*pass)
		p.share(500, func(*pass, *worker, int, int) { time.Sleep(10 * time.Microsecond) })
		p.End()
	}
	for range 4 {
		<-d.ordinary.free // for ever, if one did not return
	}
	for _, w := range d.ordinary.workers { // for Close
		d.ordinary.free <- w
	}
}

// A helper makes way after one taking for a pass that wants to begin.
func TestHelpersMakeWay(t *testing.T) {
	d, _ := openSmall(t, 2)
	p := modeltest.Begin(t, d, sequences(1)).(*pass)
	var helped atomic.Int64
	began := make(chan model.Pass, 1)
	p.share(20*d.chunk, func(_ *pass, w *worker, _, _ int) {
		if w == p.w {
			for helped.Load() == 0 { // until a helper has one; the first may have lost patience
				p.hire(20 * d.chunk)
				runtime.Gosched()
			}
			return
		}
		if helped.Add(1) == 1 {
			go func() { began <- modeltest.Begin(t, d, sequences(1)) }()
			for d.waiting.Load() == 0 {
				runtime.Gosched()
			}
		}
	})
	(<-began).End()
	p.End()
	if n := helped.Load(); n != 1 {
		t.Errorf("a helper took rows %d times while a pass waited", n)
	}
}
