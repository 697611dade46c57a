package kernels

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// half returns the value of a half's bits.
func half(bits uint16) float32 {
	sign, exponent, fraction := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&0x3ff)
	switch exponent {
	case 0:
		return float32(math.Copysign(math.Ldexp(fraction, -24), sign))
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return float32(sign * math.Inf(1))
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}

// Every half stays what it is; what lies between two goes to the nearer one, and
// from the middle to the even one.
func TestRoundF16(t *testing.T) {
	const infinity = 0x7c00
	for bits := range uint16(infinity) {
		x := float64(half(bits))
		next := float64(half(bits + 1))
		if bits+1 == infinity {
			next = 65536 // where it would be, but for the end
		}
		middle := (x + next) / 2
		even := bits + bits&1
		for _, c := range []struct {
			x    float64
			want uint16
		}{{x, bits}, {middle, even}, {math.Nextafter(middle, x), bits}, {math.Nextafter(middle, next), bits + 1}} {
			for sign, x := range []float64{c.x, -c.x} {
				if got, want := roundF16(x), half(c.want|uint16(sign)<<15); !same(got, want) {
					t.Fatalf("%g to %g, want %g", x, got, want)
				}
			}
		}
	}
	for _, c := range [][2]float64{{math.Inf(1), math.Inf(1)}, {math.Inf(-1), math.Inf(-1)}, {math.NaN(), math.NaN()}, {1e300, math.Inf(1)}, {5e-324, 0}} {
		if got := roundF16(c[0]); !same(got, float32(c[1])) {
			t.Errorf("%g to %g, want %g", c[0], got, c[1])
		}
	}
}

// exactF16 is fmaF16 of finite halves by way of integers of any length.
func exactF16(x, y, z float32) float32 {
	of := func(v float32) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(float64(v)) }
	sum := of(x)
	sum.Mul(sum, of(y)).Add(sum, of(z))
	if sum.Sign() == 0 {
		return x*y + z // for the sign of 0
	}
	// A half has 11 bits, and none below 2^-24.
	precision := min(11, sum.MantExp(nil)+24)
	if precision < 1 {
		// 2^-25 and less, or, where precision is 0, up to 2^-24.
		tiny := float32(0)
		if precision == 0 && new(big.Float).Abs(sum).Cmp(big.NewFloat(0x1p-25)) > 0 {
			tiny = 0x1p-24
		}
		return float32(math.Copysign(float64(tiny), float64(sum.Sign())))
	}
	value, _ := sum.SetPrec(uint(precision)).Float32()
	if math.Abs(float64(value)) > 65504 {
		return float32(math.Inf(sum.Sign()))
	}
	return value
}

func TestFMAF16(t *testing.T) {
	r := rand.New(rand.NewPCG(81, 82))
	finite := func() float32 {
		return half(uint16(r.IntN(0x7c00) | r.IntN(2)<<15))
	}
	check := func(x, y, z float32) {
		t.Helper()
		if got, want := fmaF16(x, y, z), exactF16(x, y, z); !same(got, want) {
			t.Fatalf("%g·%g + %g = %g, want %g", x, y, z, got, want)
		}
	}
	for range 200_000 {
		x, y := finite(), finite()
		check(x, y, finite())
		// Near a tie, or near 0.
		z := roundF16(-float64(x) * float64(y))
		if math.Abs(float64(z)) <= 65504 {
			check(x, y, z)
			check(x, y, roundF16(float64(z)*math.Ldexp(1+r.Float64(), r.IntN(24)-12)))
		}
	}
	// A product too small to see, on both sides of a power of two and of a tie in
	// float64.
	smallest, infinity := half(1), float32(math.Inf(1))
	for _, z := range []float32{1, 1024, 32768, 65504, -1, -65504, smallest, half(0x3ff), half(0x400), 0} {
		for _, x := range []float32{smallest, -smallest, half(0x3ff)} {
			for _, y := range []float32{smallest, half(0x3ff), 0.5, half(0x3bff), 1, half(0x3c01)} {
				check(x, y, z)
			}
		}
	}
	nan := float32(math.NaN())
	for _, c := range [][4]float32{
		{infinity, 1, 0, infinity}, {infinity, -1, 5, -infinity}, {infinity, 0, 1, nan}, {1, 1, infinity, infinity},
		{infinity, 1, -infinity, nan}, {nan, 1, 1, nan}, {1, 1, nan, nan}, {65504, 65504, -65504, infinity}, {65504, -65504, infinity, infinity},
	} {
		if got := fmaF16(c[0], c[1], c[2]); !same(got, c[3]) {
			t.Errorf("%g·%g + %g = %g, want %g", c[0], c[1], c[2], got, c[3])
		}
	}
}

// chainF16 is what each output of a product of halves is, said plainly.
func chainF16(x, w []float32, bias float32) float32 {
	total := bias
	for block := range slices.Chunk(x, sumBlockF16) {
		var sum float32
		for k, v := range block {
			sum = fmaF16(roundF16(float64(v)), roundF16(float64(w[k])), sum)
		}
		total += sum
		w = w[len(block):]
	}
	return total
}

// Plain Go computes the chain too, whatever the number of rows and the strides.
func TestGenericF16IsTheChain(t *testing.T) {
	r := rand.New(rand.NewPCG(83, 84))
	for _, in := range sizes {
		for _, out := range []int{1, 3, 4, 5, 9} {
			const rows = 3
			for _, gap := range []int{0, 2} {
				w, bias, x := random(r, out*in), random(r, out), random(r, rows*(in+gap))
				dst, check := guarded(t, rows*(out+gap))
				Pack(w, bias, out, in, Variant{Generic, F16}, Inputs{}).multiply(dst, x, rows, out+gap, in+gap)
				check()
				for i := range rows {
					for o := range out {
						if got, want := dst[i*(out+gap)+o], chainF16(x[i*(in+gap):][:in], w[o*in:][:in], bias[o]); !same(got, want) {
							t.Fatalf("in %d out %d: y[%d,%d] = %g, want %g", in, out, i, o, got, want)
						}
					}
				}
			}
		}
	}
}

// Every float32 exponent, ties and the ends round as roundF16 says.
func TestInputF16(t *testing.T) {
	halves(t, func(t *testing.T, v Variant) {
		const step = 4093 // odd: all endings of the mantissa
		x := make([]float32, 0, 1<<32/step+1)
		for bits := uint64(0); bits < 1<<32; bits += step {
			x = append(x, math.Float32frombits(uint32(bits)))
		}
		for bits := range uint16(0x7c00) {
			tie := (half(bits) + half(bits+1)) / 2
			x = append(x, half(bits), tie, -tie, math.Nextafter32(tie, 0))
		}
		x = append(x, 65519.996, 65520, -65520)
		var in Input
		in.Set(v, x, 1, len(x), len(x), Keep{})
		for i, value := range x {
			got, want := float32(0), roundF16(float64(value))
			if v.ISA == Generic {
				got = in.values[i]
			} else {
				got = half(binary.LittleEndian.Uint16(in.narrow[2*i:]))
			}
			if !same(got, want) {
				t.Fatalf("%g (%08x) = %g, want %g", value, math.Float32bits(value), got, want)
			}
		}
	})
}

// halves runs a test on every variant of half.
func halves(t *testing.T, test func(t *testing.T, v Variant)) {
	for _, v := range Variants() {
		if v.Format == F16 {
			t.Run(v.String(), func(t *testing.T) { test(t, v) })
		}
	}
}

// A half overflows, in an operand and in a sum, and is infinite then; what is
// denormal is not lost.
func TestMatrixOfHalvesAtTheEnds(t *testing.T) {
	infinity, nan := float32(math.Inf(1)), float32(math.NaN())
	filled := func(n int, value float32) []float32 { return slices.Repeat([]float32{value}, n) }
	halves(t, func(t *testing.T, v Variant) {
		for name, c := range map[string]struct {
			x    []float32
			w    float32
			want float32
		}{
			"large x":             {[]float32{70000, 1}, 1, infinity},
			"large w":             {[]float32{1, 1}, -70000, -infinity},
			"both infinite":       {[]float32{70000, -70000}, 1, nan},
			"infinite times 0":    {[]float32{70000, 1}, 0, nan},
			"as large as it gets": {[]float32{65504, 0}, 1, 65504},
			"sum too large":       {filled(sumBlockF16, 3000), 1, infinity},
			"sums of two blocks":  {filled(2*sumBlockF16, 1024), 1, 2 * sumBlockF16 * 1024},
			"opposite blocks":     {append(filled(sumBlockF16, 3000), filled(sumBlockF16, -3000)...), 1, nan},
			"product too large":   {[]float32{300, 1}, 300, infinity},
			"denormal x":          {[]float32{0x1p-24, 0x1p-20}, 1, 0x1p-24 + 0x1p-20},
			"denormal w":          {[]float32{1, 2}, 0x1.8p-23, 0x1.8p-23 * 3},
			"denormal product":    {[]float32{0x1p-12, -0x1p-10}, 0x1p-12, -3 * 0x1p-24},
			"product too small":   {[]float32{0x1p-14, 0x1p-14}, 0x1p-14, 0},
			"sticky sum":          {append([]float32{2048}, filled(sumBlockF16-1, 1)...), 1, 2048},
		} {
			const out, rows = 37, 7
			in := len(c.x)
			x := make([]float32, rows*in)
			copy(x[2*in:], c.x)
			dst := make([]float32, rows*out)
			Pack(filled(out*in, c.w), make([]float32, out), out, in, v, Inputs{}).multiply(dst, x, rows, out, in)
			for i, y := range dst {
				want := float32(0)
				if i/out == 2 {
					want = c.want
				} else if c.w*0 != 0 || math.Abs(float64(c.w)) > 65504 {
					want = nan // 0 times infinity
				}
				if y != want && !(y != y && want != want) {
					t.Errorf("%s: y[%d,%d] = %g, want %g", name, i/out, i%out, y, want)
				}
			}
		}
	})
}
