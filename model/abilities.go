package model

import (
	"errors"
	"time"
)

// Errors of devices, for errors.Is.
var (
	// ErrBusy is in the error of Begin if all of the device's passes are under way.
	ErrBusy = errors.New("model: as many passes are under way as the device runs at once")
	// ErrHardware is in every error of hardware that failed: it has too little memory, is
	// gone, or stopped a faulty kernel. Neither the batch nor the weights are the reason.
	ErrHardware = errors.New("model: the device failed")
)

// The interfaces below are abilities that a Device or a Pass may have in addition to those
// that it must have. A caller asks for one by a type assertion, and does without it if it
// is missing.

// PassSizer is a Device that says how many tokens a pass should have.
type PassSizer interface {
	// PassTokens returns how many tokens are worth a pass of their own, and how many a pass
	// should have at most. A sequence that is longer gets a pass to itself.
	PassTokens() (fewest, most int)
}

// Detacher is a Device that does not need the weights it was opened with, or can make
// itself independent of them.
type Detacher interface {
	// Detach makes the device copy everything that it still reads in w, the weights that it
	// was opened with. It returns true if the weights' file may then change or disappear.
	// No pass may be under way.
	Detach(w *Weights) bool
}

// Interrupter is a Device that can run an urgent pass before those under way.
type Interrupter interface {
	// BeginUrgent starts an urgent pass. Until it ends, all passes of Begin that have an
	// OnPause pause at their next opportunity, and their workers help the urgent pass. Up
	// to Passes() urgent passes may be under way beside as many normal ones; for one more,
	// the error wraps ErrBusy. BeginUrgent does not wait for normal passes, and may be
	// called during a pause. Always end an urgent pass soon, because others wait for it.
	BeginUrgent(b *Batch) (Pass, error)
}

// Pauser is a Pass that can pause inside a block.
type Pauser interface {
	// OnPause sets a function that is called, until the pass ends, wherever the pass can
	// pause: after each piece of work of at most a few milliseconds, and repeatedly during
	// a pause. f is called by the goroutine that runs the blocks; it should return at once
	// if it has nothing to do. f may begin and run an urgent pass without disturbing this
	// one. A panic in f is a panic of the pass. With a nil f, the default, the pass never
	// pauses. Urgent passes do not pause.
	OnPause(f func())
}

// KernelTimer is a Device that can time its kernels. It costs nothing while it is not used.
type KernelTimer interface {
	// TimeKernels starts to time every pass that begins from now on. Call stop once: it
	// waits for the passes under way and returns the sums, a KernelTime for each kernel
	// that ran, in the order of the forward pass. Only one timing may run at a time.
	TimeKernels() (stop func() []KernelTime)
}

// PeakMeter is a Device that can measure its peak rate.
type PeakMeter interface {
	// PeakFLOPS measures the floating-point operations a second of all passes together when
	// they read and write no memory.
	PeakFLOPS() float64
}

// GPU is a Device that is a graphics processor.
type GPU interface {
	GPUName() string
	// GPUMemoryBytes returns how much memory the process has allocated on the GPU.
	GPUMemoryBytes() (bytes uint64, known bool)
	// GPUBusy returns how long the GPU has computed since the device was opened, by the
	// GPU's clock.
	GPUBusy() (busy time.Duration, known bool)
}

// TimedPass is a Pass that knows its PassTime after Pool.
type TimedPass interface{ PassTime() PassTime }

// PassTime is the time that a pass took on hardware with a clock of its own.
type PassTime struct {
	Wait time.Duration // waiting in the hardware's queue
	Busy time.Duration // computing
}
