//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// mostOpen is the number of command buffers that may be encoded at a time. A
// queue has 64, and blocks who asks for more.
const mostOpen = 32

// Driver is a Metal device with a compiled source.
type Driver struct {
	messages
	info     gpu.Info
	device   mtlDevice
	queue    mtlQueue
	library  mtlLibrary
	counters objc.Object // the set of timestamps, or nil
	unusable atomic.Bool // the counters have given stamps that cannot be

	open    chan struct{} // holds one value for each command buffer in use
	commits sync.Mutex    // held by who commits

	mu        sync.Mutex // guards what follows
	closed    bool
	buffers   map[*buffer]struct{}
	pipelines map[*pipeline]struct{}
}

var _ gpu.Driver = (*Driver)(nil)

var errClosed = errors.New("metal: the driver is closed")

// Info returns what the device was when it was opened, and whether its counters
// are in use.
func (d *Driver) Info() gpu.Info {
	info := d.info
	info.Counters = info.Counters && !d.unusable.Load()
	return info
}

// Messages returns the number of messages sent to Metal so far.
func (d *Driver) Messages() int64 { return d.sent.Load() }

// Allocated returns the bytes that the process has allocated on the GPU, or 0
// of a closed driver.
func (d *Driver) Allocated() (bytes uint64) {
	if d.isClosed() {
		return 0
	}
	_ = inPool(func() error {
		bytes = d.allocated(d.device)
		return nil
	})
	return bytes
}

// Close releases everything. A second Close does nothing.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return inPool(func() error {
		for b := range d.buffers {
			b.free()
		}
		for p := range d.pipelines {
			p.free()
		}
		clear(d.buffers)
		clear(d.pipelines)
		for _, o := range []objc.Object{d.library.Object, d.counters, d.queue.Object, d.device.Object} {
			if !o.IsNil() {
				o.Release()
			}
		}
		return nil
	})
}

func (d *Driver) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}
