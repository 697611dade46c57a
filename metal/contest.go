package metal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// contestant is the kernel of one tile for one product.
type contestant struct {
	Measurement
	kernel *variant
	groups [2]int
	took   []time.Duration
}

// contest compares the speed of tiles. All compute in the same buffers.
type contest struct {
	all     []*contestant
	buffers [4]gpu.Buffer // x, w, y, residual
}

func (f *contest) release() {
	for _, one := range f.all {
		one.kernel.release()
	}
	releaseAll(f.buffers[:])
}

// enter compiles the tiles' kernels, the chip's default first, until the time limit for
// compiling. Tiles that the GPU cannot use, or that do not fit the model, take no part.
func (s *sieve) enter(c model.Config, e effort) (*contest, error) {
	f := new(contest)
	var widest layout
	begun := time.Now()
	usual := DefaultTiling(s.driver.Info().Name).Up
	for i, tile := range slices.Concat([]Tile{usual}, Tiles) {
		if i > 0 && tile == usual {
			continue
		}
		if e.limit > 0 && len(f.all) > 0 && time.Since(begun) > e.limit {
			break
		}
		if ok, err := s.usable(tile); err != nil {
			return f, err
		} else if !ok {
			continue
		}
		tiling := Uniform(tile)
		l, err := newLayout(c, tiling.columns())
		if err != nil && leastColumns%tile.Columns != 0 {
			continue // a narrower tile fits
		}
		if err != nil {
			return f, err
		}
		entered, err := s.enterTile(&l, tile, e)
		f.all = append(f.all, entered...)
		if errors.Is(err, ErrLost) || errors.Is(err, ErrOutOfMemory) {
			return f, err
		}
		if err != nil {
			s.leave(tile, err)
			continue
		}
		widest.width, widest.inner, widest.heads = max(widest.width, l.width), max(widest.inner, l.inner), max(widest.heads, l.heads)
		widest.headSize = l.headSize
	}
	if len(f.all) == 0 {
		return f, fmt.Errorf("metal: no shape of tile can be used: %w", s.reasons())
	}
	most := max(3*widest.context(), widest.inner, widest.width)
	for i, b := range []struct {
		label string
		bytes int
	}{
		{"tune: x", 2 * most * rowsFor(e.rows)},
		{"tune: w", 2*most*most + 4*most},
		{"tune: y", 2 * most * rowsFor(e.rows)},
		{"tune: residual", 4 * widest.width * rowsFor(e.rows)},
	} {
		var err error
		if f.buffers[i], err = s.driver.NewBuffer(b.label, b.bytes); err != nil {
			return f, err
		}
		fill(f.buffers[i].Bytes())
	}
	return f, nil
}

// enterTile returns a tile's kernels for all products, or none if the GPU cannot use the
// tile.
func (s *sieve) enterTile(l *layout, tile Tile, e effort) (all []*contestant, err error) {
	tiling := Uniform(tile)
	k := l.kernels(&tiling, s.mapped)
	kernels := map[string]*variant{"qkv": &k.qkv, "output": &k.output, "up": &k.up, "down": &k.down}
	for _, name := range e.products {
		kernel := kernels[name]
		if err := kernel.compile(s.driver); err != nil {
			for _, one := range all {
				one.kernel.release()
			}
			return nil, err
		}
		size := kernel.product
		all = append(all, &contestant{Measurement{Product: name, In: size.in, Out: size.out, Tile: tile},
			kernel, [2]int{size.columns / kernel.columns, kernel.groups(e.rows)}, nil})
	}
	return all, nil
}

// turn runs a contestant's product several times. If counts is true, it adds the time to
// the contestant's.
func (f *contest) turn(d gpu.Driver, one *contestant, repeats int, counts bool) error {
	// No product here gathers rows, so the contents of starts do not matter.
	x, w, y, residual := f.buffers[0], f.buffers[1], f.buffers[2], f.buffers[3]
	product := gpu.Dispatch{Name: "tune " + one.Product, Pipeline: one.kernel.pipeline, Groups: one.groups,
		Bindings: []gpu.Binding{{Buffer: x}, {Buffer: w}, {Buffer: y}, {Buffer: residual}, {Buffer: residual}, {Buffer: residual}}}
	times, err := d.Run(slices.Repeat([]gpu.Dispatch{product}, repeats))
	if err == nil && counts {
		one.took = append(one.took, times.Busy/time.Duration(repeats))
	}
	return err
}

// result returns what was measured, and the fastest tile for each product. A product that
// was not measured gets the fastest tile of the last one that was.
func (f *contest) result(s *sieve, e effort) *Tuning {
	info := s.driver.Info()
	t := &Tuning{GPU: info.Name, System: info.System, Rows: e.rows}
	best := map[string]*contestant{}
	for _, one := range f.all {
		slices.Sort(one.took)
		one.Low, one.Median, one.High = one.took[0], one.took[len(one.took)/2], one.took[len(one.took)-1]
		if b := best[one.Product]; b == nil || one.Median < b.Median {
			best[one.Product] = one
		}
		t.Measurements = append(t.Measurements, one.Measurement)
	}
	last := best[e.products[len(e.products)-1]].Tile
	for i, tile := range []*Tile{&t.Tiling.QKV, &t.Tiling.Output, &t.Tiling.Up, &t.Tiling.Down} {
		if *tile = last; best[products[i]] != nil {
			*tile = best[products[i]].Tile
		}
	}
	for _, out := range s.out {
		t.Without = append(t.Without, fmt.Sprintf("%v: %v", out, s.tried[out]))
	}
	return t
}
