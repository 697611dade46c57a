package metal

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// Errors of a GPU, for errors.Is.
var (
	// ErrUnavailable is in every error about a machine or a build without a GPU that
	// the shaders run on. The text says what is missing.
	ErrUnavailable = gpu.ErrUnavailable
	// ErrOutOfMemory is in every error about memory that the GPU has not got. What was
	// there before is as it was.
	ErrOutOfMemory = gpu.ErrOutOfMemory
	// ErrLost is in every error of a GPU that is gone. It does not come back: every
	// later pass has the same error.
	ErrLost = gpu.ErrLost
	// ErrFault is in every error about a kernel that was ended. The text says which.
	ErrFault = gpu.ErrFault
)

const (
	// slotCount is how many passes may be under way: one on the GPU, and one that is
	// made ready meanwhile.
	slotCount = 2
	// fewestTokens and mostTokens are what is worth a pass of its own, and what one
	// should have at most: products of fewer rows leave cores idle, and scratch memory
	// is 7 KB a token. Chips of many cores take twice as many.
	fewestTokens, mostTokens = 2048, 4096
	// usualSequences is how many sequences there is room for from the start.
	usualSequences = 256
)

// Device holds the weights as the shaders read them.
type Device struct {
	driver  gpu.Driver
	info    gpu.Info
	sieve   *sieve
	tiling  Tiling
	why     string // the tiling is that
	layout  layout
	parts   parts
	weights gpu.Buffer
	kernels *kernelSet
	scratch scratch
	widest  extent // of what passes store in half
	noHead  error  // why there is no head
	slots   chan *slot
	begun   atomic.Int64 // passes under way
	all     []*slot

	timing  sync.Mutex // held by who changes the meter
	meter   *meter     // nil: nobody asked
	busy    atomic.Int64
	batches atomic.Int64
	lost    atomic.Pointer[error]
}

// Name returns "metal".
func (d *Device) Name() string { return "metal" }

// Passes returns how many passes may be under way.
func (d *Device) Passes() int { return slotCount }

// PassTokens says how many tokens a pass should have at least, so that the GPU is
// busy with it, and at most, so that memory is bounded.
func (d *Device) PassTokens() (fewest, most int) {
	if manyCores(d.info.Name) {
		return 2 * fewestTokens, 2 * mostTokens
	}
	return fewestTokens, mostTokens
}

// GPUName returns the GPU's name.
func (d *Device) GPUName() string { return d.info.Name }

// System returns the operating system's name and version, whose compiler makes the
// kernels.
func (d *Device) System() string { return d.info.System }

// GPUMemoryBytes returns what the process has allocated on the GPU.
func (d *Device) GPUMemoryBytes() (uint64, bool) { return d.driver.Allocated(), true }

// GPUBusy returns how long the GPU has computed, by its own clock, since the device
// was opened.
func (d *Device) GPUBusy() (time.Duration, bool) { return time.Duration(d.busy.Load()), true }

// Choices says what the device chose, and why.
func (d *Device) Choices() []string {
	elements := "in the lanes that the shaders expect"
	if !d.sieve.mapped {
		elements = "not in the lanes that the shaders expect: they go by way of memory, which is slower"
	}
	if d.sieve.notProbed != nil {
		elements = fmt.Sprintf("%v: they go by way of memory, which is slower", d.sieve.notProbed)
	}
	family := fmt.Sprintf("Apple family %d", d.info.Family)
	if d.info.Family < gpu.LeastFamily {
		family += " (let in by " + AnyGPU + "; the shaders are made for 7 and later)"
	}
	said := []string{
		fmt.Sprintf("gpu: %s, %s, %s", d.info.Name, family, d.info.System),
		"shaders: compiled as " + d.info.Language,
		fmt.Sprintf("tiles: %v, %s", d.tiling, d.why),
	}
	for _, t := range d.sieve.out {
		said = append(said, fmt.Sprintf("tiles: without %v: %v", t, d.sieve.tried[t]))
	}
	return append(said, "fragments' elements: "+elements,
		"half: "+d.widest.String())
}

// Begin starts a pass over b. It waits while TimeKernels changes what is timed.
func (d *Device) Begin(b *model.Batch) (model.Pass, error) {
	if d.begun.Add(1) > slotCount {
		d.begun.Add(-1)
		return nil, model.ErrBusy
	}
	s := <-d.slots
	s.plan.begin(b)
	return s, nil
}

// Detach says that the GPU has its own copy of all weights.
func (d *Device) Detach(*model.Weights) bool { return true }

// Close waits for the passes under way and gives everything back to the GPU.
func (d *Device) Close() error {
	for range slotCount {
		<-d.slots
	}
	return d.release()
}

func (d *Device) release() error {
	for _, s := range d.all {
		s.release()
	}
	d.scratch.release()
	if d.weights != nil {
		d.weights.Release()
	}
	if d.kernels != nil {
		d.kernels.release()
	}
	return d.driver.Close()
}

var _ model.Device = (*Device)(nil)
