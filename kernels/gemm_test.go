package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// assembled runs a test on every instruction set of this processor that has
// float32 assembly of its own.
func assembled(t *testing.T, test func(t *testing.T, isa ISA)) {
	for _, isa := range Permitted() {
		if isa == Generic || isa != isa.vectors() {
			continue
		}
		t.Run(isa.String(), func(t *testing.T) { test(t, isa) })
	}
}

// chain is what each output of a packed product is, said plainly.
func chain(x, w []float32, bias float32) float32 {
	total := bias
	for len(x) > 0 {
		n := min(len(x), sumBlock)
		var sum float32
		for k := range n {
			sum = fma(x[k], w[k], sum)
		}
		total += sum
		x, w = x[n:], w[n:]
	}
	return total
}

// multiply is a product of values that are not yet an Input.
func (m *Matrix) multiply(dst, x []float32, rows, dstStride, xStride int) {
	var in Input
	in.Set(m.variant, x, rows, m.in, xStride, Keep{})
	m.Linear(dst, &in, dstStride)
}

func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for range 100000 {
		x, y := float32(r.NormFloat64()), float32(r.NormFloat64())
		z := float32(float64(-x) * float64(y) * (1 + r.NormFloat64()*math.Ldexp(1, -r.IntN(40))))
		// Far from double rounding, float64 is exact enough.
		want := math.FMA(float64(x), float64(y), float64(z))
		if got := fma(x, y, z); math.Abs(float64(got)-want) > math.Abs(want)/(1<<24) {
			t.Fatalf("fma(%g, %g, %g) = %g, want %g", x, y, z, got, want)
		}
	}
	// A tie in float32 that a bit far below breaks: 1 + 2^-24 + 2^-70.
	if got := fma(1, 1, math.Float32frombits(0x33800000)); got != 1 {
		t.Errorf("tie to even: %g", got)
	}
	e := float32(math.Ldexp(1, -35))
	if got, want := fma(1+float32(math.Ldexp(1, -12)), 1+float32(math.Ldexp(1, -12)), e), float32(1+math.Ldexp(1, -11)+math.Ldexp(1, -23)); got != want {
		t.Errorf("broken tie: %v, want %v", got, want)
	}
}

// Every output is the plain chain, bit for bit: at all sizes around a tile and
// a block of sums, at odd alignments and strides, with nothing written outside.
func TestMatrixIsTheChain(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(23, 24))
		for _, in := range []int{1, 2, 3, 4, 5, 7, 63, 64, 65, 66, 129, 384} {
			for _, out := range []int{1, 15, 16, 17, 47, 48, 49, 96, 97} {
				w, bias := random(r, out*in), random(r, out)
				m := Pack(w, bias, out, in, Variant{isa, F32}, Inputs{})
				for _, rows := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17} {
					dstStride, xStride := out+rows%3, in+rows%2
					x := random(r, (rows-1)*xStride+in)
					dst, check := guarded(t, (rows-1)*dstStride+out)
					m.multiply(dst, x, rows, dstStride, xStride)
					check()
					for i := range rows {
						for o := range out {
							want := chain(x[i*xStride:][:in], w[o*in:][:in], bias[o])
							if got := dst[i*dstStride+o]; !same(got, want) {
								t.Fatalf("in %d out %d rows %d: y[%d,%d] = %g, want %g", in, out, rows, i, o, got, want)
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
func TestMatrixOfManyRows(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(25, 26))
		for _, s := range []struct{ in, out, rows int }{{384, 1152, 261}, {1536, 384, 67}, {20000, 50, 11}} {
			w, bias, x := random(r, s.out*s.in), random(r, s.out), random(r, s.rows*s.in)
			dst, check := guarded(t, s.rows*s.out)
			Pack(w, bias, s.out, s.in, Variant{isa, F32}, Inputs{}).multiply(dst, x, s.rows, s.out, s.in)
			check()
			for range 2000 {
				i, o := r.IntN(s.rows), r.IntN(s.out)
				if want := chain(x[i*s.in:][:s.in], w[o*s.in:][:s.in], bias[o]); !same(dst[i*s.out+o], want) {
					t.Fatalf("%v: y[%d,%d] = %g, want %g", s, i, o, dst[i*s.out+o], want)
				}
			}
		}
	})
}

// NaN, infinities and denormals come out where they must, and nowhere else.
func TestMatrixOfOddValues(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		const in, out, rows = 65, 50, 9
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-40, -3e-45} {
			for k := range in {
				x, w := make([]float32, rows*in), make([]float32, out*in)
				for i := range w {
					w[i] = 1
				}
				x[3*in+k] = bad
				dst := make([]float32, rows*out)
				Pack(w, make([]float32, out), out, in, Variant{isa, F32}, Inputs{}).multiply(dst, x, rows, out, in)
				for i, v := range dst {
					if row := i / out; row == 3 && !same(v, bad) || row != 3 && v != 0 {
						t.Fatalf("x[3,%d] = %g: y[%d,%d] = %g", k, bad, row, i%out, v)
					}
				}
			}
		}
	})
}

// The sums are no further from the exact ones than the generic kernel's: fewer
// roundings, in the same blocks.
func TestMatrixErrorIsAtMostGenerics(t *testing.T) {
	assembled(t, func(t *testing.T, isa ISA) {
		r := rand.New(rand.NewPCG(27, 28))
		for _, in := range []int{384, 1536} {
			const out, rows = 48, 64
			x, w, bias := random(r, rows*in), random(r, out*in), random(r, out)
			packed, generic := make([]float32, rows*out), make([]float32, rows*out)
			Pack(w, bias, out, in, Variant{isa, F32}, Inputs{}).multiply(packed, x, rows, out, in)
			Linear(generic, x, w, bias, rows, in, out)
			var p, g float64
			for i := range packed {
				exact := float64(bias[i%out])
				for k := range in {
					exact += float64(x[i/out*in+k]) * float64(w[i%out*in+k])
				}
				p += math.Abs(float64(packed[i]) - exact)
				g += math.Abs(float64(generic[i]) - exact)
			}
			if p > 1.02*g {
				t.Errorf("in %d: mean error %.3g, generic %.3g", in, p/rows/out, g/rows/out)
			}
		}
	})
}

func TestMatrixPanicsBeforeWriting(t *testing.T) {
	for _, isa := range Permitted() {
		const rows, in, out = 3, 5, 4
		for name, cut := range map[string][4]int{"dst": {1, 0, 0, 0}, "x": {0, 1, 0, 0}, "dst stride": {0, 0, 1, 0}, "x stride": {0, 0, 0, 1}} {
			t.Run(fmt.Sprintf("%v %s", isa, name), func(t *testing.T) {
				m := Pack(make([]float32, out*in), []float32{1, 1, 1, 1}, out, in, Variant{isa, F32}, Inputs{})
				dst := make([]float32, rows*out-cut[0])
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
					for i, v := range dst {
						if v != 0 {
							t.Fatalf("wrote dst[%d]", i)
						}
					}
				}()
				m.multiply(dst[:len(dst):len(dst)], make([]float32, rows*in-cut[1]), rows, out-cut[2], in-cut[3])
			})
		}
	}
}

func TestPackRefusesWhatTheProcessorDoesNotRun(t *testing.T) {
	for isa := Generic; isa <= ISA(len(asm.Sets)); isa++ {
		func() {
			defer func() {
				if ran := recover() == nil; ran != slices.Contains(Permitted(), isa) {
					t.Errorf("%v: packed %v", isa, ran)
				}
			}()
			Pack(make([]float32, 6), make([]float32, 2), 2, 3, Variant{isa, F32}, Inputs{})
		}()
	}
}

func TestPeak(t *testing.T) {
	for _, v := range Variants() {
		if rate := v.PeakFLOPS(time.Millisecond); !(rate > 0 && rate < 1e13) {
			t.Errorf("%v: %g FLOP/s", v, rate)
		}
	}
}

func TestParseISA(t *testing.T) {
	for isa := range ISA(len(asm.Sets)) {
		if got, err := ParseISA(isa.String()); got != isa || err != nil {
			t.Errorf("ParseISA(%q) = %v, %v", isa.String(), got, err)
		}
	}
	if _, err := ParseISA("sse9"); err == nil {
		t.Error("sse9: no error")
	}
}
