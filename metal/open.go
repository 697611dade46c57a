package metal

import (
	"errors"
	"fmt"
	"os"

	"github.com/minilm-metal/minilm-metal/metal/internal/darwinkit"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// AnyGPU is an environment variable. If it is not empty, Open (where the GPU was asked for
// by name) and Tune accept a GPU of a family that is not known to run the shaders, provided
// that it compiles them. Hosted Macs have a virtual GPU that reports an older family.
const AnyGPU = "MINILM_METAL_ANY_GPU"

// Opening has the options of Open. The zero value means the defaults.
type Opening struct {
	// Requested says that somebody asked for the GPU by name. Then AnyGPU is read.
	Requested bool
	// Forget says that a tiling which Open measures is not stored.
	Forget bool
}

// Open packs w for the machine's GPU, with the tiling that Tune has stored for it. If none
// is stored, Open measures one, in half a second, and stores it. The caller may close the
// weights afterwards, because the GPU has its own copy.
//
// A tile that the GPU does not compile, or whose results are wrong, is left out, and
// Choices says so.
//
// The error wraps ErrUnavailable if there is no GPU that is known to run the shaders.
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

// openDriver opens the machine's GPU. If AnyGPU could help, the error says so.
func openDriver(anyFamily bool) (gpu.Driver, error) {
	driver, err := darwinkit.Open(shaderSource(), anyFamily)
	if refused, ok := errors.AsType[*gpu.SourceError](err); ok {
		refused.Log = locate(refused.Log)
	} else if errors.Is(err, gpu.ErrOlder) {
		err = fmt.Errorf("%w: %s=1 tries it where metal is asked for by name", err, AnyGPU)
	}
	return driver, err
}

// open opens a device on a driver, which then belongs to the device, with a given tiling.
func open(w *model.Weights, driver gpu.Driver, tiling Tiling) (*Device, error) {
	return openChoosing(w, driver, func(*sieve) (Tiling, string, error) { return tiling, "by request", nil })
}

// openChoosing is open with a function that chooses the tiling once the GPU is open. why is
// the reason for the choice.
func openChoosing(w *model.Weights, driver gpu.Driver, choose func(s *sieve) (t Tiling, why string, err error)) (_ *Device, err error) {
	d := &Device{driver: driver, info: driver.Info(), slots: make(chan *slot, slotCount)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.release())
		}
	}()
	if w.Projection != nil {
		return nil, fmt.Errorf("%w: its embeddings are not as wide as its hidden state, and no kernel projects them", ErrModel)
	}
	if d.sieve, err = newSieve(driver); err != nil {
		return nil, err
	}
	if d.tiling, d.why, err = choose(d.sieve); err != nil {
		return nil, err
	}
	if err := d.compile(w.Config); err != nil {
		return nil, err
	}
	d.parts = d.layout.parts()
	if d.weights, err = driver.NewBuffer("weights", d.parts.size); err != nil {
		return nil, err
	}
	if d.widest, err = d.layout.pack(d.weights.Bytes(), &d.parts, w); err != nil {
		return nil, err
	}
	for range slotCount {
		d.all = append(d.all, newSlot(d))
	}
	// Allocate what an engine will need now: it is better to learn here that it does not
	// fit.
	_, most := d.PassTokens()
	if err := d.scratch.grow(d, most+w.Config.MaxPositions, usualSequences); err != nil {
		return nil, err
	}
	for _, s := range d.all {
		d.slots <- s
	}
	return d, nil
}

// compile compiles the kernels. If a tile cannot be used, it replaces that tile and tries
// again.
func (d *Device) compile(c model.Config) (err error) {
	for {
		if d.tiling, err = d.sieve.sieved(d.tiling); err != nil {
			return err
		}
		if d.layout, err = newLayout(c, d.tiling.columns()); err != nil {
			if wide := d.tiling.widest(); leastColumns%wide.Columns != 0 {
				d.sieve.leave(wide, err) // a narrower tile needs less padding
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

// errNotProbed says that the GPU did not compile the probe. The device works without its
// result.
var errNotProbed = errors.New("not looked for")

// probeElements finds out whether a fragment's elements are where the shaders expect them.
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
		first := lane/16*4 + lane/2%4           // the row of the lane's elements
		first = first*8 + lane/8%2*4 + lane%2*2 // and their column
		for i := range 4 {                      // two elements of a float fragment, then two of a half fragment
			if float32At(found.Bytes(), 4*(lane*4+i)) != float32(first+i%2) {
				return false, nil
			}
		}
	}
	return true, nil
}
