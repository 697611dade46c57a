package cpu

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

func beginUrgent(t *testing.T, d *Device, b *model.Batch) *pass {
	t.Helper()
	p, err := d.BeginUrgent(b)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*pass)
}

// There is a pause before each taking, and no taking has more than a chunk of rows.
func TestPausesComeOften(t *testing.T) {
	for _, workers := range []int{1, 3} {
		d, _ := openSmall(t, workers)
		p := modeltest.Begin(t, d, sequences(1)).(*pass)
		var pauses atomic.Int64
		p.OnPause(func() { pauses.Add(1) })
		rows := 10 * d.chunk
		p.share(rows, func(_ *pass, w *worker, lo, hi int) {
			for w != p.w && pauses.Load() < 2 { // helpers leave rows to the leader
				runtime.Gosched()
			}
			if hi-lo > d.chunk {
				t.Errorf("%d rows at once, a chunk has %d", hi-lo, d.chunk)
			}
		})
		p.End()
		if n := pauses.Load(); n < 2 || workers == 1 && n != 10 {
			t.Errorf("%d workers: %d pauses", workers, n)
		}
	}
}

// While an urgent pass is under way, passes that pause do nothing of their own, and
// their workers do its rows: it ends only if somebody helps.
func TestPassesStandStill(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		for _, procs := range []int{1, runtime.GOMAXPROCS(0)} {
			t.Run(fmt.Sprintf("%d workers on %d", workers, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				d, _ := openSmall(t, workers)
				var urgent, helped, ready atomic.Int64
				done := make(chan struct{})
				for range workers {
					go func() {
						defer func() { done <- struct{}{} }()
						p := modeltest.Begin(t, d, sequences(1)).(*pass)
						defer p.End()
						asked := false
						p.OnPause(func() {
							if !asked {
								asked = true
								ready.Add(1)
								for urgent.Load() == 0 { // all pause at once
									runtime.Gosched()
								}
							}
						})
						p.share(300, func(*pass, *worker, int, int) {
							if urgent.Load() == 1 {
								t.Error("a pass goes on while an urgent one is under way")
							}
						})
					}()
				}
				for ready.Load() < int64(workers) {
					runtime.Gosched()
				}
				u := beginUrgent(t, d, sequences(1))
				urgent.Store(1)
				for range 20 {
					u.share(10*d.chunk, func(p *pass, w *worker, _, _ int) {
						if p != u {
							t.Errorf("pass %p of %p", p, u)
						}
						if w != u.w {
							helped.Add(1)
						}
						for helped.Load() == 0 { // there are rows enough for everybody
							runtime.Gosched()
						}
					})
				}
				urgent.Store(2)
				u.End()
				for range workers {
					<-done
				}
			})
		}
	}
}

// A panic stays in the pass that it is in.
func TestPausesKeepPanics(t *testing.T) {
	d, c := openSmall(t, 2)
	broken := func(*pass, *worker, int, int) { panic("broken") }
	panics := func(do func()) {
		t.Helper()
		defer func() {
			if reason := recover(); reason != "broken" {
				t.Errorf("panic %v, want that of the step", reason)
			}
		}()
		do()
	}
	b, want, got := sequences(100, 120, 3), make([]float32, 3*c.HiddenSize), make([]float32, 3*c.HiddenSize)
	if err := model.Encode(d, c, b, model.Firsts, want); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		// An urgent pass breaks in a pause, and the pass that stood still goes on.
		p := modeltest.Begin(t, d, b).(*pass)
		p.OnPause(func() {
			u := beginUrgent(t, d, sequences(1))
			defer u.End()
			panics(func() { u.share(300, broken) })
		})
		if err := model.Forward(p, c.Layers, model.Firsts, got); err != nil {
			t.Fatal(err)
		}
		p.End()
		if !slices.Equal(got, want) {
			t.Errorf("%v beside what breaks, alone %v", got, want)
		}
		// What a pause is asked to do breaks, with nobody left at work on the pass.
		var at atomic.Int64
		p = modeltest.Begin(t, d, b).(*pass)
		var pauses atomic.Int64
		p.OnPause(func() {
			if pauses.Add(1) > 1 {
				panic("broken")
			}
		})
		panics(func() {
			p.share(20*d.chunk, func(_ *pass, w *worker, _, _ int) {
				at.Add(1)
				defer at.Add(-1)
				for w != p.w && pauses.Load() < 2 { // a helper is at work meanwhile
					runtime.Gosched()
				}
			})
		})
		if at.Load() != 0 {
			t.Error("somebody is still at work")
		}
		p.End()
		// A pass breaks while an urgent one is under way.
		p, u := modeltest.Begin(t, d, b).(*pass), beginUrgent(t, d, b)
		panics(func() { p.share(300, broken) })
		p.End()
		if err := model.Forward(u, c.Layers, model.Firsts, got); err != nil {
			t.Fatal(err)
		}
		u.End()
		if !slices.Equal(got, want) {
			t.Errorf("%v beside what breaks, alone %v", got, want)
		}
	}
}

// The time that a pass stands still is not its own. All of it is by one clock, so that it
// does not matter how long anything takes.
func TestKernelTimesOfPauses(t *testing.T) {
	d, c := openSmall(t, 1)
	b, rows, still := sequences(100, 50), make([]float32, 2*c.HiddenSize), time.Duration(0)
	stop, begun := d.TimeKernels(), time.Now()
	p := modeltest.Begin(t, d, b)
	p.(model.Pauser).OnPause(func() {
		begun := time.Now()
		time.Sleep(time.Millisecond)
		still += time.Since(begun)
	})
	if err := model.Forward(p, c.Layers, model.Firsts, rows); err != nil {
		t.Fatal(err)
	}
	p.End()
	spent := time.Duration(0)
	for _, k := range stop() {
		if k.Time < 0 {
			t.Errorf("%+v", k)
		}
		spent += k.Time
	}
	if most := time.Since(begun) - still; spent > most {
		t.Errorf("%v spent in a pass that did not stand still for %v", spent, most)
	}
}
