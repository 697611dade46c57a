package engine

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime/trace"

	"github.com/minilm-metal/minilm-metal/model"
)

// Tokens is a pair as tokens: ids, and for each the number of the text that it belongs
// to, 0 for the query and 1 for the passage.
type Tokens struct{ IDs, Types []int32 }

// Stream scores pairs as they come, and yields their scores in that order, each as soon
// as it and those before it are known. It holds about a thousand pairs at a time, however
// many there are; a pair that comes late keeps no score back.
//
// An error that is a *PairError, as in Score, is of one pair, whose score is NaN, and the
// next pair's follows; any other error is the last that is yielded. Prompts are as in Score. MaxQueue refuses
// streams when they begin, and never later; MaxWait is not for them.
//
// pairs is ranged over by a goroutine of its own. Where the loop over the scores comes to
// their end, pairs has returned before, and what it wrote may be read. After a break or
// an error it may still run: it ends at its next pair, and until then its variables are
// its own and its file is open. What pairs panics with, the loop panics with.
func (e *Engine) Stream(ctx context.Context, pairs iter.Seq[Pair], opts ...CallOption) iter.Seq2[float32, error] {
	return func(yield func(float32, error) bool) {
		e.stream(ctx, pairs != nil, opts, yield, func(s *stream) {
			for p := range pairs {
				if !s.add(func(to *slot) { to.pair = p }) {
					return
				}
			}
		})
	}
}

// StreamTokens is Stream for pairs that are tokens already. They may be changed when
// the next are asked for.
func (e *Engine) StreamTokens(ctx context.Context, pairs iter.Seq[Tokens]) iter.Seq2[float32, error] {
	return func(yield func(float32, error) bool) {
		e.stream(ctx, pairs != nil, nil, yield, func(s *stream) {
			for p := range pairs {
				one := model.Batch{IDs: p.IDs, Types: p.Types, Start: []int32{0, int32(len(p.IDs))}}
				err := one.Validate(&e.info.Config)
				if !s.add(func(to *slot) {
					to.ids, to.types, to.err = append(to.ids[:0], p.IDs...), append(to.types[:0], p.Types...), err
				}) {
					return
				}
			}
		})
	}
}

// window is how many pairs of a stream have come and are not yielded yet, at most: some
// passes of the largest device.
const window = 1024

// stream is a call whose pairs come one by one. Its fields are under the engine's lock.
type stream struct {
	e       *Engine
	call    *call
	ring    []slot // pair i is at i modulo window
	yielded int    // pairs
	all     bool   // no more pairs come
	broken  any    // what the iterator of the pairs panicked with
	exited  bool   // it has ended its goroutine

	room  chan struct{} // of 1: there may be room for a pair
	ready chan struct{} // of 1: there may be a score to yield
}

type slot struct {
	pair       Pair
	ids, types []int32 // the pair, where there are any
	score      float32
	scored     bool
	err        error // of a pair that has no score
}

func (s *stream) at(i int) *slot { return &s.ring[i%window] }

// stream runs feed, which adds the pairs, beside the loop that yields their scores.
func (e *Engine) stream(ctx context.Context, some bool, opts []CallOption, yield func(float32, error) bool, feed func(*stream)) {
	counted := false
	defer func() {
		if !counted { // the reader's loop, or his iterator, has broken off
			e.ended(nil)
		}
	}()
	c, err := e.newCall(ctx)
	if err == nil && !some {
		err = errors.New("engine: nil iterator")
	}
	if err == nil {
		c.prompt, err = e.prompts.of(opts)
	}
	if err == nil {
		var t *trace.Task
		if c.ctx, t = task(ctx, "stream"); t != nil {
			defer t.End()
		}
		s := &stream{e: e, call: c, ring: make([]slot, window), room: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
		c.stream = s
		if err = e.submit(c); err == nil {
			go s.run(feed)
			err = s.serve(yield)
		}
	}
	left := err == errLeft
	if left {
		err = nil
	}
	counted = true
	if err = e.ended(err); err != nil && !left {
		yield(float32(math.NaN()), err)
	}
}

// errLeft is the end of a stream whose reader has left the loop.
var errLeft = errors.New("engine: nobody reads the scores")

// serve yields the scores, and ends the call, also where the reader's loop panics.
func (s *stream) serve(yield func(float32, error) bool) (err error) {
	defer func() {
		err = s.e.end(s.call, err)
		wake(s.room) // whoever waits for it finds that the call is over
	}()
	if err := s.yield(yield); err != nil {
		return err
	}
	// Where the call has failed, the iterator may still run, and end just now.
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

// errExited is the end of a stream whose iterator has called runtime.Goexit: there may
// have been more pairs.
var errExited = errors.New("engine: the iterator of the pairs has ended its goroutine")

// run feeds the stream. A panic is the reader's: it is his iterator.
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

// add waits for room and makes a pair wait for its score. It says whether another one
// can come.
func (s *stream) add(set func(to *slot)) bool {
	for {
		if more, added := s.tryAdd(set); added || !more {
			return more
		}
		select {
		case <-s.room:
		case <-s.call.gone:
			return false
		case <-s.e.closed:
			return false
		}
	}
}

func (s *stream) tryAdd(set func(to *slot)) (more, added bool) {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	c := s.call
	if c.over || c.err != nil || s.e.stopped {
		return false, false
	}
	if c.count-s.yielded == window {
		return true, false
	}
	to := s.at(c.count)
	to.scored, to.err = false, nil
	set(to)
	c.count++
	s.skip()
	if to.err == nil {
		c.left++
		s.e.enqueue(c, 1)
	} else {
		wake(s.ready)
	}
	return true, true
}

// skip makes the next pair that a pass takes one that can have a score.
func (s *stream) skip() {
	for c := s.call; c.next < c.count && s.at(c.next).err != nil; {
		c.next++
	}
}

// take is call.take.
func (s *stream) take(i int, b *model.Batch) (p Pair, text bool) {
	from := s.at(i)
	p, from.pair = from.pair, Pair{} // from now on it is the pass's
	s.skip()
	if len(from.ids) == 0 {
		return p, true
	}
	b.Append(from.ids, from.types)
	return p, false
}

// deliver is call.deliver.
func (s *stream) deliver(lo int, scores []float32) {
	for i, score := range scores {
		to := s.at(lo + i)
		to.score, to.scored, to.err = score, true, s.call.bad[lo+i]
		delete(s.call.bad, lo+i)
	}
	if lo == s.yielded {
		wake(s.ready)
	}
}

// outcome is what a stream yields of a pair.
type outcome struct {
	score float32
	err   error
}

// yield yields scores until there are no more, and returns why not all of them.
func (s *stream) yield(yield func(float32, error) bool) error {
	var some []outcome
	for pair := 0; ; {
		var err error
		if some, err = s.wait(some[:0]); len(some) == 0 {
			return err
		}
		for _, one := range some {
			if one.err == nil {
				one.score, one.err = s.e.scoreOf(one.score)
			} else {
				one.score = float32(math.NaN())
			}
			if one.err != nil {
				one.err = &PairError{pair, one.err}
			}
			if !yield(one.score, one.err) {
				return errLeft
			}
			pair++
		}
	}
}

// wait waits for scores that can be yielded, and appends them. Without any it is the end,
// and the error says of what.
func (s *stream) wait(some []outcome) ([]outcome, error) {
	c := s.call
	for {
		// Being cancelled comes before scores: who has cancelled wants none.
		switch {
		case c.ctx.Err() != nil:
			return nil, cancelled{context.Cause(c.ctx)}
		case s.known(&some):
			return some, nil
		}
		select {
		case <-s.ready:
		case <-c.done:
			return nil, nil // with an error, which the call has
		case <-c.gone:
		case <-s.e.closed:
			return nil, ErrClosed
		}
	}
}

// known appends the scores that can be yielded, and makes room. It says whether there
// are any, or no more to come.
func (s *stream) known(some *[]outcome) bool {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for s.yielded < s.call.count {
		from := s.at(s.yielded)
		if !from.scored && from.err == nil {
			break
		}
		*some = append(*some, outcome{from.score, from.err})
		s.yielded++
	}
	if len(*some) > 0 {
		wake(s.room)
		return true
	}
	return s.all && s.yielded == s.call.count
}

// wake tells whoever waits at c, now or next.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
