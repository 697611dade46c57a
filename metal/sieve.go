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

// sieve finds out which tiles a GPU can use. A tile is left out, with the reason, if it
// does not compile, needs more memory than there is, or computes wrong results. As long as
// one tile is left, the GPU can be used.
type sieve struct {
	driver    gpu.Driver
	mapped    bool  // value of the shaders' constant MAPPED
	notProbed error // why mapped is not known; nil if it is known
	// computes says that each tile is tried on a small product before it is used.
	computes bool
	tried    map[Tile]error // the tiles that were tried, and why they cannot be used; nil: it can
	out      []Tile         // the tiles that cannot be used, in the order in which this was found
}

func newSieve(d gpu.Driver) (*sieve, error) {
	s := &sieve{driver: d, tried: map[Tile]error{}}
	var err error
	if s.mapped, err = probeElements(d); errors.Is(err, errNotProbed) && !errors.Is(err, ErrLost) {
		s.notProbed, err = err, nil
	}
	return s, err
}

// usable reports whether a tile can be used. An error means that the GPU itself has failed.
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

// leave records the result for a tile: why it cannot be used, or nil.
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

// sieved replaces the tiles in wanted that cannot be used: by the chip's default tile, or
// by the first usable one.
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

// reasons returns why each of the unusable tiles is unusable; nil if there are none.
func (s *sieve) reasons() (all error) {
	for _, t := range s.out {
		all = errors.Join(all, fmt.Errorf("%v: %w", t, s.tried[t]))
	}
	return all
}

// mostNMSE is the largest error that rounding can explain. Halves of size 1 have an error
// of 2⁻¹²/√3, whose square is 2e-8.
const mostNMSE = 1e-6

// nmse returns the normalised mean square error, Σ(got-want)²/Σwant².
func nmse(got []float32, want []float64) float64 {
	var errors, squares float64
	for i, v := range want {
		e := float64(got[i]) - v
		errors += e * e
		squares += v * v
	}
	return errors / squares
}

// tryProduct compares a small product, computed with the tile, with float64. The product is
// added to the residual stream in place, as in plans. It has as many outputs as one tile,
// and a few more rows than one tile. The rows beyond it, which do not count, are NaN.
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
				continue // outputs that are not computed must not change
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
	if e := nmse(got, want); !(e <= mostNMSE) { // also fails for NaN
		return fmt.Errorf("its products are wrong: a normalised mean square error of %.2g, at most %.2g is rounding", e, mostNMSE)
	}
	return nil
}
