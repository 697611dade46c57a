package main

import (
	"context"
	"errors"
	"io"
)

// A chunk is full at either of these. 256 average pairs are about a second's
// work for two cores: little to lose to an interruption, much more than a batch.
const (
	chunkLines = 256
	chunkBytes = 1 << 20
)

// feed reads pairs, one a line, ahead of their use. Memory holds about two
// chunks, however long the input is.
//
// The reading goroutine puts each line into the chunk that waits in the box,
// and the consumer takes whatever is there: a fast file gives full chunks, and
// a program that writes a line and waits for its score gets it.
type feed struct {
	box chan chunk // of 1
	err error      // the reader's, once box is closed
}

type chunk struct {
	inputs []input
	bytes  int
}

func (c *chunk) full() bool { return len(c.inputs) >= chunkLines || c.bytes >= chunkBytes }

// startFeed begins to read r. It stops when ctx ends, or at r's next line then.
func startFeed(ctx context.Context, r io.Reader) *feed {
	f := &feed{box: make(chan chunk, 1)}
	go func() {
		defer close(f.box)
		f.err = f.read(ctx, newLineReader(r))
	}()
	return f
}

func (f *feed) read(ctx context.Context, lines *lineReader) error {
	for {
		line, err := lines.next()
		if err != nil && !errors.Is(err, errLongLine) {
			return err
		}
		in := input{line: lines.number}
		if err == nil {
			err = in.parsePair(line)
		}
		if err != nil {
			in.fail(err)
		}
		if err := f.put(ctx, in); err != nil {
			return err
		}
	}
}

// put adds in to the chunk in the box, or waits until there is room for one.
// Nobody else puts, so the box is empty after a chunk was taken out of it.
func (f *feed) put(ctx context.Context, in input) error {
	var c chunk
	select {
	case c = <-f.box:
	default:
	}
	if c.full() {
		f.box <- c
		c = chunk{}
	}
	c.inputs = append(c.inputs, in)
	c.bytes += in.bytes()
	select {
	case f.box <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next returns the lines that have arrived, at least one, in order. The error
// is io.EOF at the end.
func (f *feed) next(ctx context.Context) ([]input, error) {
	// Being interrupted comes before more work.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c, ok := <-f.box:
		if !ok {
			return nil, f.err
		}
		return c.inputs, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
