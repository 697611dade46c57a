package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/metal"
)

// openMetal opens the machine's GPU, by request.
func (e *Engine) openMetal() error {
	if p := e.options.precision; p != "auto" && p != "f16" {
		return fmt.Errorf("%w: precision %q on metal, which has f16 alone", ErrDevice, p)
	}
	d, err := metal.Open(e.weights)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDevice, err)
	}
	e.useMetal(d)
	return nil
}

func (e *Engine) useMetal(d *metal.Device) {
	e.device = d
	for _, why := range d.Choices() {
		e.choose("%s", why)
	}
}

// tryMetal opens the GPU if it is to be had and does what was asked for, and says why
// or why not. Nobody has seen every GPU compute: unless half precision was asked for,
// it is held to the processor first.
func (e *Engine) tryMetal() (why string, err error) {
	precision := e.options.precision
	if precision != "auto" && precision != "f16" {
		return fmt.Sprintf("cpu: metal has f16 alone, not %s", precision), nil
	}
	d, err := metal.Open(e.weights)
	if err != nil {
		return fmt.Sprintf("cpu: %v", err), nil
	}
	if precision == "f16" {
		e.useMetal(d)
		return "metal: there is a GPU, and f16 was asked for", nil
	}
	plain, err := cpu.Open(e.weights, e.options.workers, kernels.Variant{ISA: kernels.Best(), Format: kernels.F32})
	if err != nil {
		return "", errors.Join(fmt.Errorf("%w: %w", ErrDevice, err), d.Close())
	}
	off, err := e.deviation(d, plain)
	err = errors.Join(err, plain.Close())
	if err == nil && off <= mostDeviation {
		e.useMetal(d)
		return fmt.Sprintf("metal: there is a GPU, off by %.3f of the scores' deviation, %.3f is allowed", off, mostDeviation), nil
	}
	if err == nil {
		err = fmt.Errorf("off by %.3f of the scores' deviation, where %.3f is allowed", off, mostDeviation)
	}
	return fmt.Sprintf("cpu: not the GPU: %v", err), d.Close()
}

// gpu is what a device offers that is one.
type gpu interface {
	GPUName() string
	GPUMemoryBytes() (uint64, bool)
	GPUBusy() (time.Duration, bool)
}

// GPUName returns the name of the GPU that the engine computes on; "" is none.
func (e *Engine) GPUName() string {
	if d, ok := e.device.(gpu); ok {
		return d.GPUName()
	}
	return ""
}

// GPUMemoryBytes returns what the process has allocated on the GPU, if there is one
// and the engine is not closed.
func (e *Engine) GPUMemoryBytes() (bytes uint64, known bool) {
	d, ok := e.device.(gpu)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave(nil)
	return d.GPUMemoryBytes()
}

// GPUBusy returns how long the GPU has computed for this engine, by its own clock, if
// there is one and the engine is not closed.
func (e *Engine) GPUBusy() (busy time.Duration, known bool) {
	d, ok := e.device.(gpu)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave(nil)
	return d.GPUBusy()
}
