package asmgen

import "math"

// Attention processes a head in tiles of queries. Its scores are transposed: a row for each
// key, a lane for each query. So keys are read as they are stored, only queries must be
// transposed, and softmax needs no sums across lanes. Measured on one core of Zen 5 (peak
// 265 and 133 GFLOP/s), 12 heads of 32, everything included, in GFLOP/s of the two
// products, at 32, 64, 87, 128, 256 and 512 tokens: AVX-512 154, 177, 173, 181, 203, 185;
// AVX2 78, 85, 84, 88, 91, 88.

// attentionRows is how many keys (in scores) or queries (in mix) a register tile has, two
// registers wide: enough independent sums to hide the latency of a multiply-add.
func attentionRows(m Machine) int {
	if m == AVX2 {
		return 4
	}
	return 8
}

// attentionColumns is the width of a tile of queries and of V's columns.
func attentionColumns(m Machine) int { return 2 * m.Lanes() }

// narrowOrWide emits body twice: for tiles one register wide and two registers wide.
func narrowOrWide(f *Func, body func(across int)) {
	across, wide := f.Arg("across"), f.Label("wide")
	f.JumpAtLeast(across, 2, wide)
	f.FreePtr(across)
	f.Scope(func() { body(1) })
	f.Place(wide)
	f.Scope(func() { body(2) })
}

// byRows emits code that runs body for most rows at a time, and then once for the remaining
// rows.
func byRows(f *Func, n P, most int, body func(rows int)) {
	end := f.Label("end")
	f.Times(n, most, func() { f.Scope(func() { body(most) }) })
	for rows := most - 1; rows > 0; rows-- {
		next := f.Label("next")
		f.JumpLess(n, rows, next)
		f.Scope(func() { body(rows) })
		f.Jump(end)
		f.Place(next)
	}
	f.Place(end)
}

var scoresParams = []string{"across int", "dst *float32", "k unsafe.Pointer", "kStride int", "q *float32", "size int", "keys int", "largest *float32"}

const scoresDoc = `multiplies keys by a tile of transposed queries. With columns =
LANES·across, across 1 or 2, kStride in bytes and size a multiple of 4:

	for i := range columns {
		largest[i] = -Inf
	}
	for j := range keys {
		for i := range columns {
			var sum float32
			for c := range size {
				sum = fma(k[j*kStride+c], q[c*columns+i], sum)
			}
			dst[j*columns+i] = sum
			largest[i] = max(largest[i], sum)
		}
	}`

const scoresBF16Doc = `is scores for keys and queries in bfloat16: q holds pairs of
values, size counts pairs, and a pair's products are added odd then even.`

func scores(form Format) func(*Func) {
	return func(f *Func) { narrowOrWide(f, func(across int) { scoresOf(f, form, across) }) }
}

func scoresOf(f *Func, form Format, across int) {
	step := 4 * f.Lanes() * across
	dst, k, stride, keys := f.Arg("dst"), f.Arg("k"), f.Arg("kStride"), f.Arg("keys")
	largest := f.Vecs(across, "largest[%d]", f.Lanes())
	for _, v := range largest {
		f.Fill(v, f.ConstBits(math.Float32bits(float32(math.Inf(-1))), "-Inf"))
	}
	byRows(f, keys, attentionRows(f.Machine), func(rows int) {
		sums := f.Tile(rows, across)
		f.Scope(func() {
			x, q, n := f.Ptr("k"), f.Arg("q"), f.Ptr("size")
			f.Move(x, k)
			xs := f.Rows(x, stride, rows)
			f.LoadArg(n)
			f.Times(n, 4, func() {
				f.Products(form, sums, xs, 4, q.At(0), 4)
				f.AddImm(q, 4*step)
				f.Advance(xs, 16)
			})
		})
		for r := range sums {
			for c, v := range sums[r] {
				f.Store(dst.At(r*step+4*f.Lanes()*c), v)
				f.Do(Max, largest[c], largest[c], v)
			}
			f.AddPtr(k, stride, 1)
		}
		f.AddImm(dst, rows*step)
	})
	out := f.Arg("largest")
	for c, v := range largest {
		f.Store(out.At(4*f.Lanes()*c), v)
	}
	f.Return()
}

// exp2P is the polynomial for 2^r, |r| ≤ 1/2. Its error is 2e-9 before rounding, and less
// than a unit in the last place after.
var exp2P = []float32{
	1, 0.6931471824645996, 0.24022647738456726, 0.055503323674201965,
	0.00961843691766262, 0.0013398875016719103, 0.00015353361959569156,
}

// Adding exp2Magic to y leaves 127 + round(y) in the low bits: the exponent field of
// 2^round(y).
const exp2Magic = 3<<22 + 127

var exponentsParams = []string{"across int", "s *float32", "keys int", "largest *float32", "scale float32"}

const exponentsDoc = `replaces scores s by powers of two, and largest by the factor
with which these add up to 1. With columns = LANES·across, across 1 or 2:

	for i := range columns {
		var sum float32
		for j := range keys {
			y := max(-127, (s[j*columns+i]-largest[i])*scale)
			s[j*columns+i] = P(y-round(y)) * 2^round(y)
			sum += s[j*columns+i]
		}
		largest[i] = 1 / sum
	}

P is 2^r for |r| ≤ 1/2 to within one unit in the last place; 2^-127 is 0. NaN
stays NaN.

Tried without success: fma(s, scale, -scale·largest) saves an operation, but at the largest
score it is not exactly 0, and for large scores far from it.`

// powers holds the constants that computing 2^((y-top)·scale) needs.
type powers struct {
	scale, low V
	magic      Operand
	p          []Operand
}

// powers loads the parameter scale, and the coefficients p of a polynomial for 2^r.
func (f *Func) powers(p []float32) *powers {
	k := &powers{scale: f.Vec("scale"), low: f.InRegister(f.Const(-127)), magic: f.HoldOne(f.Const(exp2Magic))}
	f.SplatArg(k.scale)
	k.p = f.Hold(p...)
	return k
}

// of computes e = 2^max(-127, (y-top)·scale) for several registers side by side. It
// overwrites y and t. If there are fewer tops than ys, they repeat.
func (k *powers) of(f *Func, e, y, t, top []V) {
	each := func(body func(c int)) {
		for c := range y {
			body(c)
		}
	}
	each(func(c int) { f.Do(Sub, y[c], y[c], top[c%len(top)]) })
	each(func(c int) { f.Do(Mul, y[c], y[c], k.scale) })
	each(func(c int) { f.Do(Max, y[c], k.low, y[c]) })
	each(func(c int) { f.Do(Add, t[c], y[c], k.magic) })
	each(func(c int) { f.Do(Sub, e[c], t[c], k.magic) })
	each(func(c int) { f.Do(Sub, y[c], y[c], e[c]) })
	each(func(c int) { f.ShiftLeft(t[c], t[c], 23) })
	each(func(c int) { f.Fill(e[c], k.p[len(k.p)-1]) })
	for i := len(k.p) - 2; i >= 0; i-- {
		each(func(c int) { e[c] = f.Horner(e[c], y[c], k.p[i]) })
	}
	each(func(c int) { f.Do(Mul, e[c], e[c], t[c]) })
}

func exponents(f *Func) {
	narrowOrWide(f, func(across int) {
		s, keys, largest := f.Arg("s"), f.Arg("keys"), f.Arg("largest")
		powers := f.powers(exp2P)
		top, sum := f.Vecs(across, "largest%d", 1), f.Vecs(across, "sum%d", 1)
		y, t, e := f.Vecs(across, "y%d", 1), f.Vecs(across, "t%d", 1), f.Vecs(across, "e%d", 1)
		at := func(p P, c int) Mem { return p.At(4 * f.Lanes() * c) }
		for c := range across {
			f.Zero(sum[c])
			f.Load(top[c], at(largest, c))
		}
		f.Times(keys, 1, func() {
			each := func(body func(c int)) {
				for c := range across {
					body(c)
				}
			}
			each(func(c int) { f.Load(y[c], at(s, c)) })
			powers.of(f, e, y, t, top)
			each(func(c int) { f.Store(at(s, c), e[c]) })
			each(func(c int) { f.Do(Add, sum[c], sum[c], e[c]) })
			f.AddImm(s, 4*f.Lanes()*across)
		})
		one := f.InRegister(f.Const(1))
		for c := range across {
			f.Do(Div, sum[c], one, sum[c])
			f.Store(at(largest, c), sum[c])
		}
		f.Return()
	})
}

var mixParams = []string{"across int", "dst *float32", "dstStride int", "p *float32", "v *float32", "keys int", "factor *float32", "queries int"}

const mixDoc = `computes the weighted sum of V's rows, COLUMNS columns of them, for each
query of a tile. With columns = LANES·across, across 1 or 2, and dstStride in bytes:

	for i := range queries {
		for c := range COLUMNS {
			var sum float32
			for j := range keys {
				sum = fma(p[j*columns+i], v[j*COLUMNS+c], sum)
			}
			dst[i*dstStride+c] = sum * factor[i]
		}
	}`

const mixBF16Doc = `is mix for weights and values in bfloat16: p and v hold pairs, of
two keys each, keys counts pairs, and a pair's products are added odd then even.`

func mix(form Format) func(*Func) {
	return func(f *Func) { narrowOrWide(f, func(across int) { mixOf(f, form, across) }) }
}

func mixOf(f *Func, form Format, across int) {
	step := 4 * f.Lanes() * across
	dst, stride, p, factor, queries := f.Arg("dst"), f.Arg("dstStride"), f.Arg("p"), f.Arg("factor"), f.Arg("queries")
	byRows(f, queries, attentionRows(f.Machine), func(rows int) {
		sums := f.Tile(rows, 2)
		f.Scope(func() {
			x, v, n := f.Ptr("p"), f.Arg("v"), f.Ptr("keys")
			f.Move(x, p)
			f.LoadArg(n)
			xs := &Rows{bases: []P{x}}
			for r := range rows {
				xs.at = append(xs.at, x.At(4*r))
			}
			width := 4 * attentionColumns(f.Machine)
			for _, k := range []int{4, 1} {
				f.Times(n, k, func() {
					f.Products(form, sums, xs, step, v.At(0), k)
					f.AddImm(v, k*width)
					f.Advance(xs, k*step)
				})
			}
		})
		f.Scope(func() {
			by := f.Vec("factor")
			for r := range sums {
				f.Splat(by, factor.At(4*r))
				for c, v := range sums[r] {
					f.Do(Mul, v, v, by)
					f.Store(dst.At(4*f.Lanes()*c), v)
				}
				f.AddPtr(dst, stride, 1)
			}
		})
		f.AddImm(p, 4*rows)
		f.AddImm(factor, 4*rows)
	})
	f.Return()
}
