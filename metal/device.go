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
	// ErrOutOfMemory is in every error about GPU memory that is not available. What was
	// allocated before remains as it was.
	ErrOutOfMemory = gpu.ErrOutOfMemory
	// ErrLost is in every error of a GPU that is gone. It does not come back: every later
	// pass returns the same error.
	ErrLost = gpu.ErrLost
	// ErrFault is in every error about a kernel that the GPU stopped. The text names the
	// kernel.
	ErrFault = gpu.ErrFault
)

const (
	// slotCount is how many passes may be under way: one on the GPU, and one that the
	// processor prepares.
	slotCount = 2
	// A pass should have at least fewestTokens tokens, since products of fewer rows leave
	// cores idle, and at most mostTokens, since scratch memory takes 7 KB a token. Chips
	// with many cores take twice as many.
	fewestTokens, mostTokens = 2048, 4096
	// usualSequences is how many sequences the buffers have room for from the start.
	usualSequences = 256
)

// Device holds the weights as the shaders read them, and runs passes on the GPU.
type Device struct {
	driver  gpu.Driver
	info    gpu.Info
	sieve   *sieve
	tiling  Tiling
	why     string // why tiling was chosen
	layout  layout
	parts   parts
	weights gpu.Buffer
	kernels *kernelSet
	scratch scratch
	widest  extent // of what passes store in half
	slots   chan *slot
	begun   atomic.Int64 // number of passes under way
	all     []*slot

	timing  sync.Mutex // held while the meter is changed
	meter   *meter     // nil: kernels are not being timed
	busy    atomic.Int64
	batches atomic.Int64
	lost    atomic.Pointer[error]
}

// Name returns "metal".
func (d *Device) Name() string { return "metal" }

// Passes returns how many passes may be under way.
func (d *Device) Passes() int { return slotCount }

// PassTokens returns how many tokens a pass should have: at least so many that the GPU is
// busy, and at most so many that memory is bounded.
func (d *Device) PassTokens() (fewest, most int) {
	if manyCores(d.info.Name) {
		return 2 * fewestTokens, 2 * mostTokens
	}
	return fewestTokens, mostTokens
}

// GPUName returns the GPU's name.
func (d *Device) GPUName() string { return d.info.Name }

// System returns the operating system's name and version. Its compiler makes the kernels,
// so tuning depends on it.
func (d *Device) System() string { return d.info.System }

// GPUMemoryBytes returns what the process has allocated on the GPU.
func (d *Device) GPUMemoryBytes() (uint64, bool) { return d.driver.Allocated(), true }

// GPUBusy returns how long the GPU has computed since the device was opened, by the GPU's
// clock.
func (d *Device) GPUBusy() (time.Duration, bool) { return time.Duration(d.busy.Load()), true }

// Choices says what the device chose, and why, one choice a line.
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

// Begin starts a pass over b. While TimeKernels changes what is timed, it waits.
func (d *Device) Begin(b *model.Batch) (model.Pass, error) {
	if d.begun.Add(1) > slotCount {
		d.begun.Add(-1)
		return nil, model.ErrBusy
	}
	s := <-d.slots
	s.plan.begin(b)
	return s, nil
}

// Detach returns true: the GPU has its own copy of all weights.
func (d *Device) Detach(*model.Weights) bool { return true }

// Close waits for the passes under way and releases all GPU memory.
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
