package asmgen

// exp2Short is the polynomial for 2^r, |r| ≤ 1/2, with a relative error of 1e-4; a result
// in bfloat16 is off by up to 2e-3. It is the minimax polynomial with 1 at 0, by weighted
// least squares.
var exp2Short = []float32{1, 0.6932829022407532, 0.24221095442771912, 0.05500893294811249}

const exponentsBF16Doc = `is exponents with a shorter P and results in bfloat16,
rounded to the nearest, in pairs of the keys 2·j and 2·j+1. There are keys pairs.
Sums are of results before rounding.

	for i := range columns {
		var sum float32
		for j := range keys {
			for half := range 2 {
				y := max(-127, (s[(2*j+half)*columns+i]-largest[i])*scale)
				e := P(y-round(y)) * 2^round(y)
				pairs[j*columns+i][half] = bfloat16(e)
				sum += e
			}
		}
		largest[i] = 1 / sum
	}

pairs overwrites s: row j of pairs is where row j of s was.`

// exponentsBF16 computes both keys of a pair side by side.
func exponentsBF16(f *Func) {
	narrowOrWide(f, func(across int) {
		s, keys, largest := f.Arg("s"), f.Arg("keys"), f.Arg("largest")
		dst := f.Ptr("pairs")
		f.Move(dst, s)
		powers := f.powers(exp2Short)
		half, upper := f.InRegister(f.ConstBits(0x8000, "half a unit")), f.InRegister(f.ConstBits(0xffff0000, "upper halves"))
		n, step := 2*across, 4*f.Lanes()
		top, sum := f.Vecs(across, "largest%d", 1), f.Vecs(across, "sum%d", 1)
		y, t, e := f.Vecs(n, "y%d", 1), f.Vecs(n, "t%d", 1), f.Vecs(n, "e%d", 1)
		for c := range across {
			f.Zero(sum[c])
			f.Load(top[c], largest.At(step*c))
		}
		f.Times(keys, 1, func() {
			each := func(body func(c int)) {
				for c := range n {
					body(c)
				}
			}
			each(func(c int) { f.Load(y[c], s.At(step*c)) })
			powers.of(f, e, y, t, top)
			each(func(c int) { f.Do(Add, sum[c%across], sum[c%across], e[c]) })
			for c := range across {
				f.pairHalves(f, e[c], e[across+c], half, upper)
				f.Store(dst.At(step*c), e[c])
			}
			f.AddImm(s, 2*step*across)
			f.AddImm(dst, step*across)
		})
		one := f.InRegister(f.Const(1))
		for c := range across {
			f.Do(Div, sum[c], one, sum[c])
			f.Store(largest.At(step*c), sum[c])
		}
		f.Return()
	})
}

var pairRowsParams = []string{"dst *float32", "v unsafe.Pointer", "stride int", "pairs int"}

const pairRowsDoc = `interleaves COLUMNS bfloat16 of two rows, for pairs of rows that are
stride bytes apart.

	for j := range pairs {
		for c := range COLUMNS {
			dst[j*COLUMNS+c] = {v[2*j*stride+c], v[(2*j+1)*stride+c]}
		}
	}`

func pairRows(f *Func) {
	dst, v, stride, pairs := f.Arg("dst"), f.Arg("v"), f.Arg("stride"), f.Arg("pairs")
	odd := f.Ptr("odd")
	f.Move(odd, v)
	f.AddPtr(odd, stride, 1)
	a, b := f.Vecs(2, "even%d", 1), f.Vecs(2, "odd%d", 1)
	f.Times(pairs, 1, func() {
		for c := range a {
			f.loadHalves(f, a[c], v.At(2*f.Lanes()*c))
			f.loadHalves(f, b[c], odd.At(2*f.Lanes()*c))
		}
		for c := range a {
			f.ShiftLeft(b[c], b[c], 16)
			f.or(f, a[c], a[c], b[c])
			f.Store(dst.At(4*f.Lanes()*c), a[c])
		}
		for range 2 {
			f.AddPtr(v, stride, 1)
			f.AddPtr(odd, stride, 1)
		}
		f.AddImm(dst, 8*f.Lanes())
	})
	f.Return()
}
