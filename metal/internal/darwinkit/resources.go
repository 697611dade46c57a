//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// buffer is memory of a driver.
type buffer struct {
	driver   *Driver
	label    string
	object   mtlBuffer
	bytes    []byte
	released atomic.Bool
}

// NewBuffer allocates shared memory. The label is Metal's too, for its tools and
// its validation layer.
func (d *Driver) NewBuffer(label string, bytes int) (gpu.Buffer, error) {
	if bytes < 1 {
		return nil, fmt.Errorf("metal: buffer %q of %d bytes", label, bytes)
	}
	if uint64(bytes) > d.info.LargestBuffer {
		return nil, fmt.Errorf("%w: buffer %q of %d bytes, the largest has %d", gpu.ErrOutOfMemory, label, bytes, d.info.LargestBuffer)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	b := &buffer{driver: d, label: label}
	err := inPool(func() error {
		if b.object = d.newBuffer(d.device, bytes); b.object.IsNil() {
			return fmt.Errorf("%w: buffer %q of %d bytes", gpu.ErrOutOfMemory, label, bytes)
		}
		memory := d.contents(b.object)
		if memory == nil {
			b.object.Release()
			return fmt.Errorf("metal: buffer %q of %d bytes has no memory that the CPU sees", label, bytes)
		}
		b.bytes = unsafe.Slice((*byte)(memory), bytes)
		if label != "" {
			d.setLabel(b.object, label)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.buffers[b] = struct{}{}
	return b, nil
}

func (b *buffer) Bytes() []byte { return b.bytes }

// Release does nothing where the buffer is released already, as after Close.
func (b *buffer) Release() {
	d := b.driver
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.buffers[b]; ok {
		delete(d.buffers, b)
		_ = inPool(func() error { b.free(); return nil })
	}
}

// free releases the object; the driver's mutex is held.
func (b *buffer) free() {
	b.released.Store(true)
	b.bytes = nil
	b.object.Release()
}

// pipeline is a kernel of a driver.
type pipeline struct {
	driver   *Driver
	name     string
	threads  int
	limits   gpu.Limits
	object   mtlPipeline
	released atomic.Bool
}

// NewPipeline specialises a function and compiles it for the device.
func (d *Driver) NewPipeline(f gpu.Function) (gpu.Pipeline, error) {
	if f.Threads < 1 {
		return nil, fmt.Errorf("metal: kernel %s: %d threads a threadgroup", f.Name, f.Threads)
	}
	if d.isClosed() {
		return nil, errClosed
	}
	p := &pipeline{driver: d, name: f.Name, threads: f.Threads}
	err := inPool(func() (err error) { p.object, p.limits, err = d.specialise(f); return err })
	if err != nil {
		return nil, fmt.Errorf("metal: kernel %s: %w", f.Name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = inPool(func() error { p.free(); return nil })
		return nil, errClosed
	}
	d.pipelines[p] = struct{}{}
	return p, nil
}

// specialise returns a function's pipeline, and what the device says of it.
func (d *Driver) specialise(f gpu.Function) (p mtlPipeline, l gpu.Limits, err error) {
	values, err := d.create("MTLFunctionConstantValues")
	if err != nil {
		return p, l, err
	}
	defer values.Release()
	constants := mtlConstants{Object: values}
	for _, c := range f.Constants {
		switch v := c.Value.(type) {
		case uint32:
			d.setUint(constants, v, c.Index)
		case float32:
			d.setFloat(constants, v, c.Index)
		case bool:
			d.setBool(constants, v, c.Index)
		default:
			return p, l, fmt.Errorf("function constant %d is a %T, want a uint32, a float32 or a bool", c.Index, c.Value)
		}
	}
	function, err := d.newFunction(d.library, f.Name, constants)
	if err != nil {
		return p, l, err
	}
	defer function.Release()
	if p, err = d.newPipeline(d.device, function); err != nil {
		return p, l, err
	}
	l = gpu.Limits{MostThreads: d.maxThreads(p), ExecutionWidth: d.executionWidth(p), ThreadgroupMemory: d.staticMemory(p)}
	// The shaders are written for simdgroups of 32.
	if f.Threads > l.MostThreads || l.ExecutionWidth != 32 {
		p.Release()
		return mtlPipeline{}, l, fmt.Errorf("at most %d threads a threadgroup in simdgroups of %d, want %d in simdgroups of 32", l.MostThreads, l.ExecutionWidth, f.Threads)
	}
	return p, l, nil
}

// Limits are what the device says of the pipeline.
func (p *pipeline) Limits() gpu.Limits { return p.limits }

// Release does nothing where the pipeline is released already, as after Close.
func (p *pipeline) Release() {
	d := p.driver
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.pipelines[p]; ok {
		delete(d.pipelines, p)
		_ = inPool(func() error { p.free(); return nil })
	}
}

// free releases the object; the driver's mutex is held.
func (p *pipeline) free() {
	p.released.Store(true)
	p.object.Release()
}
