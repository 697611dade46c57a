package main

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

// ahead is how many pairs may wait until the first of them is answered. It is about as many
// as an engine's stream holds, so that the stream always has work. Memory never holds more,
// however long the input is.
const ahead = 1024

// eachLine reads lines on a goroutine of its own. For each line it calls read, which may
// emit any number of items; emit returns false when no more are wanted. The bytes of a line
// are valid only during that call. If err is jsonl.ErrLong, there are none. eachLine yields
// the items in the order of the lines, as soon as they are asked for. The last error, if
// any, is the reader's or ctx's. After ctx is over, the goroutine may still wait for the
// user's input; it ends at the next line.
func eachLine[T any](ctx context.Context, r io.Reader, read func(number int, line []byte, err error, emit func(T) bool)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		lines := make(chan T, ahead)
		var ended error // set when lines is closed
		emit := func(one T) bool {
			select {
			case lines <- one:
			case <-ctx.Done():
			}
			return ctx.Err() == nil
		}
		go func() {
			defer close(lines)
			for l := jsonl.NewReader(r); ended == nil; {
				line, err := l.Next()
				if err != nil && !errors.Is(err, jsonl.ErrLong) {
					ended = err
					return
				}
				read(l.Number(), line, err, emit)
				ended = ctx.Err()
			}
		}()
		for {
			var one T
			err, open := ctx.Err(), true // check for interruption before doing more work
			if err == nil {
				select {
				case one, open = <-lines:
				case <-ctx.Done():
					err = ctx.Err()
				}
			}
			if !open {
				err = ended
			}
			if err == io.EOF || !yield(one, err) || err != nil {
				return
			}
		}
	}
}

// scores is a stream of an engine's scores. One goroutine puts in what is to be scored,
// another takes the scores out, in the same order.
type scores[T any] struct {
	ctx  context.Context
	in   chan T
	next func() (float32, error, bool)
	stop func()
}

// newScores opens a stream with e.Stream or e.StreamTokens.
func newScores[T any](ctx context.Context, stream func(context.Context, iter.Seq[T]) iter.Seq2[float32, error]) *scores[T] {
	ctx, cancel := context.WithCancel(ctx)
	// The engine begins to read when the first score is asked for. That happens after
	// something was put in, for which the channel needs room.
	s := &scores[T]{ctx: ctx, in: make(chan T, 1)}
	next, stop := iter.Pull2(stream(ctx, s.all))
	s.next = next
	s.stop = func() {
		cancel() // first, because the engine may be waiting for input
		stop()
	}
	return s
}

// all yields what was put in, until the stream is closed.
func (s *scores[T]) all(yield func(T) bool) {
	for {
		select {
		case x := <-s.in:
			if !yield(x) {
				return
			}
		case <-s.ctx.Done():
			return
		}
	}
}

// put puts in one more, or nothing if the stream is closed. It waits while the engine has
// enough.
func (s *scores[T]) put(x T) {
	select {
	case s.in <- x:
	case <-s.ctx.Done():
	}
}

// errNoScore is the error of a pair for which the model's result is NaN or infinity.
var errNoScore = errors.New("the model's score is not a number")

// take waits for the next score. There are as many as were put in. If the error is
// errNoScore or engine.ErrTooLong, it is about this one only.
func (s *scores[T]) take() (float32, error) {
	score, err, ok := s.next()
	switch one := (*engine.PairError)(nil); {
	case errors.As(err, &one) && errors.Is(one.Err, engine.ErrTooLong):
		return 0, one.Err
	case errors.As(err, &one):
		return 0, errNoScore
	case ok:
		return score, err
	case s.ctx.Err() != nil:
		return 0, s.ctx.Err()
	}
	return 0, errors.New("the engine has fewer scores than pairs")
}

// close ends the stream. Afterwards, put does nothing.
func (s *scores[T]) close() { s.stop() }
