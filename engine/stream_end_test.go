package engine

import (
	"context"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// endless yields pairs for as long as they are wanted, and says when they are not.
func endless(came *atomic.Int64, ended chan<- struct{}) iter.Seq[Tokens] {
	return func(yield func(Tokens) bool) {
		defer close(ended)
		for yield(Tokens{[]int32{200}, []int32{0}}) {
			came.Add(1)
		}
	}
}

// Whoever has added as many pairs as there may be, and waits for room, goes when the
// reader has left, and when a pass has failed.
func TestStreamFeederGoesWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, TokenBudget(1))
		defer d.run()()
		var came atomic.Int64
		ended := make(chan struct{})
		for range e.StreamTokens(context.Background(), endless(&came, ended)) {
			synctest.Wait() // until no more pairs can come
			break
		}
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Errorf("after %d pairs somebody still waits for room", came.Load())
		}
	})
}

// A stream counts as a call however it ends, and what was computed for a reader who has
// left is in the totals.
func TestStreamsThatEndOddlyAreCounted(t *testing.T) {
	one := func(yield func(Tokens) bool) { yield(Tokens{[]int32{200}, []int32{0}}) }
	broken := func(yield func(Tokens) bool) { one(yield); panic("mine") }
	for name, read := range map[string]func(*Engine){
		"the reader leaves": func(e *Engine) {
			for range e.StreamTokens(context.Background(), one) {
				break
			}
		},
		"the reader panics": func(e *Engine) {
			for range e.StreamTokens(context.Background(), one) {
				panic("mine")
			}
		},
		"the reader exits": func(e *Engine) {
			for range e.StreamTokens(context.Background(), one) {
				runtime.Goexit()
			}
		},
		"the iterator panics": func(e *Engine) { collect(e.StreamTokens(context.Background(), broken)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			e, d := openHeld(t, 1)
			defer d.run()()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }()
				read(e)
			}()
			<-done
			synctest.Wait()
			if s := e.Stats(); s.Calls != 1 || s.Failed != 0 || s.Total.Pairs != 1 {
				t.Errorf("%s: %+v", name, s)
			}
		})
	}
}

// An iterator that ends its goroutine, as t.Fatal does, is not one that has no more pairs.
func TestStreamIteratorExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		defer d.run()()
		scores, errs := collect(e.StreamTokens(t.Context(), func(yield func(Tokens) bool) {
			yield(Tokens{[]int32{200}, []int32{0}})
			runtime.Goexit()
		}))
		if n := len(errs); n != 2 || errs[0] != nil || errs[1] == nil || scores[0] != 200 {
			t.Errorf("%g, %v", scores, errs)
		}
		if s := e.Stats(); s.Failed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A stream that has failed makes no more pairs wait.
func TestFailedStreamQueuesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, TokenBudget(1))
		more := make(chan int32)
		reading := make(chan struct{})
		go func() {
			for s, err := range e.StreamTokens(context.Background(), func(yield func(Tokens) bool) {
				for id := range more {
					if !yield(Tokens{[]int32{id}, []int32{0}}) {
						return
					}
				}
			}) {
				if s == 200 && err == nil {
					<-reading
				}
			}
		}()
		more <- 200
		(<-d.begun).goOn()
		synctest.Wait() // the reader is at the first score
		more <- 103
		bad := <-d.begun
		bad.goOn()
		synctest.Wait()
		more <- 201
		synctest.Wait()
		if s := e.Stats(); s.WaitingPairs != 0 || s.Running != 0 {
			t.Errorf("%+v", s)
		}
		close(reading)
		close(more)
	})
}

// Whoever has left the loop is not called again, though a later pass has failed meanwhile.
func TestStreamIsLeftAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, TokenBudget(1))
		defer d.run()()
		for range e.StreamTokens(t.Context(), ids(200, 103)) {
			synctest.Wait()
			break
		}
		if s := e.Stats(); s.Calls != 1 || s.Failed != 0 || s.Total.Pairs != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// The stats of a stream whose reader leaves are what the totals have of it, though a runner notes in
// the call, all the time, that a pass with pairs of it begins.
func TestStatsOfAStreamThatIsLeft(t *testing.T) {
	e, d := openHeld(t, 1, TokenBudget(1))
	defer d.run()()
	r := e.idleRunners[0]
	e.idleRunners = nil // the test runs it
	e.users++
	for range 20 {
		var stats CallStats
		before := e.Stats().Total
		leave, left := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(left)
			for range e.StreamTokens(t.Context(), ids(200, 201), StatsTo(&stats)) {
				<-leave
				break
			}
		}()
		for e.Stats().WaitingPairs < 2 {
			runtime.Gosched()
		}
		if !r.fill() {
			t.Fatal("no pass")
		}
		r.run()
		if !r.fill() {
			t.Fatal("no second pass")
		}
		close(leave)
		for gone := false; !gone; {
			select {
			case <-left:
				gone = true
			default:
				r.begin()
			}
		}
		r.run()
		if made := e.Stats().Total.Tokenize - before.Tokenize; stats.Tokenize != made {
			t.Errorf("tokens were made in %v, of which the totals have %v", stats.Tokenize, made)
		}
	}
	if r.fill() {
		t.Error("another pass")
	}
}
