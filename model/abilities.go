package model

import (
	"errors"
	"time"
)

// Errors of devices, for errors.Is.
var (
	// ErrBusy is in the error of a pass too many.
	ErrBusy = errors.New("model: as many passes are under way as the device runs at once")
	// ErrHardware is in every error of hardware that failed: out of memory, gone, or at
	// fault in a kernel. It is neither the batch's fault nor the weights'.
	ErrHardware = errors.New("model: the device failed")
)

// What follows are abilities that a Device, or a Pass, may have beyond what each must.
// Who wants one asks by a type assertion, and does without where it is missing.

// PassSizer is a Device that says how many tokens suit a pass.
type PassSizer interface {
	// PassTokens returns how many are worth a pass of their own, and how many one
	// should have at most. A longer sequence has a pass to itself.
	PassTokens() (fewest, most int)
}

// Detacher is a Device that needs none of the weights it was opened with, or can come to
// need none.
type Detacher interface {
	// Detach has the device copy what it reads in place of w, which it was opened with,
	// where that is a file's memory. It reports whether the file may change or go from
	// then on. No pass may be under way.
	Detach(w *Weights) bool
}

// Interrupter is a Device on which a pass that is urgent goes before those under way.
type Interrupter interface {
	// BeginUrgent starts a pass for which those of Begin that are Pausers with an
	// OnPause stand still, each where it next can, until it has ended; their workers help
	// it meanwhile. It may be called in a pause, and Passes() of them may be under way
	// beside as many of Begin's: for one more the error wraps ErrBusy. It waits for no
	// pass of Begin's. Who has begun one ends it soon, whatever happens: others stand
	// still.
	BeginUrgent(b *Batch) (Pass, error)
}

// Pauser is a Pass that can stand still within a block.
type Pauser interface {
	// OnPause has f called from now on until the pass ends, by the goroutine that runs
	// the blocks, wherever the pass can stand still: after each piece of work of a few
	// milliseconds at most, and again and again while it does stand still, so that f
	// should know at once that it has nothing to do. An urgent pass begun and run by f
	// does not disturb the pass; a panic of f's is the pass's. A nil f, as before the
	// first call, is no pause: the pass stands still for nobody. Urgent passes have no
	// pauses.
	OnPause(f func())
}

// KernelTimer is a Device that can time its kernels. One that is not asked to pays
// nothing for it.
type KernelTimer interface {
	// TimeKernels begins to time every pass that begins from then on. The
	// function that it returns ends that, waits for the passes under way, and
	// returns the sums: the kernels that ran, in the order of the forward pass.
	// It is called once. One timing at a time may be under way.
	TimeKernels() (stop func() []KernelTime)
}

// PeakMeter is a Device that can measure its peak rate.
type PeakMeter interface {
	// PeakFLOPS measures floating-point operations a second, on all passes at once, when
	// nothing is read or written.
	PeakFLOPS() float64
}

// GPU is a Device that is one.
type GPU interface {
	GPUName() string
	// GPUMemoryBytes returns what the process has allocated on it.
	GPUMemoryBytes() (bytes uint64, known bool)
	// GPUBusy returns how long it has computed since the device was opened, by its own
	// clock.
	GPUBusy() (busy time.Duration, known bool)
}

// TimedPass is a Pass that knows its PassTime, once it is classified.
type TimedPass interface{ PassTime() PassTime }

// PassTime is what a pass cost on hardware that has a clock of its own.
type PassTime struct {
	Wait time.Duration // in the hardware's queue
	Busy time.Duration // computing
}
