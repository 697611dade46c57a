package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What BFMMLA does where FEAT_EBF16 is not in use (Arm Architecture Reference Manual,
// functions BFDotAdd, BFMul, BFAdd and BFRound of the shared pseudocode), said plainly.

// addOdd returns x + y, rounded to odd: what is not exact is cut off, and its last bit
// set. What is below the normal numbers is 0.
func addOdd(x, y float64) float32 {
	s := x + y
	if s == 0 || math.IsInf(s, 0) || s != s {
		return float32(s)
	}
	// Rounded to odd in float64 first: s + rest is the exact sum.
	part := s - x
	rest := (x - (s - part)) + (y - part)
	bits := math.Float64bits(s)
	if rest != 0 {
		if (rest > 0) != (s > 0) {
			bits-- // the exact sum is nearer to 0 than s
		}
		bits |= 1
	}
	sign, exponent := uint32(bits>>32)&0x80000000, int(bits>>52&0x7ff)-1023
	switch {
	case exponent < -126:
		return math.Float32frombits(sign)
	case exponent > 127:
		return math.Float32frombits(sign | 0x7f800000)
	}
	const lost = 52 - 23
	fraction := uint32(bits >> lost & (1<<23 - 1))
	if bits&(1<<lost-1) != 0 {
		fraction |= 1
	}
	return math.Float32frombits(sign | uint32(exponent+127)<<23 | fraction)
}

// multiplyOdd returns x·y of bfloat16. It has 16 bits, and is exact but at the ends of
// float32, where it becomes infinite or 0.
func multiplyOdd(x, y float32) float32 { return flushed(flushed(x) * flushed(y)) }

// roundGradual is roundBF16 that keeps denormals.
func roundGradual(x float32) float32 {
	bits := math.Float32bits(x)
	if x != x || bits&0x7f800000 != 0 {
		return roundBF16(x)
	}
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}

// chainMatrixBF16 is what each output of a product by BFMMLA is: of pairs of products,
// up to the end of what the row is filled up to.
func chainMatrixBF16(x, w []float32, bias float32) float32 {
	product := func(k int) float32 {
		if k >= len(x) {
			return 0
		}
		return multiplyOdd(roundGradual(x[k]), roundBF16(w[k]))
	}
	sum := bias
	for k := 0; k < padded(len(x), 16); k += 2 {
		pair := addOdd(float64(product(k)), float64(product(k+1)))
		sum = addOdd(float64(flushed(sum)), float64(pair))
	}
	return sum
}

func TestAddOdd(t *testing.T) {
	ulp := math.Ldexp(1, -23)
	for _, c := range [][3]float64{
		{1, ulp, 1 + ulp},             // exact
		{1, ulp / 2, 1 + ulp},         // inexact: odd
		{1, 1e-30, 1 + ulp},           // however little
		{1 + ulp, 1e-30, 1 + ulp},     // is odd already
		{1, -1e-30, 1 - ulp/2},        // below a power of two
		{-1, 1e-30, -1 + ulp/2},       //
		{1 + ulp, -1e-30, 1 + ulp},    // cut off to 1, which is even
		{1 + 2*ulp, -1e-30, 1 + ulp},  //
		{-1 - 2*ulp, 1e-30, -1 - ulp}, //
		{1.5, -1.5, 0},
		{math.Ldexp(1, -126), -math.Ldexp(1, -127), 0},        // denormal
		{math.MaxFloat32, math.Ldexp(1, 80), math.MaxFloat32}, // odd already
		{math.MaxFloat32, math.Ldexp(1, 104), math.Inf(1)},    // too large
		{math.Inf(-1), 1, math.Inf(-1)},                       //
		{math.Inf(1), math.Inf(-1), math.NaN()},               //
		{math.Copysign(0, -1), 0, 0},                          //
		{math.Copysign(0, -1), math.Copysign(0, -1), math.Copysign(0, -1)},
	} {
		if got := addOdd(c[0], c[1]); !same(got, float32(c[2])) {
			t.Errorf("%g + %g = %g, want %g", c[0], c[1], got, c[2])
		}
	}
}

// Operands of every size and sign, near 0 and near infinity and beyond, whose products
// and sums are rounded, flushed and infinite in turn.
func TestBFMMLAAtTheEnds(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		if v.Format != BF16 || !v.product().Pairs {
			t.Skip("not by BFMMLA")
		}
		// A denormal that rounds to a normal number counts.
		below, least := []float32{math.Float32frombits(0x007fffff), 0}, make([]float32, 1)
		Pack([]float32{1, 1}, []float32{0}, 1, 2, v, Inputs{}).multiply(least, below, 1, 1, 2)
		if least[0] != tiny || exact(v, below, []float32{1, 1}, []float32{0}, 1, 1, 2)[0] != tiny {
			t.Errorf("%g times 1 is %g, want %g", below[0], least[0], float32(tiny))
		}
		r := rand.New(rand.NewPCG(91, 92))
		for _, size := range []struct{ lowest, highest int }{{0, 256}, {0, 3}, {60, 68}, {125, 130}, {186, 193}, {253, 255}} {
			odd := func() float32 {
				exponent := size.lowest + r.IntN(size.highest-size.lowest)
				return math.Float32frombits(r.Uint32()&0x807fffff | uint32(exponent)<<23)
			}
			for range 200 {
				const out, rows = 17, 5
				in := 1 + r.IntN(20)
				x, w, bias := make([]float32, rows*in), make([]float32, out*in), make([]float32, out)
				for _, values := range [][]float32{x, w, bias} {
					for i := range values {
						values[i] = odd()
					}
				}
				dst := make([]float32, rows*out)
				Pack(w, bias, out, in, v, Inputs{}).multiply(dst, x, rows, out, in)
				for i, want := range exact(v, x, w, bias, rows, out, in) {
					if !same(dst[i], want) {
						t.Fatalf("exponents %d, in %d: y[%d,%d] = %g (%08x), want %g (%08x)", size, in, i/out, i%out, dst[i], math.Float32bits(dst[i]), want, math.Float32bits(want))
					}
				}
			}
		}
	})
}
