//go:build linux && amd64 && !noasm

package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

var attendedHeads = []Heads{{2, 32}, {1, 64}}

// isTheChain compares all queries, from the first one on, with the plain chain.
func (a *attended) isTheChain(t *testing.T, got []float32, from int, narrow bool) {
	t.Helper()
	width := a.heads.Count * a.heads.Size
	for i := range len(got) / width {
		for h := range a.heads.Count {
			for x, want := range a.chain(from+i, h) {
				if narrow {
					want = roundBF16(want)
				}
				if c := h*a.heads.Size + x; !same(got[i*width+c], want) {
					t.Fatalf("%v, %d queries, %d keys: y[%d,%d] = %g, want %g", a.heads, a.queries, a.keys, from+i, c, got[i*width+c], want)
				}
			}
		}
	}
}

// Every query is the plain chain, bit for bit: at all numbers of queries and keys around
// a tile, at odd strides, with nothing read that is not there and nothing written outside.
func TestAttendIsTheChain(t *testing.T) {
	needAMX(t)
	r := rand.New(rand.NewPCG(81, 82))
	for _, heads := range attendedHeads {
		for _, keys := range []int{1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 87, 100} {
			for _, queries := range []int{1, 2, 15, 16, 17, 33, keys} {
				a := newAttended(r, heads, queries, keys)
				for _, narrow := range []bool{false, true} {
					a.isTheChain(t, a.run(t, 0, queries, narrow), 0, narrow)
				}
			}
		}
	}
}

// A query's context does not depend on where in a block it is, nor on the others: those
// here have scores of all sizes.
func TestAttendOfSomeQueries(t *testing.T) {
	needAMX(t)
	r := rand.New(rand.NewPCG(83, 84))
	for _, heads := range attendedHeads {
		width := heads.Count * heads.Size
		a := newAttended(r, heads, 50, 40)
		for i := 0; i < a.queries; i += 7 {
			for c := range width {
				a.q[i*a.qs+c] = bfloat(unbfloat(a.q[i*a.qs+c]) * 60)
			}
		}
		all := a.run(t, 0, a.queries, false)
		for _, rows := range [][2]int{{0, 1}, {1, 2}, {7, 8}, {3, 40}, {15, 31}, {16, 50}, {49, 50}} {
			for x, got := range a.run(t, rows[0], rows[1], false) {
				if want := all[rows[0]*width+x]; !same(got, want) {
					t.Fatalf("%v, queries %d to %d: y[%d,%d] = %g, among all %g", heads, rows[0], rows[1], rows[0]+x/width, x%width, got, want)
				}
			}
		}
	}
}

// Scores that 2^x is not computed of as they are: too large, too small, all of them below
// what would leave a weight, and beside them queries that have none.
func TestAttendOfLargeScores(t *testing.T) {
	needAMX(t)
	r := rand.New(rand.NewPCG(85, 86))
	for _, heads := range attendedHeads {
		for _, keys := range []int{1, 20, 32, 70} {
			a := newAttended(r, heads, 35, keys)
			width := heads.Count * heads.Size
			set := func(i int, each func(c int) float32) {
				for c := range width {
					a.q[i*a.qs+c] = bfloat(each(c))
				}
			}
			// The first value of each head is 1 in all keys: a query's first value moves
			// all its scores by as much.
			for j := range keys {
				for c := 0; c < width; c += heads.Size {
					a.k[j*a.kvs+c] = bfloat(1)
				}
			}
			for i, score := range []float32{1.99, 2, -1.99, -2, 3, -3, 4, -4, 30, -30, 1e6, -1e6, 1e30, -1e30} {
				old := a.q[2*i*a.qs:]
				set(2*i, func(c int) float32 {
					if c%heads.Size == 0 {
						return score
					}
					return unbfloat(old[c])
				})
			}
			set(31, func(int) float32 { return float32(10 * r.NormFloat64()) })
			set(34, func(int) float32 { return float32(1e4 * r.NormFloat64()) })
			for _, narrow := range []bool{false, true} {
				a.isTheChain(t, a.run(t, 0, a.queries, narrow), 0, narrow)
			}
			exact := a.exact()
			for x, got := range a.run(t, 0, a.queries, false) {
				if e := exact[x]; !(math.Abs(float64(got)-e.y) <= e.bound) {
					t.Fatalf("%v, %d keys: y[%d,%d] = %g, exactly %g ± %g", heads, keys, x/width, x%width, got, e.y, e.bound)
				}
			}
		}
	}
}

// within is an exact result, and how far from it bfloat16 may be.
type within struct{ y, bound float64 }

// exact computes the context in float64.
//
// A weight is p·(1+e), |e| at most 2^-8 for the rounding and 1e-4 for the polynomial, and
// what the score is off by: its 2·size/32+16 roundings of at most the sum of the products'
// magnitudes, and as many again of the result, times 32·ln 2; and 2^-24 of the score where
// the maximum is subtracted. With weights that add up to 1, the result is off by the sum of
// p·e·(v-y), over 1-e, and its own roundings.
func (a *attended) exact() []within {
	out := make([]within, 0, a.queries*a.heads.Count*a.heads.Size)
	for i := range a.queries {
		for h := range a.heads.Count {
			c := h * a.heads.Size
			p, off, top := make([]float64, a.keys), 0.0, math.Inf(-1)
			for j := range p {
				size := 0.0
				for x := c; x < c+a.heads.Size; x++ {
					product := 32 * float64(unbfloat(a.q[i*a.qs+x])) * float64(unbfloat(a.k[j*a.kvs+x]))
					p[j] += product
					size += math.Abs(product)
				}
				top, off = max(top, p[j]), max(off, size)
			}
			e := 0x1p-8 + 1e-4 + math.Expm1(math.Ln2*off*24*0x1p-24)
			sum := 0.0
			for j := range p {
				p[j] = math.Exp2(p[j] - top)
				sum += p[j]
			}
			for x := c; x < c+a.heads.Size; x++ {
				var y, spread, size float64
				value := func(j int) float64 { return float64(unbfloat(a.v[j*a.kvs+x])) }
				for j := range p {
					y += p[j] / sum * value(j)
				}
				for j := range p {
					spread += p[j] / sum * math.Abs(value(j)-y)
					size += p[j] / sum * math.Abs(value(j))
				}
				bound := math.Inf(1) // where rounding the scores leaves nothing
				if e < 0.5 {
					bound = e/(1-e)*spread + size*float64(20+a.keys/32)*0x1p-24 + 0x1p-100
				}
				out = append(out, within{y, bound})
			}
		}
	}
	return out
}

// The result is as near to the exact one as weights in bfloat16 can be.
func TestAttendError(t *testing.T) {
	needAMX(t)
	for _, heads := range attendedHeads {
		a := newAttended(rand.New(rand.NewPCG(87, 88)), heads, 64, 128)
		got := a.run(t, 0, a.queries, false)
		var mean, bounds float64
		for i, e := range a.exact() {
			off := math.Abs(float64(got[i]) - e.y)
			if !(off <= e.bound) {
				t.Fatalf("%v: y[%d] = %g, exactly %g ± %g", heads, i, got[i], e.y, e.bound)
			}
			mean += off / float64(len(got))
			bounds += e.bound / float64(len(got))
		}
		t.Logf("%v: mean error %.3g, where %.3g is allowed", heads, mean, bounds)
	}
}

// NaN and infinities in a key reach every query, in a query that query alone, as with the
// generic kernel; denormals do no harm.
func TestAttendOfOddValues(t *testing.T) {
	needAMX(t)
	heads, n := Heads{1, 32}, 37
	scale := float32(math.Log2E / math.Sqrt(32) / 32)
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40} {
		for _, at := range []struct{ which, row, column int }{{0, 5, 0}, {1, 5, 0}, {2, 5, 0}, {1, 36, 31}, {2, 36, 31}, {0, 36, 3}} {
			a := newAttended(rand.New(rand.NewPCG(75, 76)), heads, n, n)
			operand, stride := [][]uint16{a.q, a.k, a.v}[at.which], []int{a.qs, a.kvs, a.kvs}[at.which]
			operand[at.row*stride+at.column] = uint16(math.Float32bits(bad) >> 16)
			wide := make([]float32, 3*n*32)
			for i := range n {
				for c := range 32 {
					wide[i*96+c] = unbfloat(a.q[i*a.qs+c]) / scale
					wide[i*96+32+c] = unbfloat(a.k[i*a.kvs+c])
					wide[i*96+64+c] = unbfloat(a.v[i*a.kvs+c])
				}
			}
			want := make([]float32, n*32)
			Attention(want, wide, wide[32:], wide[64:], n, n, 96, 96, heads, make([]float32, n))
			for _, narrow := range []bool{false, true} {
				for i, g := range a.run(t, 0, n, narrow) {
					g, w := float64(g), float64(want[i])
					if math.IsNaN(g) != math.IsNaN(w) || math.IsInf(w, 0) && g != w || !math.IsInf(w, 0) && math.Abs(g-w) > 0.03 {
						t.Fatalf("%g at %v: y[%d,%d] = %g, in float32 %g", bad, at, i/32, i%32, g, w)
					}
				}
			}
		}
	}
}
