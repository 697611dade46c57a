package engine

import (
	"context"
	"errors"
	"iter"
	"runtime/trace"
	"slices"
)

// Tokens is a pair as tokens: their ids, and for each the text that it belongs to, 0 for
// the query and 1 for the passage.
type Tokens struct{ IDs, Types []int32 }

// Stream scores pairs as they come and yields the scores in the same order, each as soon as
// it and all before it are known. However many pairs there are, it holds about a thousand
// at a time. It does not hold scores back to wait for later pairs.
//
// A *PairError, as in Score, is about one pair: its score is NaN, and the next pairs
// follow. Any other error is the last thing yielded. Prompts are as in Score. MaxQueue
// refuses a stream when it begins, never later; MaxWait does not apply.
//
// A goroutine of the stream's own ranges over pairs. When the loop over the scores comes to
// their end, that goroutine has ended, and what pairs wrote may be read. After a break or
// an error it may still run until its next pair; until then, leave its variables and files
// alone. If pairs panics, the loop panics with the same value.
func (e *Engine) Stream(ctx context.Context, pairs iter.Seq[Pair], opts ...CallOption) iter.Seq2[float32, error] {
	return scoresOf(e.stream(&methodStream, ctx, feed(pairs, ofPair), opts))
}

// StreamTokens is Stream for pairs that are tokens already. The iterator may change a
// yielded pair when it is asked for the next.
func (e *Engine) StreamTokens(ctx context.Context, pairs iter.Seq[Tokens], opts ...CallOption) iter.Seq2[float32, error] {
	return scoresOf(e.stream(&methodStreamTokens, ctx, feed(pairs, e.ofTokens), opts))
}

// stream is a call whose pairs, or single texts, come one by one. The engine's lock guards its
// fields.
type stream struct {
	e       *Engine
	call    *call
	ring    []slot // pair i is at index i modulo window
	yielded int    // number of results yielded
	waiting int    // bytes of the texts in ring
	all     bool   // the iterator has ended: no more pairs come
	broken  any    // the value with which the iterator panicked
	exited  bool   // the iterator has called runtime.Goexit

	room  chan struct{} // capacity 1; receives when there may be room for a pair
	ready chan struct{} // capacity 1; receives when there may be a result to yield
}

// stream is the sequence of the results of what feed adds, of single texts or of pairs, as the
// method takes them. It runs feed on its own goroutine, beside the loop that yields. A yielded row
// is the stream's again when the loop asks for the next.
func (e *Engine) stream(m *method, ctx context.Context, feed func(*stream), opts []CallOption) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		counted := false
		defer func() {
			if !counted { // the caller's loop or iterator has panicked
				e.ended(nil)
			}
		}()
		err := e.streamed(m, ctx, feed, opts, yield)
		left := err == errLeft
		if left {
			err = nil
		}
		counted = true
		if err = e.ended(err); err != nil && !left {
			yield(nil, err)
		}
	}
}

// streamed runs a stream to its end, and returns why it ended early, or nil.
func (e *Engine) streamed(m *method, ctx context.Context, feed func(*stream), opts []CallOption, yield func([]float32, error) bool) error {
	c := e.newCall(m, opts)
	err := c.prepare(e, ctx)
	if err == nil && feed == nil {
		err = errors.New("engine: nil iterator")
	}
	if err != nil {
		return err
	}
	var t *trace.Task
	if c.ctx, t = task(ctx, "stream"); t != nil {
		defer t.End()
	}
	s := &stream{e: e, call: c, ring: make([]slot, window), room: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
	c.stream = s
	if err := e.submit(c); err != nil {
		return err
	}
	go s.run(feed)
	return s.serve(yield)
}

// errLeft ends a stream whose caller has left the loop.
var errLeft = errors.New("engine: nobody reads the results")

// serve yields the results and then ends the call, also if the caller's loop panics.
func (s *stream) serve(yield func([]float32, error) bool) (err error) {
	defer func() {
		err = s.e.end(s.call, err)
		wake(s.room) // so that the feeding goroutine sees that the call is over
	}()
	if err := s.yield(yield); err != nil {
		return err
	}
	// If the call has failed, the iterator may still be running and end just now: read
	// under the lock.
	s.e.mu.Lock()
	broken, exited := s.broken, s.exited
	s.e.mu.Unlock()
	switch {
	case broken != nil:
		panic(broken)
	case exited:
		return errExited
	}
	return nil
}

// errExited ends a stream whose iterator has called runtime.Goexit. There may have been
// more pairs.
var errExited = errors.New("engine: the iterator of the pairs has ended its goroutine")

// run runs feed. A panic in it comes from the caller's iterator: it is kept for the loop.
func (s *stream) run(feed func(*stream)) {
	returned := false
	defer func() {
		broken := recover()
		s.e.mu.Lock()
		defer s.e.mu.Unlock()
		s.all, s.broken, s.exited = true, broken, !returned && broken == nil
		wake(s.ready)
	}()
	feed(s)
	returned = true
}

// outcome is the row of results and the error that a stream yields for a pair.
type outcome struct {
	row []float32
	err error
}

// yield yields results until there are no more. It returns why it ended early, or nil.
func (s *stream) yield(yield func([]float32, error) bool) error {
	var some []outcome
	for pair := 0; ; {
		var err error
		if some, err = s.wait(some[:0]); len(some) == 0 {
			return err
		}
		for i := range some {
			one := &some[i]
			one.row = slices.Grow(one.row[:0], s.e.width)[:s.e.width] // longer than it is only if there is an error
			if one.err = s.e.finishRow(one.row, one.err, s.call.raw); one.err != nil {
				one.err = about(s.call.how.single, pair, one.err)
			}
			if !yield(one.row, one.err) {
				return errLeft
			}
			pair++
		}
	}
}

// wait waits for results that can be yielded, and appends them to some. If it returns none,
// the stream is over, with the error.
func (s *stream) wait(some []outcome) ([]outcome, error) {
	c := s.call
	for {
		// Cancellation comes before results: the caller no longer wants them.
		switch {
		case c.ctx.Err() != nil:
			return nil, cancelled{context.Cause(c.ctx)}
		case s.known(&some):
			return some, nil
		}
		select {
		case <-s.ready:
		case <-c.done:
			return nil, nil // the call has the error
		case <-c.gone:
		case <-s.e.closed:
			return nil, ErrClosed
		}
	}
}

// known appends the results that can be yielded, and makes room. It returns false if it has
// to wait for more.
func (s *stream) known(some *[]outcome) bool {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for s.yielded < s.call.count {
		from := s.at(s.yielded)
		if !from.known && from.err == nil {
			break
		}
		// The slot may be filled again before its row is read: swap its memory for that of an
		// outcome that has been.
		n := len(*some)
		*some = slices.Grow(*some, 1)[:n+1]
		one := &(*some)[n]
		one.row, from.row, one.err = from.row, one.row, from.err
		s.yielded++
	}
	if len(*some) > 0 {
		wake(s.room)
		return true
	}
	return s.all && s.yielded == s.call.count
}

// wake signals c, for the goroutine that waits or the next that will. It never blocks.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
