package engine

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Two runners that take a call's pairs in turns have a pass each with a part of the call,
// and none has pairs of several.
func TestACallIsCountedOnceAPass(t *testing.T) {
	e, _ := openHeld(t, 2)
	a, b := e.idleRunners[0], e.idleRunners[1]
	a.number, b.number = 1, 2
	c := e.idleCalls.Get().(*call)
	c.work, c.weight, c.tokens, c.count = t.Context(), 1, tokens(200, 201, 202, 203), 4
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue.put(c, c.count)
	for _, r := range []*runner{a, b, a, b} { // as when each tokenizes what it has taken
		r.add(c)
	}
	for _, r := range []*runner{a, b} {
		first := 0
		for _, p := range r.parts {
			if p.first {
				first++
			}
		}
		if len(r.parts) != 2 || first != 1 || r.stats.Calls != 1 {
			t.Errorf("%d parts, %d of them the call's first in its pass, of %d calls", len(r.parts), first, r.stats.Calls)
		}
	}
}

// Tokenizing is counted once, though a call has many parts in a pass, between those of
// others, and nothing of it overlaps where there is one pass.
func TestTokenizingIsCountedOnce(t *testing.T) {
	e, d := openHeld(t, 1)
	first := start(t.Context(), e, 200)
	busy := <-d.begun
	pairs := slices.Repeat([]Pair{{"a query", "and a passage of some words"}}, 10)
	type answer struct {
		CallStats
		err error
	}
	answers := make(chan answer)
	for range 3 {
		go func() {
			var stats CallStats
			_, err := e.Score(context.Background(), nil, pairs, StatsTo(&stats))
			answers <- answer{stats, err}
		}()
	}
	for e.Stats().WaitingCalls < 3 {
		runtime.Gosched()
	}
	busy.goOn()
	(<-first).check(t, 200)
	together := <-d.begun
	if n := together.b.Len(); n != 30 {
		t.Fatalf("%d pairs in the pass", n)
	}
	together.goOn()
	for range 3 {
		if a := <-answers; a.err != nil || a.Passes != 1 || a.Overlapped != 0 || a.Tokenize <= 0 {
			t.Errorf("%+v", a)
		}
	}
}

// timedHeld is a device whose passes each computed for a second.
type timedHeld struct{ *held }

type timedHeldPass struct{ model.Pass }

func (d timedHeld) Begin(b *model.Batch) (model.Pass, error) {
	p, err := d.held.Begin(b)
	return timedHeldPass{p}, err
}

func (timedHeldPass) PassTime() model.PassTime { return model.PassTime{Busy: time.Second} }

// Where a pass is run again call by call, each call has the time of its own part, and who
// has left has none.
func TestTimesOfPartsThatRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var passes []PassStats
		e, d := openHeld(t, 1, Observe(func(s PassStats) { passes = append(passes, s) }))
		e.device = timedHeld{d}
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		bad := start(t.Context(), e, 103)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		gone := start(ctx, e, 300)
		synctest.Wait()
		var calls []<-chan time.Duration
		for range 2 {
			c := make(chan time.Duration, 1)
			calls = append(calls, c)
			go func() {
				var stats CallStats
				_, err := e.Score(t.Context(), nil, []Pair{{"a", "b"}}, StatsTo(&stats))
				if err != nil {
					t.Error(err)
				}
				c <- stats.GPU
			}()
			synctest.Wait()
		}
		busy.goOn()
		(<-first).check(t, 200)
		together := <-d.begun
		cancel()
		<-gone
		together.goOn()
		var again []int32
		for range 3 {
			p := <-d.begun
			again = append(again, p.all()...)
			p.goOn()
		}
		if slices.Contains(again, 300) {
			t.Error("what nobody waits for was run again")
		}
		if r := <-bad; r.err == nil {
			t.Errorf("%g", r.scores)
		}
		for _, c := range calls {
			if took := <-c; took != time.Second {
				t.Errorf("a call's part took %v, want 1s", took)
			}
		}
		synctest.Wait()
		if n := len(passes); n != 2 || passes[1].GPU != 2*time.Second {
			t.Errorf("the passes were %+v, want 2s of a GPU in the second", passes)
		}
	})
}

// An engine on which nobody waits shuts down, though the context is over.
func TestShutdownOfAnIdleEngine(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	engines := 20 // a choice between two that are ready is chance
	if memorytest.RaceDetector {
		engines = 2 // opening one takes long, and races are the same in each
	}
	for i := range engines {
		e, _ := openHeld(t, 1)
		if err := e.Shutdown(over); err != nil {
			t.Fatalf("engine %d: %v", i, err)
		}
	}
}

// Whoever ends a timing twice, or times twice at once, has nothing of it, and breaks
// nothing.
func TestTimingsThatEndTwice(t *testing.T) {
	e := openShape(t, 1, synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: 64, Types: 2, Labels: 1}, Device("cpu"), Precision("f32"))
	score := func() error {
		_, err := e.ScoreTokens(t.Context(), nil, tokens(200))
		return err
	}
	one, _ := e.TimeKernels()
	other, _ := e.TimeKernels()
	for i, stop := range []func() []model.KernelTime{one, other, one} {
		if err := safely(func() { stop() }); err != nil {
			t.Errorf("end %d: %v", i, err)
		}
		if err := score(); err != nil {
			t.Error(err)
		}
	}
}

// safely makes a panic an error.
func safely(do func()) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	do()
	return nil
}
