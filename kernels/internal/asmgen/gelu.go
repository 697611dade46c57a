package asmgen

// phi is an approximation of the normal distribution: Φ(x) ≈ 1/2 + x·P(s) for
// |x| ≤ limit, and 0 or 1 beyond.
type phi struct {
	limit float32
	// scale maps x² ≤ limit² to s = scale·x² - 1, from -1 to 1, where the polynomial is
	// well conditioned: the sum of its coefficients' magnitudes is small.
	scale float32
	p     []float32
}

// The polynomials minimize the largest error of GELU, by weighted least squares. P(1) is so
// close to 1/(2·limit) that limit·P(1) rounds to 1/2: beyond the limit, GELU is exactly x
// or 0.
var (
	// Φ(-5.5) is 1.9e-8, which is less than a unit in the last place of 0.5. This is the
	// error of Φ before rounding.
	phiF32 = phi{5.5, 0.06611569970846176, []float32{
		0.1285519301891327, -0.06417234987020493, 0.047737594693899155, -0.038792386651039124,
		0.03207085654139519, -0.02605302818119526, 0.020360590890049934, -0.014974120073020458,
		0.01024031825363636, -0.006886421237140894, 0.004601799417287111, -0.002324376255273819,
		0.0007358465227298439, -0.0005967837059870362, 0.0006267166463658214, -0.00021709657448809594,
	}}
	// The error is Φ(-4) = 3.2e-5; the result is rounded to 8 bits next.
	phiShort = phi{4, 0.125, []float32{
		0.17594626545906067, -0.08440329879522324, 0.056088559329509735, -0.03612126410007477,
		0.021486354991793633, -0.013992449268698692, 0.00832680705934763, -0.002330979099497199,
	}}
)

var geluParams = []string{"x *float32", "stride int", "rows int"}

const geluDoc = `replaces rows ≥ 1 rows of WIDE values, stride bytes apart, by their GELU.

	for r := range rows {
		for c := range WIDE {
			v := x[r*stride+c]
			near := min(5.5, max(-5.5, v))
			s := fma(near*near, 2/5.5², -1)
			x[r*stride+c] = v * (0.5 + near*P(s))
		}
	}

P is a polynomial of degree 15 for (Φ(v) - 1/2)/v, where Φ is the normal distribution.
The result is off by at most 2.5·2⁻²⁴·|v|; float32 code that computes
v/2·(1 + erf(v/√2)) with the best erf is off by 1.7·2⁻²⁴·|v|. NaN stays NaN.

Tried without success: P/Q of degrees 5/5 in v² costs a division and is no more exact; a P of
degree 14 is off by 2.6·2⁻²⁴·|v|.`

const geluShortDoc = `is gelu with a limit of 4 and a P of degree 7: off by at most
3.2e-5·max(1, |v|).`

// geluColumns is the width of a row of the kernel gelu: that of a tile of gemm, or a part
// of it if there are not enough registers beside the constants.
func geluColumns(m Machine) int {
	if m.Arch() == "arm64" {
		return 8
	}
	return TileOf(m, F32).Cols
}

// gelu returns the kernel for an approximation. It computes the vectors of a row side by
// side, because each step of the polynomial waits for the one before.
func gelu(a phi) func(*Func) { return func(f *Func) { geluBy(f, a) } }

func geluBy(f *Func, a phi) {
	x, stride, rows := f.Arg("x"), f.Arg("stride"), f.Arg("rows")
	held := f.holdPhi(a)
	across := geluColumns(f.Machine) / f.Lanes()
	near, s, sum := f.Vecs(across, "near%d", 1), f.Vecs(across, "s%d", 1), f.Vecs(across, "p%d", 1)
	f.Times(rows, 1, func() {
		each := func(body func(i int)) {
			for i := range across {
				body(i)
			}
		}
		each(func(i int) { f.Load(near[i], x.At(4*f.Lanes()*i)) })
		held.of(f, sum, near, near, s)
		each(func(i int) { f.Load(near[i], x.At(4*f.Lanes()*i)) })
		each(func(i int) { f.Do(Mul, sum[i], sum[i], near[i]) })
		each(func(i int) { f.Store(x.At(4*f.Lanes()*i), sum[i]) })
		f.AddPtr(x, stride, 1)
	})
	f.Return()
}

// function is what the epilogue of a product on tiles can apply to a row of sums. hold emits
// the loading of its constants, and returns what emits the function itself: it replaces the
// registers y by the function of them.
type function interface {
	hold(f *Func) (apply func(y []V))
}

func (a phi) hold(f *Func) func(y []V) {
	held := f.holdPhi(a)
	return func(y []V) {
		phi := f.Vecs(len(y), "Φ[%d]", tileRows)
		held.of(f, phi, y, f.Vecs(len(y), "near%d", 1), f.Vecs(len(y), "s%d", 1))
		for c := range y {
			f.Do(Mul, y[c], phi[c], y[c])
		}
	}
}

// heldPhi is a phi whose constants are ready for a loop.
type heldPhi struct {
	low, high, scale V
	minusOne, half   Operand
	p                []Operand
}

func (f *Func) holdPhi(a phi) *heldPhi {
	return &heldPhi{
		f.InRegister(f.Const(-a.limit)), f.InRegister(f.Const(a.limit)),
		f.InRegister(f.Const(a.scale)), f.HoldOne(f.Const(-1)), f.HoldOne(f.Const(0.5)),
		f.Hold(a.p...),
	}
}

// of sets dst to Φ(x), all vectors side by side. It overwrites near, which may be x, and s.
func (h *heldPhi) of(f *Func, dst, x, near, s []V) {
	each := func(body func(i int)) {
		for i := range dst {
			body(i)
		}
	}
	each(func(i int) { f.Do(Max, near[i], h.low, x[i]) })
	each(func(i int) { f.Do(Min, near[i], h.high, near[i]) })
	each(func(i int) { f.Do(Mul, s[i], near[i], near[i]) })
	each(func(i int) { s[i] = f.Horner(s[i], h.scale, h.minusOne) })
	each(func(i int) { f.Fill(dst[i], h.p[len(h.p)-1]) })
	for k := len(h.p) - 2; k >= 0; k-- {
		each(func(i int) { dst[i] = f.Horner(dst[i], s[i], h.p[k]) })
	}
	each(func(i int) { f.Do(Mul, dst[i], dst[i], near[i]) })
	each(func(i int) { f.Do(Add, dst[i], dst[i], h.half) })
}
