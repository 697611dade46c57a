package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
)

// openMetal opens the machine's GPU, by request.
func (e *Engine) openMetal() error {
	if p := e.options.precision; p != "auto" && p != "f16" {
		return fmt.Errorf("%w: precision %q on metal, which has f16 alone", ErrDevice, p)
	}
	if isa := e.options.isa; isa != "auto" {
		return fmt.Errorf("%w: instruction set %q on metal, which has none", ErrDevice, isa)
	}
	d, err := metal.Open(e.weights, metal.Opening{Requested: true, Forget: e.forgets()})
	if err != nil {
		return because(ErrDevice, err)
	}
	e.useMetal(d)
	return nil
}

// forgets says that nothing is to be kept of what is measured.
func (e *Engine) forgets() bool { return e.options.calibration != nil && *e.options.calibration == "" }

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
	if isa := e.options.isa; isa != "auto" {
		return fmt.Sprintf("cpu: instruction set %s was asked for", isa), nil
	}
	d, err := metal.Open(e.weights, metal.Opening{Forget: e.forgets()})
	if err != nil {
		return fmt.Sprintf("cpu: %v", err), nil
	}
	if precision == "f16" {
		e.useMetal(d)
		return "metal: there is a GPU, and f16 was asked for", nil
	}
	found, from, err := e.judgeMetal(d)
	if err == nil {
		of, allowed := found.Candidates[0].Deviation, bounds(found.Candidates[0].Precision)
		if of.within(allowed) {
			e.useMetal(d)
			e.info.Precision = found.Candidates[0].Precision
			e.use(found, from)
			return fmt.Sprintf("metal: there is a GPU, %v, where %s", of, allowed), nil
		}
		err = fmt.Errorf("%v, where %s", of, allowed)
	}
	return fmt.Sprintf("cpu: not the GPU: %v", err), d.Close()
}

// judgeMetal holds the GPU to the processor's float32, unless an engine before did,
// which kept the verdict in the file from.
func (e *Engine) judgeMetal(d *metal.Device) (found calibration, from string, err error) {
	const precision = "f16"
	k := e.keeper(fmt.Sprintf("metal, %s, %s", d.GPUName(), d.System()))
	found, known := k.find(e, func(all []Candidate) bool {
		return len(all) == 1 && all[0].Precision == precision && all[0].Deviation != nil
	})
	if known {
		return found, k.path, nil
	}
	isa, _, err := firstUsable(kernels.Available(), usable)
	if err != nil {
		return found, "", err
	}
	plain, err := e.openFormat(isa, exact)
	if err != nil {
		return found, "", err
	}
	of, err := e.newGate(plain).judge(d, bounds(precision))
	if err := errors.Join(err, plain.Close()); err != nil {
		return found, "", err
	}
	found = calibration{time.Now(), []Candidate{{Precision: precision, Deviation: of}}}
	k.keep(e, found)
	return found, "", nil
}

// GPUName returns the name of the GPU that the engine computes on; "" is none. It is known
// of a closed engine too.
func (e *Engine) GPUName() string {
	if d, ok := e.device.(model.GPU); ok {
		return d.GPUName()
	}
	return ""
}

// GPUMemoryBytes returns what the process has allocated on the GPU, if there is one
// and the engine is not closed.
func (e *Engine) GPUMemoryBytes() (bytes uint64, known bool) {
	d, ok := e.device.(model.GPU)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave()
	return d.GPUMemoryBytes()
}

// GPUBusy returns how long the GPU has computed for this engine since that was opened, by
// the GPU's own clock, if there is one and the engine is not closed.
func (e *Engine) GPUBusy() (busy time.Duration, known bool) {
	d, ok := e.device.(model.GPU)
	if !ok || e.enter() != nil {
		return 0, false
	}
	defer e.leave()
	return d.GPUBusy()
}
