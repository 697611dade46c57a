package kernels

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// narrowed runs a test on every variant with assembly whose operands are not
// float32.
func narrowed(t *testing.T, test func(t *testing.T, v Variant)) {
	for _, v := range Variants() {
		if v.ISA != Generic && v.Format != F32 {
			t.Run(v.String(), func(t *testing.T) { test(t, v) })
		}
	}
}

// chainBF16 is what each output of a product of bfloat16 is, said plainly: of a
// pair the odd product is added first.
func chainBF16(x, w []float32, bias float32) float32 {
	total := bias
	for len(x) > 0 {
		n := min(len(x), 2*sumBlock)
		var sum float32
		for k := 0; k < n; k += 2 {
			if k+1 < n {
				sum = fma(roundBF16(x[k+1]), roundBF16(w[k+1]), sum)
			}
			sum = fma(roundBF16(x[k]), roundBF16(w[k]), sum)
		}
		total += sum
		x, w = x[n:], w[n:]
	}
	return total
}

// exact returns what a narrow product must be, bit for bit: the plain chain, or
// for integers the plain kernel.
func exact(v Variant, x, w, bias []float32, rows, out, in int) []float32 {
	want := make([]float32, rows*out)
	if v.Format == Int8 {
		Pack(w, bias, out, in, Variant{Generic, Int8}, Inputs{}).multiply(want, x, rows, out, in)
		return want
	}
	chain := chainBF16
	switch {
	case v.Format == F16:
		chain = chainF16
	case v.Format == BF16x3:
		chain = chainTilesSplit
	case v.product().Tiles:
		chain = chainTiles
	case v.product().Pairs:
		chain = chainMatrixBF16
	}
	for i := range rows {
		for o := range out {
			want[i*out+o] = chain(x[i*in:][:in], w[o*in:][:in], bias[o])
		}
	}
	return want
}

func TestNarrowMatrixIsExact(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		r := rand.New(rand.NewPCG(61, 62))
		for _, in := range []int{1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 384} {
			for _, out := range []int{1, 15, 16, 17, 47, 48, 49, 97} {
				w, bias := random(r, out*in), random(r, out)
				m := Pack(w, bias, out, in, v, Inputs{})
				for _, rows := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17} {
					dstStride, xStride := out+rows%3, in+rows%2
					x := random(r, rows*xStride)
					dense := make([]float32, 0, rows*in)
					for i := range rows {
						dense = append(dense, x[i*xStride:][:in]...)
					}
					want := exact(v, dense, w, bias, rows, out, in)
					dst, check := guarded(t, (rows-1)*dstStride+out)
					m.multiply(dst, x, rows, dstStride, xStride)
					check()
					for i := range rows {
						for o := range out {
							if got := dst[i*dstStride+o]; !same(got, want[i*out+o]) {
								t.Fatalf("in %d out %d rows %d: y[%d,%d] = %g, want %g", in, out, rows, i, o, got, want[i*out+o])
							}
						}
						if i+1 < rows {
							for o := out; o < dstStride; o++ {
								if math.Float32bits(dst[i*dstStride+o]) != math.Float32bits(poison) {
									t.Fatalf("in %d out %d rows %d: wrote between rows %d and %d", in, out, rows, i, i+1)
								}
							}
						}
					}
				}
			}
		}
	})
}

// More rows than one block of x, and MiniLM's sizes.
func TestNarrowMatrixOfManyRows(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		r := rand.New(rand.NewPCG(63, 64))
		for _, s := range []struct{ in, out, rows int }{{384, 1152, 261}, {1536, 384, 67}, {20000, 50, 11}} {
			w, bias, x := random(r, s.out*s.in), random(r, s.out), random(r, s.rows*s.in)
			dst, check := guarded(t, s.rows*s.out)
			Pack(w, bias, s.out, s.in, v, Inputs{}).multiply(dst, x, s.rows, s.out, s.in)
			check()
			for range 50 {
				i := r.IntN(s.rows)
				o := r.IntN(s.out)
				want := exact(v, x[i*s.in:][:s.in], w[o*s.in:][:s.in], bias[o:o+1], 1, 1, s.in)[0]
				if !same(dst[i*s.out+o], want) {
					t.Fatalf("%v: y[%d,%d] = %g, want %g", s, i, o, dst[i*s.out+o], want)
				}
			}
		}
	})
}

// Every float32 exponent, ties and halves rounds as roundBF16 says.
// A row's integers stand for its values to within half a step, the ends are
// exact up to rounding, and all instruction sets have the same ones.
// A row with a value that is not finite gives NaN, or where formats have infinities
// what float32 would; other rows do not notice. What is split has the difference of
// two infinities, which is NaN, as its low part. Denormals do no harm.
func TestNarrowMatrixOfOddValues(t *testing.T) {
	all := func(t *testing.T, v Variant) {
		const in, out, rows = 65, 50, 9
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40, -3e-45} {
			for k := range in {
				x, w := make([]float32, rows*in), make([]float32, out*in)
				for i := range w {
					w[i] = 1
				}
				x[3*in+k] = bad
				dst := make([]float32, rows*out)
				Pack(w, make([]float32, out), out, in, v, Inputs{}).multiply(dst, x, rows, out, in)
				for i, y := range dst {
					finite := math.Abs(float64(bad)) < 1
					if i/out != 3 || finite {
						if math.Abs(float64(y)) > 1e-30 {
							t.Fatalf("x[3,%d] = %g: y[%d,%d] = %g", k, bad, i/out, i%out, y)
						}
					} else if nan := v.Format == Int8 || v.Format == BF16x3; nan && y == y || !nan && !same(y, bad) {
						t.Fatalf("x[3,%d] = %g: y[3,%d] = %g", k, bad, i%out, y)
					}
				}
			}
		}
	}
	narrowed(t, all)
	t.Run("plain int8", func(t *testing.T) { all(t, Variant{Generic, Int8}) })
	t.Run("plain half", func(t *testing.T) { all(t, Variant{Generic, F16}) })
	t.Run("plain split", func(t *testing.T) { all(t, Variant{Generic, BF16x3}) })
}

// Integers lose what their steps are too coarse for, and no more: each product
// is off by at most half a step of each operand.
func TestInt8Error(t *testing.T) {
	r := rand.New(rand.NewPCG(67, 68))
	const in, out, rows = 384, 24, 16
	x, w, bias := make([]float32, rows*in), make([]float32, out*in), make([]float32, out)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range w {
		w[i] = float32(r.NormFloat64() * 0.05)
	}
	dst := make([]float32, rows*out)
	Pack(w, bias, out, in, Variant{Generic, Int8}, Inputs{}).multiply(dst, x, rows, out, in)
	var errors, size float64
	for i := range dst {
		var want float64
		for k := range in {
			want += float64(x[i/out*in+k]) * float64(w[i%out*in+k])
		}
		errors += (float64(dst[i]) - want) * (float64(dst[i]) - want)
		size += want * want
	}
	// Steps are about 6/254 of x's deviation and 6/254 of w's, each off by a
	// step's 1/√12: together √2·6/254/√12, or 0.0096.
	if rms := math.Sqrt(errors / size); !(rms > 0.004 && rms < 0.015) {
		t.Errorf("error %.4f of the size", rms)
	}
}

// Where the environment names instruction sets, as .ci/run does for its machines,
// they must be there: the tests above would pass without them.
func TestRequiredInstructionSets(t *testing.T) {
	names := os.Getenv("MINILM_ISA")
	if names == "" {
		t.Skip("MINILM_ISA is not set")
	}
	for name := range strings.SplitSeq(names, ",") {
		isa, err := ParseISA(name)
		if err == nil {
			err = Variant{isa, F32}.Check()
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVariants(t *testing.T) {
	for _, v := range Variants() {
		if err := v.Check(); err != nil {
			t.Error(err)
		}
		if f, err := ParseFormat(v.Format.String()); f != v.Format || err != nil {
			t.Errorf("ParseFormat(%q) = %v, %v", v.Format.String(), f, err)
		}
	}
	for _, v := range []Variant{{Generic, BF16x3 + 1}, {ISA(len(asm.Sets)), F32}, {ISA(asm.AVX2), BF16}, {ISA(asm.NEON), BF16}, {ISA(asm.NEON), F16}, {ISA(asm.NEON82), BF16}} {
		if err := v.Check(); err == nil {
			t.Errorf("%v: no error", v)
		}
	}
	if _, err := ParseFormat("int3"); err == nil {
		t.Error("int3: no error")
	}
}

// roundAway rounds to the nearest bfloat16, ties away from 0.
// chainAttentionBF16 is what AttentionBF16 computes for one query and head, said
// plainly.
// Every query is the plain chain, bit for bit, as with float32.
// A product whose input keeps rows and channels is the same on every instruction
// set, and the kept rows and channels are nearly what float32 gives.
// NaN and infinities reach the queries that they reach in float32; denormals do no
// harm.
