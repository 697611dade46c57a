//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"errors"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// Run encodes the work into one command buffer with one serial encoder.
func (d *Driver) Run(work []gpu.Dispatch) (t gpu.Times, err error) {
	if err := d.check(work); err != nil || len(work) == 0 {
		return gpu.Times{}, err
	}
	d.open <- struct{}{}
	defer func() { <-d.open }()
	err = inPool(func() error {
		c, err := d.newCommandBuffer()
		if err != nil {
			return err
		}
		if err := d.encode(c, d.computeEncoder(c), work); err != nil {
			return err
		}
		committed := clock()
		d.commitNext(c)
		t, err = d.finish(c, committed)
		return err
	})
	return t, err
}

func (d *Driver) newCommandBuffer() (mtlCommandBuffer, error) {
	c := d.commandBuffer(d.queue)
	if c.IsNil() {
		return c, errors.New("metal: the queue gives no command buffer")
	}
	return c, nil
}

// commitNext commits one command buffer at a time, so that they run in that
// order. Metal's commit returns at once.
func (d *Driver) commitNext(c mtlCommandBuffer) {
	d.commits.Lock()
	defer d.commits.Unlock()
	d.commit(c)
}

// finish waits for a command buffer and returns what it took, or why it failed.
func (d *Driver) finish(c mtlCommandBuffer, committed time.Duration) (gpu.Times, error) {
	d.wait(c)
	returned := clock()
	if s := d.status(c); s != statusCompleted {
		code, text := 0, "no reason given"
		if e := d.failure(c); !e.IsNil() {
			code, text = d.code(e), d.description(e)
		}
		return gpu.Times{}, fault(code, text)
	}
	start, end := d.gpuTimes(c)
	return times(committed, start, end, returned), nil
}

// encode sends the work to an encoder and ends it.
func (d *Driver) encode(c mtlCommandBuffer, e mtlEncoder, work []gpu.Dispatch) error {
	if e.IsNil() {
		return errors.New("metal: a command buffer gives no encoder")
	}
	// Whatever panics: an encoder that is released without its end ends the process.
	defer d.endEncoding(e)
	s := encoding{messages: &d.messages, encoder: e}
	for i := range work {
		s.dispatch(&work[i])
	}
	return nil
}

// encoding is what an encoder has been told so far. It is told no more than what
// changes, since a message costs more than the dispatch of a small kernel.
type encoding struct {
	*messages
	encoder  mtlEncoder
	pipeline *pipeline
	bound    [bindings]struct {
		buffer *buffer
		offset int
	}
}

// dispatch encodes one dispatch, which has been checked.
func (s *encoding) dispatch(w *gpu.Dispatch) {
	p := w.Pipeline.(*pipeline)
	if s.pipeline != p {
		s.setPipeline(s.encoder, p.object)
		s.pipeline = p
	}
	for i, at := range w.Bindings {
		if at.Buffer == nil {
			continue
		}
		b, bound := at.Buffer.(*buffer), &s.bound[i]
		switch {
		case bound.buffer != b:
			s.setBuffer(s.encoder, b.object, at.Offset, i)
		case bound.offset != at.Offset:
			s.setBufferOffset(s.encoder, at.Offset, i)
		default:
			continue
		}
		bound.buffer, bound.offset = b, at.Offset
	}
	s.messages.dispatch(s.encoder, w.Groups, p.threads)
}
