package metal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/x448/float16"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// sieve tells the tiles that a GPU can use from those that it cannot: which do not
// compile, need more than it has, or compute what is wrong. One of them is left out, with
// the reason; as long as another is left, the GPU is as good as before.
type sieve struct {
	driver    gpu.Driver
	mapped    bool  // as the shaders' MAPPED
	notProbed error // why that is not known; nil: it is
	// computes says that a tile is tried on a small product before it is used.
	computes bool
	tried    map[Tile]error // nil: it is good
	out      []Tile         // the others, in the order in which that came out
}

func newSieve(d gpu.Driver) (*sieve, error) {
	s := &sieve{driver: d, tried: map[Tile]error{}}
	var err error
	if s.mapped, err = probeElements(d); errors.Is(err, errNotProbed) && !errors.Is(err, ErrLost) {
		s.notProbed, err = err, nil
	}
	return s, err
}

// usable says whether a tile can be used. The error is one of the GPU itself, of which
// nothing can be used.
func (s *sieve) usable(t Tile) (bool, error) {
	why, known := s.tried[t]
	if !known {
		why = s.try(t)
		if errors.Is(why, ErrLost) || errors.Is(why, ErrOutOfMemory) {
			return false, why
		}
		s.leave(t, why)
	}
	return why == nil, nil
}

// leave notes a tile as tried; why is nil if it is good.
func (s *sieve) leave(t Tile, why error) {
	if s.tried[t] = why; why != nil {
		s.out = append(s.out, t)
	}
}

func (s *sieve) try(t Tile) error {
	if need, most := t.threadgroupMemory(), s.driver.Info().ThreadgroupMemory; most > 0 && need > most {
		return fmt.Errorf("it takes %d bytes of threadgroup memory, and there are %d", need, most)
	}
	if !s.computes {
		return nil
	}
	return tryProduct(s.driver, t, s.mapped)
}

// sieved returns a tiling with usable tiles in place of others: the chip's default, or
// the first that there is.
func (s *sieve) sieved(wanted Tiling) (Tiling, error) {
	usual := DefaultTiling(s.driver.Info().Name)
	for _, tile := range []*Tile{&wanted.QKV, &wanted.Output, &wanted.Up, &wanted.Down} {
		candidates := slices.Concat([]Tile{*tile, usual.QKV}, Tiles)
		found := false
		for _, t := range candidates {
			ok, err := s.usable(t)
			if err != nil {
				return wanted, err
			}
			if ok {
				*tile, found = t, true
				break
			}
		}
		if !found {
			return wanted, fmt.Errorf("metal: no shape of tile can be used: %w", s.reasons())
		}
	}
	return wanted, nil
}

// reasons is why each tile is out that is; nil: none is.
func (s *sieve) reasons() (all error) {
	for _, t := range s.out {
		all = errors.Join(all, fmt.Errorf("%v: %w", t, s.tried[t]))
	}
	return all
}

// mostNMSE is what a kernel's rounding may amount to against float64: halves of size
// 1 are off by 2⁻¹²/√3, which is 2e-8 when squared.
const mostNMSE = 1e-6

// nmse is the normalised mean square error: Σ(got-want)²/Σwant².
func nmse(got []float32, want []float64) float64 {
	var errors, squares float64
	for i, v := range want {
		e := float64(got[i]) - v
		errors += e * e
		squares += v * v
	}
	return errors / squares
}

// tryProduct has a tile add a small product to the residual stream, in place as plans
// do, and holds it to float64: of one tile's columns and a few rows more than one tile
// has. What lies beyond, in rows that do not count, is NaN.
func tryProduct(d gpu.Driver, t Tile, mapped bool) error {
	const in = 64
	rows, out, first := t.Rows+6, 2*t.Columns, t.Columns
	k := variant{kernel: t.kernel(), constants: constants{in: in, stride: out, first: first, mapped: mapped, add: true}}
	if err := k.compile(d); err != nil {
		return err
	}
	defer k.release()
	var buffers [3]gpu.Buffer
	defer func() { releaseAll(buffers[:]) }()
	for i, bytes := range []int{2 * in * rowsFor(rows), 2*in*out + 4*out, 4 * out * rowsFor(rows)} {
		var err error
		if buffers[i], err = d.NewBuffer("a tile on trial", bytes); err != nil {
			return err
		}
	}
	x, w, sum := buffers[0].Bytes(), buffers[1].Bytes(), buffers[2].Bytes()
	r := rand.New(rand.NewPCG(7, 7))
	nan := float16.NaN()
	half := func(b []byte, i int, v float32) float64 {
		h := float16.Fromfloat32(v)
		binary.LittleEndian.PutUint16(b[2*i:], h.Bits())
		return float64(h.Float32())
	}
	float := func(b []byte, i int) float64 {
		v := r.Float32() - 0.5
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		return float64(v)
	}
	xs, ws, want := make([]float64, rows*in), make([]float64, in*out), make([]float64, rows*out)
	for i := range in * rowsFor(rows) {
		binary.LittleEndian.PutUint16(x[2*i:], nan.Bits())
	}
	for i := range xs {
		xs[i] = half(x, i, r.Float32()-0.5)
	}
	for i := range ws {
		ws[i] = half(w, i, r.Float32()-0.5)
	}
	for i := range want {
		want[i] = float(sum, i)
	}
	for o := range out {
		bias := float(w[2*in*out:], o)
		for row := range rows {
			if o < first {
				continue // what is not computed stays as it is
			}
			v := bias
			for i := range in {
				v += xs[row*in+i] * ws[i*out+o]
			}
			want[row*out+o] += v
		}
	}
	binds := []gpu.Binding{{Buffer: buffers[0]}, {Buffer: buffers[1]}, {Buffer: buffers[0]}, {Buffer: buffers[2]}, {Buffer: buffers[0]}, {Buffer: buffers[2]}}
	work := []gpu.Dispatch{{Name: "a tile on trial", Pipeline: k.pipeline, Bindings: binds, Groups: [2]int{1, k.groups(rows)}}}
	if _, err := d.Run(work); err != nil {
		return err
	}
	got := make([]float32, len(want))
	for i := range got {
		got[i] = float32At(sum, 4*i)
	}
	if e := nmse(got, want); !(e <= mostNMSE) { // NaN is no good either
		return fmt.Errorf("its products are wrong: a normalised mean square error of %.2g, at most %.2g is rounding", e, mostNMSE)
	}
	return nil
}
