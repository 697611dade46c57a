package engine

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// held is a device whose passes go on when the test says so. A sequence's score is its
// first token. Token 103 makes a pass fail.
type held struct {
	places int
	begun  chan *heldPass // each pass, when it would compute
}

type heldPass struct {
	d  *held
	b  *model.Batch
	on chan struct{}
}

func (d *held) Name() string { return "held" }
func (d *held) Passes() int  { return d.places }
func (d *held) Close() error { return nil }
func (d *held) Begin(b *model.Batch) (model.Pass, error) {
	return &heldPass{d, b, make(chan struct{})}, nil
}

func (p *heldPass) Embed()                     {}
func (p *heldPass) Attention(int, model.Rows)  {}
func (p *heldPass) FeedForward(int)            {}
func (p *heldPass) Hidden(dst []float32) error { return nil }
func (p *heldPass) End()                       {}
func (p *heldPass) Pool(_ []model.Reduce, rows []float32) error {
	p.d.begun <- p
	<-p.on
	scores := make([]float32, p.b.Len())
	defer spreadOut(rows, scores)
	for i := range scores {
		if scores[i] = float32(p.first(i)); scores[i] == 103 {
			return errors.New("103")
		}
	}
	return nil
}

// first is the first token of a sequence.
func (p *heldPass) first(i int) int32 {
	lo, _ := p.b.Bounds(i)
	return p.b.IDs[lo]
}

// all are the first tokens of the pass's sequences.
func (p *heldPass) all() (firsts []int32) {
	for i := range p.b.Len() {
		firsts = append(firsts, p.first(i))
	}
	return firsts
}

// goOn lets the pass compute.
func (p *heldPass) goOn() { close(p.on) }

func openHeld(t *testing.T, places int, opts ...Option) (*Engine, *held) {
	t.Helper()
	e := openFaulty(t, opts...)
	d := &held{places: places, begun: make(chan *heldPass)}
	e.device = d
	e.prepare()
	return e, d
}

// run lets all passes go on, until the engine has none to run.
func (d *held) run() (stop func()) {
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case p := <-d.begun:
				p.goOn()
			case <-ended:
				return
			}
		}
	}()
	return func() { close(ended) }
}

// result is what a call returns.
type result struct {
	scores []float32
	err    error
}

// start begins a call of sequences with these first tokens.
func start(ctx context.Context, e *Engine, ids ...int32) <-chan result {
	c := make(chan result, 1)
	go func() {
		scores, err := e.ScoreTokens(ctx, nil, tokens(ids...))
		c <- result{scores, err}
	}()
	return c
}

func (r result) check(t *testing.T, want ...float32) {
	t.Helper()
	if r.err != nil || !slices.Equal(r.scores, want) {
		t.Errorf("got %g, %v, want %g", r.scores, r.err, want)
	}
}

// What waits while a pass computes goes together into the next ones, each call's scores
// to that call.
func TestCallsShareAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		var calls []<-chan result
		for i := range int32(5) {
			calls = append(calls, start(t.Context(), e, 300+i, 400+i))
			synctest.Wait()
		}
		if s := e.Stats(); s.WaitingCalls != 5 || s.WaitingPairs != 10 || s.Running != 1 {
			t.Errorf("%+v", s)
		}
		busy.goOn()
		(<-first).check(t, 200)
		together := <-d.begun
		if got := together.all(); len(got) != 10 || got[0] != 300 || got[1] != 301 {
			t.Errorf("the next pass has %d: want all ten, a pair of each call at a time", got)
		}
		together.goOn()
		for i, c := range calls {
			(<-c).check(t, float32(300+i), float32(400+i))
		}
		if s := e.Stats(); s.Passes != 2 || s.Shared != 1 || s.Calls != 6 || s.Failed != 0 || s.Total.Pairs != 11 || s.WaitingPairs != 0 || s.Running != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A device that wants large passes gets them: what is worth one is not cut into several.
func TestPassesAreWorthIt(t *testing.T) {
	for _, test := range []struct{ fewest, most, passes int }{{1, 1, 2}, {10 * usualTokens, 100 * usualTokens, 1}} {
		synctest.Test(t, func(t *testing.T) {
			e, d := openHeld(t, 2)
			e.fewestTokens, e.mostTokens = test.fewest, test.most
			call := start(t.Context(), e, 200, 201, 202)
			synctest.Wait()
			if s := e.Stats(); s.Running != test.passes {
				t.Errorf("with at least %d tokens a pass: %d passes of three pairs", test.fewest, s.Running)
			}
			defer d.run()()
			(<-call).check(t, 200, 201, 202)
		})
	}
}

// A pass that fails is not the end of calls that had nothing to do with that.
func TestOneCallFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		good, bad, other := start(t.Context(), e, 300, 301), start(t.Context(), e, 302, 103), start(t.Context(), e, 303)
		synctest.Wait()
		defer d.run()()
		busy.goOn()
		(<-first).check(t, 200)
		(<-good).check(t, 300, 301)
		(<-other).check(t, 303)
		if r := <-bad; !errors.Is(r.err, ErrModel) || len(r.scores) != 0 {
			t.Errorf("got %g, %v", r.scores, r.err)
		}
	})
}

// Whoever's context is over goes at once, with the context's own reason, and what no pass
// has taken of his is never computed.
func TestCancelledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		reason := errors.New("no longer wanted")
		ctx, cancel := context.WithCancelCause(t.Context())
		inPass := start(ctx, e, 200)
		busy := <-d.begun
		waits, stays := start(ctx, e, 300), start(t.Context(), e, 301)
		soon, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer stop()
		late := start(soon, e, 302)
		synctest.Wait()
		cancel(reason)
		for _, c := range []<-chan result{inPass, waits} { // the pass is still under way
			if r := <-c; r.err != reason || r.scores != nil {
				t.Errorf("got %g, %v", r.scores, r.err)
			}
		}
		begun := time.Now()
		if r := <-late; !errors.Is(r.err, context.DeadlineExceeded) || time.Since(begun) != 20*time.Millisecond {
			t.Errorf("after %v: %g, %v", time.Since(begun), r.scores, r.err)
		}
		busy.goOn()
		next := <-d.begun
		if got := next.all(); !slices.Equal(got, []int32{301}) {
			t.Errorf("the next pass computes %d", got)
		}
		next.goOn()
		(<-stays).check(t, 301)
		if s := e.Stats(); s.Cancelled != 3 || s.Failed != 3 || s.Calls != 4 {
			t.Errorf("%+v", s)
		}
	})
}

// A call that is cancelled is not written to any more, though a pass has its pairs.
func TestCancelledMemoryIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		dst := make([]float32, 0, 1)
		b := tokens(200)
		done := make(chan error)
		go func() {
			_, err := e.ScoreTokens(ctx, dst, b)
			done <- err
		}()
		busy := <-d.begun
		cancel()
		<-done
		dst = append(dst, 7)
		b.IDs[0] = 201
		busy.goOn()
		synctest.Wait()
		if dst[0] != 7 {
			t.Errorf("a score was written after the call had returned: %g", dst[0])
		}
	})
}

func TestMaxQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, MaxQueue(40))
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		// Of a call 32 pairs count, however many it has.
		long := start(t.Context(), e, slices.Repeat([]int32{300}, 1000)...)
		synctest.Wait()
		var calls []<-chan result
		for range 8 {
			calls = append(calls, start(t.Context(), e, 301))
			synctest.Wait()
		}
		r := <-start(t.Context(), e, 302)
		var over *OverloadError
		if !errors.Is(r.err, ErrOverloaded) || !errors.As(r.err, &over) || over.Calls != 9 || over.Pairs != 1008 || over.Waited != 0 {
			t.Errorf("got %g, %v", r.scores, r.err)
		}
		// Those in the background are counted by themselves.
		back := start(Background(t.Context()), e, slices.Repeat([]int32{304}, 1000)...)
		synctest.Wait()
		if over.Counted != 40 {
			t.Errorf("%d pairs are counted, want 40", over.Counted)
		}
		defer d.run()()
		busy.goOn()
		(<-first).check(t, 200)
		(<-back).check(t, slices.Repeat([]float32{304}, 1000)...)
		for _, c := range calls {
			(<-c).check(t, 301)
		}
		(<-long).check(t, slices.Repeat([]float32{300}, 1000)...)
		(<-start(t.Context(), e, 303)).check(t, 303)
		if s := e.Stats(); s.Refused != 1 || s.Failed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// MaxWait is for those who wait for their first pass, not for those who are in one.
func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 50 * time.Millisecond
		e, d := openHeld(t, 1, MaxWait(most))
		begun := time.Now()
		first := start(t.Context(), e, 200)
		busy := <-d.begun
		r := <-start(t.Context(), e, 300)
		var over *OverloadError
		if !errors.As(r.err, &over) || over.Waited != most || over.Pairs != 1 || time.Since(begun) != most {
			t.Errorf("after %v: %g, %v", time.Since(begun), r.scores, r.err)
		}
		busy.goOn()
		(<-first).check(t, 200)
	})
}

// Close sends everybody home at once, and waits for the pass that is under way.
func TestCloseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1)
		inPass := start(t.Context(), e, 200)
		busy := <-d.begun
		waits := start(t.Context(), e, 300)
		synctest.Wait()
		closed := make(chan error, 2)
		for range 2 {
			go func() { closed <- e.Close() }()
		}
		for _, c := range []<-chan result{inPass, waits} {
			if r := <-c; !errors.Is(r.err, ErrClosed) {
				t.Errorf("got %g, %v", r.scores, r.err)
			}
		}
		if r := <-start(t.Context(), e, 301); !errors.Is(r.err, ErrClosed) {
			t.Errorf("afterwards: %g, %v", r.scores, r.err)
		}
		synctest.Wait()
		if len(closed) > 0 {
			t.Error("closed while a pass computes")
		}
		busy.goOn()
		for range 2 {
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}
	})
}

// Shutdown lets calls end, and no longer than its context lasts.
func TestShutdown(t *testing.T) {
	for _, inTime := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			e, d := openHeld(t, 1)
			inPass := start(t.Context(), e, 200)
			busy := <-d.begun
			waits := start(t.Context(), e, 300)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			down := make(chan error, 1)
			go func() { down <- e.Shutdown(ctx) }()
			synctest.Wait()
			if r := <-start(t.Context(), e, 301); !errors.Is(r.err, ErrClosed) {
				t.Errorf("a call that comes: %g, %v", r.scores, r.err)
			}
			if inTime {
				defer d.run()()
				busy.goOn()
				(<-inPass).check(t, 200)
				(<-waits).check(t, 300)
				if err := <-down; err != nil {
					t.Error(err)
				}
				return
			}
			for _, c := range []<-chan result{inPass, waits} {
				if r := <-c; !errors.Is(r.err, ErrClosed) {
					t.Errorf("a call that takes too long: %g, %v", r.scores, r.err)
				}
			}
			busy.goOn()
			if err := <-down; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
}

// Those in the background give way, and are not forgotten.
func TestBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, d := openHeld(t, 1, TokenBudget(1))
		back := start(Background(t.Context()), e, slices.Repeat([]int32{300}, 1000)...)
		busy := <-d.begun
		front := start(t.Context(), e, slices.Repeat([]int32{301}, 1000)...)
		synctest.Wait()
		count := map[int32]int{}
		for range 500 {
			busy.goOn()
			busy = <-d.begun
			count[busy.first(0)]++
		}
		if n := count[300]; n < 25 || n > 35 { // a seventeenth is 29.4
			t.Errorf("of 500 passes the background had %d", n)
		}
		defer d.run()()
		busy.goOn()
		(<-front).check(t, slices.Repeat([]float32{301}, 1000)...)
		(<-back).check(t, slices.Repeat([]float32{300}, 1000)...)
	})
}

// A caller that waits costs little beside his own goroutine.
func TestWaitingIsCheap(t *testing.T) {
	e, d := openHeld(t, 1)
	first := start(t.Context(), e, 200)
	busy := <-d.begun
	const callers = 10000
	pair := []Pair{{"a query", "and a passage"}}
	var wg sync.WaitGroup
	wait := make(chan struct{})
	memory := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	for range callers { // which makes the goroutines, and the stacks that they have anyway
		wg.Go(func() {
			<-wait
			if _, err := e.Score(context.Background(), make([]float32, 0, 1), pair); err != nil {
				t.Error(err)
			}
		})
	}
	for runtime.NumGoroutine() < callers {
		runtime.Gosched()
	}
	before := memory()
	close(wait)
	for e.Stats().WaitingPairs < callers {
		runtime.Gosched()
	}
	each := (float64(memory()) - float64(before)) / callers
	t.Logf("%.0f bytes a caller that waits", each)
	if each > 2048 {
		t.Errorf("a caller that waits costs %.0f bytes, want 2048 at most", each)
	}
	defer d.run()()
	busy.goOn()
	(<-first).check(t, 200)
	wg.Wait()
}
