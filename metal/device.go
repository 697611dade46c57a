package metal

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/darwinkit"
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
	tiling  Tiling
	mapped  bool // thread_elements() are where the shaders look first
	layout  layout
	parts   parts
	weights gpu.Buffer
	kernels *kernelSet
	scratch scratch
	noHead  error // why there is no head
	slots   chan *slot
	begun   atomic.Int64 // passes under way
	all     []*slot

	timing  sync.Mutex // held by who changes the meter
	meter   *meter     // nil: nobody asked
	busy    atomic.Int64
	batches atomic.Int64
	lost    atomic.Pointer[error]
}

// AnyGPU is the environment variable that lets OpenRequested and Tune have a GPU which
// is of no family that the shaders are known to run on, as soon as it compiles them:
// hosted Macs have a virtual one that says it is of an older family. Empty is not set.
const AnyGPU = "MINILM_METAL_ANY_GPU"

// Open packs w for the machine's GPU, with the tiling that Tune stored for it, or
// the default. The weights stay the caller's, who may close them: the GPU has its
// own copy.
//
// The error wraps ErrUnavailable where there is no GPU that the shaders are known to run
// on.
func Open(w *model.Weights) (*Device, error) { return openMachine(w, false) }

// OpenRequested is Open for who asked for the GPU by name: AnyGPU counts.
func OpenRequested(w *model.Weights) (*Device, error) { return openMachine(w, os.Getenv(AnyGPU) != "") }

func openMachine(w *model.Weights, anyFamily bool) (*Device, error) {
	driver, err := openDriver(anyFamily)
	if err != nil {
		return nil, err
	}
	tiling, _ := storedTiling(driver.Info()) // a cache that cannot be read costs speed at most
	return open(w, driver, tiling)
}

// openDriver opens the machine's GPU. The error says how to have it all the same, where
// that may do.
func openDriver(anyFamily bool) (gpu.Driver, error) {
	driver, err := darwinkit.Open(shaderSource(), anyFamily)
	if refused, ok := errors.AsType[*gpu.SourceError](err); ok {
		refused.Log = locate(refused.Log)
	} else if errors.Is(err, gpu.ErrOlder) {
		err = fmt.Errorf("%w: %s=1 tries it where metal is asked for by name", err, AnyGPU)
	}
	return driver, err
}

// open opens a device over a driver, which is the device's from then on.
func open(w *model.Weights, driver gpu.Driver, tiling Tiling) (_ *Device, err error) {
	d := &Device{driver: driver, info: driver.Info(), tiling: tiling, slots: make(chan *slot, slotCount)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.release())
		}
	}()
	if d.layout, err = newLayout(w.Config, tiling.columns()); err != nil {
		return nil, err
	}
	if d.mapped, err = probeElements(driver); err != nil {
		return nil, err
	}
	d.kernels = d.layout.kernels(&tiling, d.mapped)
	if err := d.kernels.compile(driver); err != nil {
		return nil, err
	}
	d.noHead = w.CheckHead()
	d.parts = d.layout.parts(d.noHead == nil)
	if d.weights, err = driver.NewBuffer("weights", d.parts.size); err != nil {
		return nil, err
	}
	if err := d.layout.pack(d.weights.Bytes(), &d.parts, w); err != nil {
		return nil, err
	}
	for range slotCount {
		d.all = append(d.all, newSlot(d))
	}
	// What an engine will need, at once: what does not fit is better known now.
	_, most := d.PassTokens()
	if err := d.scratch.grow(d, most+w.Config.MaxPositions, usualSequences); err != nil {
		return nil, err
	}
	for _, s := range d.all {
		d.slots <- s
	}
	return d, nil
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
	if !d.mapped {
		elements = "not in the lanes that the shaders expect: they go by way of memory, which is slower"
	}
	family := fmt.Sprintf("Apple family %d", d.info.Family)
	if d.info.Family < gpu.LeastFamily {
		family += " (let in by " + AnyGPU + "; the shaders are made for 7 and later)"
	}
	return []string{
		fmt.Sprintf("gpu: %s, %s, %s", d.info.Name, family, d.info.System),
		"shaders: compiled as " + d.info.Language,
		fmt.Sprintf("tiles: %v", d.tiling),
		"fragments' elements: " + elements,
	}
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

// probeElements looks whether a fragment's elements are where the shaders expect
// them.
func probeElements(d gpu.Driver) (mapped bool, err error) {
	k := variant{kernel: probe}
	if err := k.compile(d); err != nil {
		return false, err
	}
	defer k.release()
	found, err := d.NewBuffer("probe", 4*4*32)
	if err != nil {
		return false, err
	}
	defer found.Release()
	work := []gpu.Dispatch{{Name: probe.name, Pipeline: k.pipeline, Bindings: []gpu.Binding{{Buffer: found}}, Groups: [2]int{1, 1}}}
	if _, err := d.Run(work); err != nil {
		return false, err
	}
	for lane := range 32 {
		first := lane/16*4 + lane/2%4           // its row
		first = first*8 + lane/8%2*4 + lane%2*2 // and column
		for i := range 4 {                      // two in float, two in half
			if float32At(found.Bytes(), 4*(lane*4+i)) != float32(first+i%2) {
				return false, nil
			}
		}
	}
	return true, nil
}

var _ model.Device = (*Device)(nil)
