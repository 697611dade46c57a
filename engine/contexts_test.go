package engine

import (
	"context"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// An engine that has nothing to do keeps nothing of the contexts of calls that were.
func TestContextsAreForgotten(t *testing.T) {
	e, d := openHeld(t, 1)
	defer d.run()()
	var freed atomic.Bool
	func() {
		type key struct{}
		value := &[1 << 16]byte{}
		runtime.AddCleanup(value, func(freed *atomic.Bool) { freed.Store(true) }, &freed)
		ctx := context.WithValue(context.Background(), key{}, value)
		pprof.Do(ctx, pprof.Labels("request", "1"), func(ctx context.Context) {
			(<-start(ctx, e, 200)).check(t, 200)
		})
	}()
	for !freed.Load() { // for ever, if the engine keeps the context
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// unlike is an error that cannot be compared, though its type can.
type unlike struct{ about any }

func (unlike) Error() string { return "not like any other" }

// severalErrors is an error whose type cannot be compared.
type severalErrors []error

func (severalErrors) Error() string { return "several" }

// Whatever a context's cause is, calls that it ends return it, and are counted.
func TestCausesThatCannotBeCompared(t *testing.T) {
	for _, cause := range []error{unlike{[]int{1}}, severalErrors{nil}} {
		synctest.Test(t, func(t *testing.T) {
			e, d := openHeld(t, 1)
			busy := start(t.Context(), e, 200)
			first := <-d.begun
			ctx, cancel := context.WithCancelCause(t.Context())
			errs := make(chan error, 3)
			score := func() { _, err := e.ScoreTokens(ctx, nil, tokens(300)); errs <- err }
			stream := func() {
				_, all := collect(e.StreamTokens(ctx, ids(301)))
				errs <- all[len(all)-1]
			}
			for _, call := range []func(){score, stream} {
				go func() {
					if err := safely(call); err != nil {
						errs <- err
					}
				}()
			}
			synctest.Wait()
			cancel(cause)
			synctest.Wait()
			if err := safely(score); err != nil {
				errs <- err
			}
			for range 3 {
				if err := <-errs; err == nil || err.Error() != cause.Error() {
					t.Errorf("got %v", err)
				}
			}
			if s := e.Stats(); s.Cancelled != 3 || s.Failed != 3 {
				t.Errorf("%+v", s)
			}
			first.goOn()
			(<-busy).check(t, 200)
		})
	}
}

// lent is a context that its owner has back when a call has returned.
type lent struct {
	context.Context
	done chan struct{}
	back atomic.Bool
	late atomic.Int64 // uses after that
}

func (l *lent) Done() <-chan struct{} { return l.done }

func (l *lent) Err() error {
	select {
	case <-l.done:
		return context.Canceled
	default:
		return nil
	}
}

func (l *lent) Value(key any) any {
	if l.back.Load() {
		l.late.Add(1)
	}
	return l.Context.Value(key)
}

// A context is its caller's own again when the call has returned, though a pass has
// its pairs.
func TestContextsAreTheCallers(t *testing.T) {
	e, _ := openHeld(t, 1)
	ctx := &lent{Context: context.Background(), done: make(chan struct{})}
	r := e.idleRunners[0]
	e.idleRunners = nil // the test runs it
	e.users++
	returned := make(chan error)
	go func() {
		_, err := e.Score(ctx, nil, []Pair{{"a", "b"}})
		ctx.back.Store(true)
		returned <- err
	}()
	for e.Stats().WaitingPairs == 0 {
		runtime.Gosched()
	}
	if !r.fill() {
		t.Fatal("no pass")
	}
	close(ctx.done)
	if err := <-returned; err != context.Canceled {
		t.Error(err)
	}
	defer e.device.(*held).run()()
	r.run()
	if r.fill() {
		t.Error("another pass")
	}
	if n := ctx.late.Load(); n != 0 {
		t.Errorf("the context was used %d times after the call had returned", n)
	}
}
