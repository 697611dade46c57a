//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// bindings is the number of buffer indices that a kernel of Metal has.
const bindings = 31

// check returns what is wrong with a work list. Metal would end the process.
func (d *Driver) check(work []gpu.Dispatch) error {
	if d.isClosed() {
		return errClosed
	}
	for i := range work {
		if err := d.checkDispatch(&work[i]); err != nil {
			return fmt.Errorf("metal: dispatch %d, %q: %w", i, work[i].Name, err)
		}
	}
	return nil
}

func (d *Driver) checkDispatch(w *gpu.Dispatch) error {
	p, ok := w.Pipeline.(*pipeline)
	switch {
	case !ok || p == nil:
		return fmt.Errorf("a pipeline of type %T", w.Pipeline)
	case p.driver != d:
		return fmt.Errorf("pipeline %s is of another driver", p.name)
	case p.released.Load():
		return fmt.Errorf("pipeline %s is released", p.name)
	case w.Groups[0] < 1 || w.Groups[1] < 1:
		return fmt.Errorf("a grid of %d×%d threadgroups", w.Groups[0], w.Groups[1])
	case len(w.Bindings) > bindings:
		return fmt.Errorf("%d buffers, a kernel has at most %d", len(w.Bindings), bindings)
	}
	for i, at := range w.Bindings {
		if at.Buffer == nil {
			continue
		}
		b, ok := at.Buffer.(*buffer)
		switch {
		case !ok || b == nil:
			return fmt.Errorf("buffer(%d) of type %T", i, at.Buffer)
		case b.driver != d:
			return fmt.Errorf("buffer(%d): %q is of another driver", i, b.label)
		case b.released.Load():
			return fmt.Errorf("buffer(%d): %q is released", i, b.label)
		case at.Offset < 0 || at.Offset >= len(b.bytes):
			return fmt.Errorf("buffer(%d): offset %d of the %d bytes of %q", i, at.Offset, len(b.bytes), b.label)
		case at.Offset%4 != 0:
			return fmt.Errorf("buffer(%d): offset %d into %q is not a multiple of 4", i, at.Offset, b.label)
		}
	}
	return nil
}
