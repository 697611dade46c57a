package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync/atomic"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

// ahead is how many pairs may wait until the first of them is answered. It is about as many
// as an engine's stream holds, so that the stream always has work. Memory never holds more,
// however long the input is.
const ahead = 1024

// aheadBytes is how many bytes of lines may wait before no more are read: long lines wait in
// smaller numbers.
const aheadBytes = 16 << 20

// waiting is an item and, if it is the first of its line, the bytes of that line.
type waiting[T any] struct {
	item  T
	bytes int64
}

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
		lines := make(chan waiting[T], ahead)
		var ended error // set when lines is closed
		var bytes int64 // of the line being read, until its first item has them
		var held atomic.Int64
		room := make(chan struct{}, 1) // receives when held may be less than aheadBytes
		emit := func(one T) bool {
			for held.Load() >= aheadBytes && ctx.Err() == nil {
				select {
				case <-room:
				case <-ctx.Done():
				}
			}
			held.Add(bytes)
			select {
			case lines <- waiting[T]{one, bytes}:
			case <-ctx.Done():
			}
			bytes = 0
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
				bytes = int64(len(line))
				read(l.Number(), line, err, emit)
				ended = ctx.Err()
			}
		}()
		for {
			var one waiting[T]
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
			if one.bytes > 0 && held.Add(-one.bytes) < aheadBytes {
				select {
				case room <- struct{}{}:
				default:
				}
			}
			if err == io.EOF || !yield(one.item, err) || err != nil {
				return
			}
		}
	}
}

// flow is a stream of an engine's results R, each of a T. One goroutine puts in what is to be
// scored or embedded, another takes the results out, in the same order.
type flow[T, R any] struct {
	ctx  context.Context
	in   chan T
	next func() (R, error, bool)
	stop func()
}

// newFlow opens a stream with one of an engine's methods, such as Stream.
func newFlow[T, R any](ctx context.Context, stream func(context.Context, iter.Seq[T]) iter.Seq2[R, error]) *flow[T, R] {
	ctx, cancel := context.WithCancel(ctx)
	// The engine begins to read when the first result is asked for. That happens after
	// something was put in, for which the channel needs room.
	s := &flow[T, R]{ctx: ctx, in: make(chan T, 1)}
	next, stop := iter.Pull2(stream(ctx, s.all))
	s.next = next
	s.stop = func() {
		cancel() // first, because the engine may be waiting for input
		stop()
	}
	return s
}

// all yields what was put in, until the stream is closed.
func (s *flow[T, R]) all(yield func(T) bool) {
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
func (s *flow[T, R]) put(x T) {
	select {
	case s.in <- x:
	case <-s.ctx.Done():
	}
}

// take waits for the next result. There are as many as were put in. A lineError is about this
// one only.
func (s *flow[T, R]) take() (result R, err error) {
	result, err, ok := s.next()
	switch {
	case ok:
		return result, aboutOne(err)
	case s.ctx.Err() != nil:
		return result, s.ctx.Err()
	}
	return result, errors.New("the engine has fewer results than were asked for")
}

// close ends the stream. Afterwards, put does nothing.
func (s *flow[T, R]) close() { s.stop() }

// lineError is an error of one line, or of one pair in it; the next ones may be good.
type lineError struct{ error }

func (e lineError) Unwrap() error { return e.error }

// errNotNumber is the error of a pair or text for which the model's result has a NaN or an
// infinity.
var errNotNumber = errors.New("the model's result is not a number")

// aboutOne makes an error about one pair or text, whose index is in the stream, one without it.
func aboutOne(err error) error {
	var cause error
	if pair, ok := errors.AsType[*engine.PairError](err); ok {
		cause = pair.Err
	} else if text, ok := errors.AsType[*engine.TextError](err); ok {
		cause = text.Err
	}
	switch {
	case cause == nil:
		return err
	case errors.Is(cause, engine.ErrTooLong):
		return lineError{cause}
	}
	return lineError{errNotNumber}
}

// isLine reports whether an error is of one line.
func isLine(err error) bool { return errors.As(err, &lineError{}) }
