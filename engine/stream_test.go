package engine

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// ids yields sequences of one token each.
func ids(first ...int32) iter.Seq[Tokens] {
	return func(yield func(Tokens) bool) {
		for _, id := range first {
			if !yield(Tokens{[]int32{id}, []int32{0}}) {
				return
			}
		}
	}
}

// collect reads a stream to its end.
func collect(seq iter.Seq2[float32, error]) (scores []float32, errs []error) {
	for s, err := range seq {
		scores, errs = append(scores, s), append(errs, err)
	}
	return scores, errs
}

// Scores come in the order of the pairs, whatever order passes end in; pairs that can
// have none do not stop the others.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 2, TokenBudget(3), Sigmoid())
		var want []int32
		for i := range int32(3 * window) {
			want = append(want, 200+i%1000)
		}
		want[5], want[6], want[2*window] = -1, 30522, -7 // no tokens of the model
		go func() {
			for p := range d.begun {
				select {
				case second := <-d.begun: // goes first
					second.goOn()
					synctest.Wait()
				case <-time.After(time.Second): // there is none
				}
				p.goOn()
			}
		}()
		scores, errs := collect(e.StreamTokens(t.Context(), ids(want...)))
		if len(scores) != len(want) {
			t.Fatalf("%d scores of %d pairs", len(scores), len(want))
		}
		for i, s := range scores {
			var pair *PairError
			switch bad := i == 5 || i == 6 || i == 2*window; {
			case bad && (!errors.As(errs[i], &pair) || pair.Index != i || !math.IsNaN(float64(s))):
				t.Errorf("pair %d: %g, %v", i, s, errs[i])
			case !bad && (errs[i] != nil || s != float32(1/(1+math.Exp(-float64(want[i]))))):
				t.Errorf("pair %d: %g, %v", i, s, errs[i])
			}
		}
		close(d.begun)
	})
}

// A score is yielded as soon as it is there, while the next pair has not come.
func TestStreamWaitsForNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		defer d.run()()
		more := make(chan int32, 1)
		next, stop := iter.Pull2(e.StreamTokens(t.Context(), func(yield func(Tokens) bool) {
			for id := range more {
				if !yield(Tokens{[]int32{id}, []int32{0}}) {
					return
				}
			}
		}))
		defer stop()
		for id := range int32(10) {
			more <- 200 + id
			if s, err, ok := next(); s != float32(200+id) || err != nil || !ok {
				t.Errorf("pair %d: %g, %v, %t", id, s, err, ok)
			}
		}
		close(more)
		if s, err, ok := next(); ok {
			t.Errorf("one more: %g, %v", s, err)
		}
	})
}

// However many pairs there are, only so many are taken from the iterator ahead.
func TestStreamIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		var came atomic.Int64
		ended := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		next, stop := iter.Pull2(e.StreamTokens(ctx, func(yield func(Tokens) bool) {
			defer close(ended)
			for yield(Tokens{[]int32{200}, []int32{0}}) {
				came.Add(1)
			}
		}))
		defer stop()
		go next()
		busy := <-d.begun
		synctest.Wait()
		if n := came.Load(); n != window {
			t.Errorf("%d pairs came, want %d", n, window)
		}
		cancel()
		<-ended
		busy.goOn()
		synctest.Wait()
		if s := e.Stats(); s.WaitingPairs != 0 || s.Cancelled != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// Of long texts only so many bytes are taken ahead, and all of them are answered.
func TestStreamIsBoundedInBytes(t *testing.T) {
	const size, count = windowBytes / 4, 12
	text := strings.Repeat("a", size)
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, TokenBudget(1))
		var came atomic.Int64
		results := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, err := range e.Stream(t.Context(), func(yield func(Pair) bool) {
				for range count {
					if came.Add(1); !yield(Pair{Passage: text}) {
						return
					}
				}
			}) {
				if err != nil {
					t.Error(err)
				}
				results++
			}
		}()
		for pass := range int64(count) {
			busy := <-d.begun
			synctest.Wait()
			// One is computed, four wait, and one more has come and waits for room.
			if got, want := came.Load(), min(pass+6, count); got != want {
				t.Errorf("pass %d: %d pairs came, want %d", pass, got, want)
			}
			busy.goOn()
		}
		<-done
		if results != count {
			t.Errorf("%d results of %d", results, count)
		}
	})
}

// Tokens that cannot be used are not kept: they may be of any length.
func TestStreamKeepsNoBadTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		defer d.run()()
		long := make([]int32, e.info.Config.MaxPositions+1)
		for _, c := range []struct{ tokens, kept int }{{len(long) - 1, len(long) - 1}, {len(long), 0}, {0, 0}} {
			var to slot
			e.ofTokens(Tokens{long[:c.tokens], long[:c.tokens]})(&to)
			if len(to.ids) != c.kept || len(to.types) != c.kept || (to.err == nil) != (c.kept > 0) {
				t.Errorf("%d tokens: %d ids and %d types are kept, %v", c.tokens, len(to.ids), len(to.types), to.err)
			}
		}
	})
}

// Whoever leaves the loop leaves nothing behind, and may close the engine in it.
func TestStreamIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, TokenBudget(1))
		defer d.run()()
		endless := func(yield func(Tokens) bool) {
			for yield(Tokens{[]int32{200}, []int32{0}}) {
			}
		}
		n := 0
		for s, err := range e.StreamTokens(t.Context(), endless) {
			if s != 200 || err != nil {
				t.Errorf("%g, %v", s, err)
			}
			if n++; n == 2000 {
				break
			}
		}
		synctest.Wait()
		if s := e.Stats(); s.WaitingCalls != 0 || s.Failed != 0 || s.Calls != 1 {
			t.Errorf("%+v", s)
		}
		var last error
		for _, err := range e.StreamTokens(t.Context(), endless) {
			if last = err; err == nil {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		if !errors.Is(last, ErrClosed) {
			t.Errorf("the last error is %v", last)
		}
	})
}

// A stream's end is an error wherever it is one: it fails, is too much, has no context.
func TestStreamErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, MaxQueue(1), TokenBudget(1))
		last := func(seq iter.Seq2[float32, error]) error {
			_, errs := collect(seq)
			return errs[len(errs)-1]
		}
		var none context.Context
		if err := last(e.StreamTokens(none, ids(200))); err != errNilContext {
			t.Error(err)
		}
		gone, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("gone")
		cancel(reason)
		if err := last(e.StreamTokens(gone, ids(200))); err != reason {
			t.Error(err)
		}
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		waits := start(t.Context(), e, 201)
		synctest.Wait()
		if err := last(e.StreamTokens(t.Context(), ids(200))); !errors.Is(err, ErrOverloaded) {
			t.Error(err)
		}
		defer d.run()()
		busy.goOn()
		(<-first).check(t, 200)
		(<-waits).check(t, 201)
		scores, errs := collect(e.StreamTokens(t.Context(), ids(200, 201, 103, 202)))
		if n := len(errs) - 1; !errors.Is(errs[n], ErrModel) || !slices.Equal(scores[:n], []float32{200, 201}[:n]) {
			t.Errorf("%g, %v", scores, errs)
		}
		func() {
			defer func() {
				if r := recover(); r != "mine" {
					t.Errorf("the iterator's panic became %v", r)
				}
			}()
			collect(e.StreamTokens(t.Context(), func(yield func(Tokens) bool) {
				yield(Tokens{[]int32{200}, []int32{0}})
				panic("mine")
			}))
		}()
		(<-start(t.Context(), e, 205)).check(t, 205)
	})
}
