package metal

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/x448/float16"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// Tuning is what each tile took for each of a layer's products on a GPU, and the
// tiling of the fastest.
type Tuning struct {
	GPU, System  string
	Rows         int // tokens
	Tiling       Tiling
	Measurements []Measurement
}

// Measurement is what one tile took for one product, by the GPU's clock.
type Measurement struct {
	Product           string // "qkv", "output", "up", "down"
	In, Out           int
	Tile              Tile
	Median, Low, High time.Duration // of a product
}

// GFLOPS returns the rate of the median, without what is padded.
func (m *Measurement) GFLOPS(rows int) float64 {
	return 2 * float64(rows) * float64(m.In) * float64(m.Out) / float64(m.Median)
}

const (
	// tuneRows is a batch of 32 pairs of MS MARCO.
	tuneRows = 2816
	// Each tile has its turn tuneRounds times, after one that does not count; a turn
	// is tuneRepeats products in one command buffer, so that what is around them does
	// not count either.
	tuneRounds, tuneRepeats = 11, 8
)

// Tune measures the tiles on the machine's GPU, for a model of the given sizes.
// Progress is called now and then. A device that is open should be idle.
func Tune(ctx context.Context, c model.Config, progress func(done, total int)) (*Tuning, error) {
	driver, err := openDriver(os.Getenv(AnyGPU) != "")
	if err != nil {
		return nil, err
	}
	t, err := tune(ctx, driver, c, tuneRows, progress)
	return t, errors.Join(err, driver.Close())
}

// contestant is a tile's kernel for a product.
type contestant struct {
	Measurement
	kernel *variant
	groups [2]int
	took   []time.Duration
}

func tune(ctx context.Context, d gpu.Driver, c model.Config, rows int, progress func(done, total int)) (_ *Tuning, err error) {
	mapped, err := probeElements(d)
	if err != nil {
		return nil, err
	}
	var all []*contestant
	var release []interface{ Release() }
	defer func() {
		for _, r := range release {
			r.Release()
		}
	}()
	var widest layout
	for _, tile := range Tiles {
		tiling := Uniform(tile)
		l, err := newLayout(c, tiling.columns())
		if err != nil {
			return nil, err
		}
		k := l.kernels(&tiling, mapped)
		widest.width, widest.inner, widest.heads = max(widest.width, l.width), max(widest.inner, l.inner), max(widest.heads, l.heads)
		widest.headSize = l.headSize
		for _, p := range []struct {
			name   string
			kernel *variant
		}{{"qkv", &k.qkv}, {"output", &k.output}, {"up", &k.up}, {"down", &k.down}} {
			if err := p.kernel.compile(d); err != nil {
				return nil, err
			}
			release = append(release, p.kernel.pipeline)
			size := p.kernel.product
			all = append(all, &contestant{Measurement{Product: p.name, In: size.in, Out: size.out, Tile: tile},
				p.kernel, [2]int{size.columns / p.kernel.columns, p.kernel.groups(rows)}, nil})
		}
	}

	most := max(3*widest.context(), widest.inner, widest.width)
	buffers := make([]gpu.Buffer, 4)
	for i, b := range []struct {
		label string
		bytes int
	}{
		{"tune: x", 2 * most * rowsFor(rows)},
		{"tune: w", 2*most*most + 4*most},
		{"tune: y", 2 * most * rowsFor(rows)},
		{"tune: residual", 4 * widest.width * rowsFor(rows)},
	} {
		if buffers[i], err = d.NewBuffer(b.label, b.bytes); err != nil {
			return nil, err
		}
		release = append(release, buffers[i])
		fill(buffers[i].Bytes())
	}
	// No product gathers rows, so that what starts are does not matter.
	x, w, y, residual := buffers[0], buffers[1], buffers[2], buffers[3]
	for round := range tuneRounds + 1 {
		for i, one := range all {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			product := gpu.Dispatch{Name: "tune " + one.Product, Pipeline: one.kernel.pipeline, Groups: one.groups,
				Bindings: []gpu.Binding{{Buffer: x}, {Buffer: w}, {Buffer: y}, {Buffer: residual}, {Buffer: residual}, {Buffer: residual}}}
			times, err := d.Run(slices.Repeat([]gpu.Dispatch{product}, tuneRepeats))
			if err != nil {
				return nil, err
			}
			if round > 0 {
				one.took = append(one.took, times.Busy/tuneRepeats)
			}
			progress(round*len(all)+i+1, (tuneRounds+1)*len(all))
		}
	}

	info := d.Info()
	t := &Tuning{GPU: info.Name, System: info.System, Rows: rows}
	best := map[string]*contestant{}
	for _, one := range all {
		slices.Sort(one.took)
		one.Low, one.Median, one.High = one.took[0], one.took[len(one.took)/2], one.took[len(one.took)-1]
		if b := best[one.Product]; b == nil || one.Median < b.Median {
			best[one.Product] = one
		}
		t.Measurements = append(t.Measurements, one.Measurement)
	}
	t.Tiling = Tiling{best["qkv"].Tile, best["output"].Tile, best["up"].Tile, best["down"].Tile}
	return t, nil
}

// fill writes small numbers, in half: a GPU may be faster, or cooler, with zeros.
func fill(b []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := 0; i+2 <= len(b); i += 2 {
		binary.LittleEndian.PutUint16(b[i:], float16.Fromfloat32(r.Float32()-0.5).Bits())
	}
}
