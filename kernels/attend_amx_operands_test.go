//go:build linux && amd64 && !noasm

package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// attended are the operands of attention on tiles: rows of bfloat16, q for the last of
// which, as for those of k and v, memory ends.
type attended struct {
	heads         Heads
	queries, keys int
	qs, kvs       int // values from row to row
	q, k, v       []uint16
}

// newAttended makes operands of random values, queries such that scores over 32 come out
// as 32·√size times q·k, that is, scores as spread around 1.
func newAttended(r *rand.Rand, heads Heads, queries, keys int) *attended {
	width := heads.Count * heads.Size
	a := &attended{heads: heads, queries: queries, keys: keys, qs: width + 3, kvs: 2*width + 5}
	a.q = beforeEnd[uint16]((queries-1)*a.qs + width)
	a.k = beforeEnd[uint16]((keys-1)*a.kvs + width)
	a.v = beforeEnd[uint16]((keys-1)*a.kvs + width)
	scale := math.Log2E / math.Sqrt(float64(heads.Size)) / 32
	for i := range a.q {
		a.q[i] = bfloat(float32(scale * r.NormFloat64()))
	}
	for _, s := range [][]uint16{a.k, a.v} {
		for i := range s {
			s[i] = bfloat(float32(r.NormFloat64()))
		}
	}
	return a
}

// bfloat rounds to bfloat16, unbfloat goes back.
func bfloat(x float32) uint16   { return uint16(math.Float32bits(roundBF16(x)) >> 16) }
func unbfloat(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// run computes the context of queries from to to, in float32 or bfloat16 as float32, and
// checks that nothing else is written.
func (a *attended) run(t *testing.T, from, to int, narrow bool) []float32 {
	t.Helper()
	const padding = 7
	width, queries := a.heads.Count*a.heads.Size, to-from
	scratch, checkScratch := guarded(t, (asm.AttendScratch(a.keys, a.heads.Size)+3)/4)
	dst, checkDst := guarded(t, queries*(width+padding)-padding)
	q, size := unsafe.Pointer(&a.q[from*a.qs]), 4
	attend := asm.Attend
	if narrow {
		attend, size = asm.AttendNarrow, 2
	}
	attend(asm.AMX, unsafe.Pointer(&dst[0]), size*(width+padding), q, 2*a.qs, queries, unsafe.Pointer(&a.k[0]), unsafe.Pointer(&a.v[0]), 2*a.kvs,
		a.keys, a.heads.Count, a.heads.Size, unsafe.Pointer(&scratch[0]))
	checkScratch()
	checkDst()
	out := make([]float32, 0, queries*width)
	halves := unsafe.Slice((*uint16)(unsafe.Pointer(&dst[0])), 2*len(dst))
	for i := range queries {
		for c := range width + padding {
			at := i*(width+padding) + c
			switch {
			case c < width && narrow:
				out = append(out, unbfloat(halves[at]))
			case c < width:
				out = append(out, dst[at])
			case i == queries-1: // beyond the end
			case narrow && halves[at] != uint16(math.Float32bits(poison)>>(16*(at%2))):
				t.Errorf("wrote behind row %d", i)
			case !narrow && math.Float32bits(dst[at]) != math.Float32bits(poison):
				t.Errorf("wrote behind row %d", i)
			}
		}
	}
	if narrow {
		for at := queries*(width+padding) - padding; at < len(halves); at++ {
			if halves[at] != uint16(math.Float32bits(poison)>>(16*(at%2))) {
				t.Errorf("wrote %d beyond the end", at)
			}
		}
	}
	return out
}

// scores returns those of query i in head h, over 32, by blocks of 32 keys with 0 past
// the last.
func (a *attended) scores(i, h int) []float32 {
	s := make([]float32, (a.keys+31)/32*32)
	for j := range a.keys {
		for c := h * a.heads.Size; c < (h+1)*a.heads.Size; c += 32 {
			s[j] = dotTile(s[j], func(pair, half int) float32 { return unbfloat(a.q[i*a.qs+c+2*pair+half]) },
				func(pair, half int) float32 { return unbfloat(a.k[j*a.kvs+c+2*pair+half]) })
		}
	}
	return s
}

// chain is query i in head h as the kernel computes it, said plainly.
func (a *attended) chain(i, h int) []float32 {
	s := a.scores(i, h)
	top := float32(math.Inf(-1))
	for _, x := range s[:a.keys] {
		if x != x {
			x = float32(math.Inf(1))
		}
		top = max(top, x)
	}
	if math.Abs(float64(top)) < 2 {
		top = 0
	}
	w := make([]float32, len(s))
	for j, x := range s[:a.keys] {
		w[j] = weight(x - top)
	}
	mix := func(value func(j int) float32) (sum float32) {
		for b := 0; b < len(w); b += 32 {
			key := func(pair, half int) int { return b + pair + 16*half }
			sum = dotTile(sum, func(pair, half int) float32 { return w[key(pair, half)] }, func(pair, half int) float32 {
				if key(pair, half) >= a.keys {
					return 0
				}
				return value(key(pair, half))
			})
		}
		return sum
	}
	factor := 1 / mix(func(int) float32 { return 1 })
	out := make([]float32, a.heads.Size)
	for c := range out {
		out[c] = mix(func(j int) float32 { return unbfloat(a.v[j*a.kvs+h*a.heads.Size+c]) }) * factor
	}
	return out
}

// weight is bfloat16(2^(32·y)).
func weight(y float32) float32 {
	if !(y > -127.0/32) {
		y = -127.0 / 32
	}
	r := subDown(y, math.Floor(float64(y)*32)/32)
	e := fma(0.07706716*1024, r, 0.22764486*32)
	e = fma(e, r, -0.30488318)
	e = fma(e, r, y) + 98431.0/32
	return unbfloat(uint16(math.Float32bits(e)))
}

// subDown returns y - n rounded down, as VREDUCEPS rounds to floor in both its steps.
func subDown(y float32, n float64) float32 {
	d := float64(y) - n
	b := d - float64(y)
	rest := (float64(y) - (d - b)) + (-n - b) // d + rest is the exact difference
	r := float32(d)
	if float64(r) > d || float64(r) == d && rest < 0 {
		r = math.Nextafter32(r, float32(math.Inf(-1)))
	}
	return r
}
