package metal

import (
	"errors"
	"fmt"
	"os"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// GPU says what a GPU is, and what its compiler said of the shaders.
type GPU = gpu.Info

// Limits are what a GPU says of one compiled kernel.
type Limits = gpu.Limits

// Inspector looks at what the machine's GPU makes of the shaders, without any weights, for
// reports to people who do not have that GPU.
type Inspector struct{ driver gpu.Driver }

// Inspect compiles the shaders for the machine's GPU. The error wraps ErrUnavailable where
// there is none that the shaders are known to run on, unless AnyGPU is set; its text has
// what the compiler said where it refuses them.
func Inspect() (*Inspector, error) {
	driver, err := openDriver(os.Getenv(AnyGPU) != "")
	if err != nil {
		return nil, err
	}
	return &Inspector{driver}, nil
}

// Close gives back what the Inspector has of the GPU.
func (x *Inspector) Close() error { return x.driver.Close() }

// GPU says what the GPU is. Lines in its Log count from the beginning of the shaders' files.
func (x *Inspector) GPU() GPU {
	info := x.driver.Info()
	info.Log = locate(info.Log)
	return info
}

// Fragments says whether the elements of a simdgroup's matrices lie in the lanes that the
// shaders expect. If not, or if the error says why it is not known, they go by way of
// memory, which is slower.
func (x *Inspector) Fragments() (expected bool, err error) { return probeElements(x.driver) }

// TryTiles has each tile compute a small product. A nil error says that it was right.
func (x *Inspector) TryTiles() (map[Tile]error, error) {
	s, err := newSieve(x.driver)
	if err != nil {
		return nil, err
	}
	s.computes = true
	for _, t := range Tiles {
		if _, err := s.usable(t); err != nil {
			return nil, err
		}
	}
	return s.tried, nil
}

// CompiledKernel is one kernel with its constants, as a model of certain sizes has it.
type CompiledKernel struct {
	Kernel   string // its name in the shaders, which is a tile's for products
	Use      string // "attention", "qkv", or what else the model has it for
	Shape    string // the sizes that it is for, such as "384x1536" inputs by outputs
	ByMemory bool   // fragments' elements go by way of memory
	Threads  int    // of a threadgroup
	Limits   Limits
	Err      error // why there is none; then Limits are 0
}

// Compile compiles every kernel that a model of such sizes could be computed with: all tiles,
// and both ways for the elements of fragments. The error is of the GPU or the model as a
// whole.
func (x *Inspector) Compile(c model.Config) (all []CompiledKernel, err error) {
	compile := func(v variant, use string, byMemory bool) error {
		k := CompiledKernel{Kernel: v.name, Use: use, Shape: v.shape, ByMemory: byMemory, Threads: v.threads}
		if k.Err = v.compile(x.driver); k.Err == nil {
			k.Limits = v.pipeline.Limits()
			v.release()
		}
		all = append(all, k)
		if errors.Is(k.Err, ErrLost) {
			return k.Err
		}
		return nil
	}
	for i, t := range Tiles {
		tiling := Uniform(t)
		l, err := newLayout(c, tiling.columns())
		if err != nil {
			if i == 0 {
				return nil, err
			}
			all = append(all, CompiledKernel{Kernel: t.String(), Use: "all products", Err: err})
			continue
		}
		for _, byMemory := range []bool{false, true} {
			for _, one := range l.kernels(&tiling, !byMemory).each() {
				// The others are the same for all tiles, and only attention has fragments.
				if one.tile == (Tile{}) && (i > 0 || byMemory && one.use != "attention") {
					continue
				}
				if err := compile(*one.variant, one.use, byMemory); err != nil {
					return all, err
				}
			}
		}
	}
	for _, k := range []kernel{probe, peak} {
		if err := compile(variant{kernel: k}, "at the start", false); err != nil {
			return all, err
		}
	}
	return all, nil
}

// OpenTile opens the machine's GPU with one tile for all products, right or wrong: for those
// who measure how far off it is. With byMemory, elements of fragments go by way of memory
// wherever they lie. The error says why where the GPU cannot use that tile.
func OpenTile(w *model.Weights, t Tile, byMemory bool) (*Device, error) {
	driver, err := openDriver(os.Getenv(AnyGPU) != "")
	if err != nil {
		return nil, err
	}
	return openTile(w, driver, t, byMemory)
}

func openTile(w *model.Weights, driver gpu.Driver, t Tile, byMemory bool) (*Device, error) {
	d, err := openChoosing(w, driver, func(s *sieve) (Tiling, string, error) {
		s.mapped = s.mapped && !byMemory
		return Uniform(t), "by request", nil
	})
	if err != nil {
		return nil, err
	}
	if d.tiling != Uniform(t) {
		return nil, errors.Join(fmt.Errorf("metal: tile %v cannot be used: %w", t, d.sieve.tried[t]), d.Close())
	}
	return d, nil
}
