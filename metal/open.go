package metal

import (
	"errors"
	"fmt"
	"os"

	"github.com/minilm-metal/minilm-metal/metal/internal/darwinkit"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// AnyGPU is the environment variable that lets Open, by request, and Tune have a GPU which
// is of no family that the shaders are known to run on, as soon as it compiles them:
// hosted Macs have a virtual one that says it is of an older family. Empty is not set.
const AnyGPU = "MINILM_METAL_ANY_GPU"

// Opening says how Open goes about it. The zero value is good.
type Opening struct {
	// Requested: somebody asked for the GPU by name, so that AnyGPU counts.
	Requested bool
	// Forget: what is measured on a GPU that was never tuned is not kept.
	Forget bool
}

// Open packs w for the machine's GPU, with the tiling that Tune stored for it. On a GPU
// that nothing is stored for it measures, in half a second, and stores what it found. The
// weights stay the caller's, who may close them: the GPU has its own copy.
//
// A tile that the GPU does not compile, or that computes what is wrong, is left out, as
// Choices says.
//
// The error wraps ErrUnavailable where there is no GPU that the shaders are known to run
// on.
func Open(w *model.Weights, how Opening) (*Device, error) {
	driver, err := openDriver(how.Requested && os.Getenv(AnyGPU) != "")
	if err != nil {
		return nil, err
	}
	return openChoosing(w, driver, func(s *sieve) (Tiling, string, error) {
		s.computes = true
		return s.choose(w.Config, first, how.Forget)
	})
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

// open opens a device over a driver, which is the device's from then on, with a tiling.
func open(w *model.Weights, driver gpu.Driver, tiling Tiling) (*Device, error) {
	return openChoosing(w, driver, func(*sieve) (Tiling, string, error) { return tiling, "by request", nil })
}

// openChoosing is open with a tiling that is chosen once the GPU is there; what is said
// of it is why it is that.
func openChoosing(w *model.Weights, driver gpu.Driver, choose func(s *sieve) (t Tiling, why string, err error)) (_ *Device, err error) {
	d := &Device{driver: driver, info: driver.Info(), slots: make(chan *slot, slotCount)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.release())
		}
	}()
	if d.sieve, err = newSieve(driver); err != nil {
		return nil, err
	}
	if d.tiling, d.why, err = choose(d.sieve); err != nil {
		return nil, err
	}
	if err := d.compile(w.Config); err != nil {
		return nil, err
	}
	d.noHead = w.CheckHead()
	d.parts = d.layout.parts(d.noHead == nil)
	if d.weights, err = driver.NewBuffer("weights", d.parts.size); err != nil {
		return nil, err
	}
	if d.widest, err = d.layout.pack(d.weights.Bytes(), &d.parts, w); err != nil {
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

// compile compiles the kernels, with other tiles in place of those that turn out to be of
// no use.
func (d *Device) compile(c model.Config) (err error) {
	for {
		if d.tiling, err = d.sieve.sieved(d.tiling); err != nil {
			return err
		}
		if d.layout, err = newLayout(c, d.tiling.columns()); err != nil {
			if wide := d.tiling.widest(); leastColumns%wide.Columns != 0 {
				d.sieve.leave(wide, err) // another tile pads less
				continue
			}
			return err
		}
		d.kernels = d.layout.kernels(&d.tiling, d.sieve.mapped)
		broken, err := d.kernels.compile(d.driver)
		if err == nil || broken.tile == (Tile{}) || errors.Is(err, ErrLost) || errors.Is(err, ErrOutOfMemory) {
			return err
		}
		d.sieve.leave(broken.tile, err)
	}
}

// errNotProbed is in the error of a GPU that does not compile the probe: it can do without.
var errNotProbed = errors.New("not looked for")

// probeElements looks whether a fragment's elements are where the shaders expect
// them.
func probeElements(d gpu.Driver) (mapped bool, err error) {
	k := variant{kernel: probe}
	if err := k.compile(d); err != nil {
		return false, fmt.Errorf("%w: %w", errNotProbed, err)
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
