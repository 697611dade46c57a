package engine

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
)

// openMetal opens the GPU that was asked for by name.
func (e *Engine) openMetal() error {
	if p := e.options.precision; p != "auto" && p != "f16" {
		return fmt.Errorf("%w: precision %q on metal, which has f16 alone", ErrDevice, p)
	}
	if isa := e.options.isa; isa != "auto" {
		return fmt.Errorf("%w: instruction set %q on metal, which has none", ErrDevice, isa)
	}
	isa, _, err := firstUsable(kernels.Available(), usable)
	if err != nil {
		return err
	}
	d, err := metal.Open(e.weights, metal.Opening{Requested: true, Forget: e.forgets()})
	if err != nil {
		return because(ErrDevice, err)
	}
	e.useHead(isa)
	e.useMetal(d)
	return nil
}

// forgets reports whether measurements must not be written to any file.
func (e *Engine) forgets() bool { return e.options.calibration != nil && *e.options.calibration == "" }

func (e *Engine) useMetal(d *metal.Device) {
	e.device = d
	for _, why := range d.Choices() {
		e.choose("%s", why)
	}
}

// tryMetal, for the device "auto", opens the GPU if there is one and it can do what was
// asked for, and says why or why not. Unless half precision was asked for, it first
// compares the GPU's results with the processor's, because no GPU is known to be right until
// it has computed.
func (e *Engine) tryMetal() (why string, err error) {
	precision := e.options.precision
	if precision != "auto" && precision != "f16" {
		if runtime.GOOS != "darwin" { // where nobody thinks of a GPU of Apple's
			return "cpu: the one device here that can be chosen", nil
		}
		return fmt.Sprintf("cpu: %s was asked for, and a GPU computes in f16 alone", precision), nil
	}
	if isa := e.options.isa; isa != "auto" {
		return fmt.Sprintf("cpu: instruction set %s was asked for", isa), nil
	}
	isa, _, err := firstUsable(kernels.Available(), usable)
	if err != nil {
		return "", err
	}
	d, err := metal.Open(e.weights, metal.Opening{Forget: e.forgets()})
	if err != nil {
		return fmt.Sprintf("cpu: %v", err), nil
	}
	e.useHead(isa)
	if precision == "f16" {
		e.useMetal(d)
		return "metal: there is a GPU, and f16 was asked for", nil
	}
	found, from, err := e.judgeMetal(d, isa)
	if err == nil {
		of, precision := found.Candidates[0].Deviation, found.Candidates[0].Precision
		allowed := bounds(of.Of, precision)
		if of.within(precision) {
			e.useMetal(d)
			e.info.Precision = precision
			e.use(found, from)
			return fmt.Sprintf("metal: there is a GPU, %v, where %s", of, allowed), nil
		}
		err = fmt.Errorf("%v, where %s", of, allowed)
	}
	return fmt.Sprintf("cpu: not the GPU: %v", err), d.Close()
}

// judgeMetal compares the GPU's results with the processor's float32. If an earlier engine
// did so and its verdict is in the calibration file, it returns that verdict and the file's
// name instead.
func (e *Engine) judgeMetal(d *metal.Device, isa kernels.ISA) (found calibration, from string, err error) {
	const precision = "f16"
	k := e.keeper(fmt.Sprintf("metal, %s, %s", d.GPUName(), d.System()))
	found, known := k.find(e, func(all []Candidate) bool {
		return len(all) == 1 && all[0].Precision == precision && all[0].Deviation != nil && all[0].Deviation.Of == e.of()
	})
	if known {
		return found, k.path, nil
	}
	plain, err := e.openFormat(isa, exact)
	if err != nil {
		return found, "", err
	}
	of, err := e.newGate(plain).judge(d, precision)
	if err := errors.Join(err, plain.Close()); err != nil {
		return found, "", err
	}
	found = calibration{time.Now(), []Candidate{{Precision: precision, Deviation: of}}}
	k.keep(e, found)
	return found, "", nil
}

// GPUName returns the name of the engine's GPU, also after Close; "" if the engine does not
// use a GPU.
func (e *Engine) GPUName() string {
	if d, ok := e.device.(model.GPU); ok {
		return d.GPUName()
	}
	return ""
}

// GPUMemoryBytes returns how much memory the process has allocated on the GPU. known is
// false without a GPU and on a closed engine.
func (e *Engine) GPUMemoryBytes() (bytes uint64, known bool) {
	d, ok := e.device.(model.GPU)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave()
	return d.GPUMemoryBytes()
}

// GPUBusy returns how long the GPU has computed for this engine since it was opened, by the
// GPU's clock. known is false without a GPU and on a closed engine.
func (e *Engine) GPUBusy() (busy time.Duration, known bool) {
	d, ok := e.device.(model.GPU)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave()
	return d.GPUBusy()
}
