package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

func TestSplitKeepsNearlyAll(t *testing.T) {
	r := rand.New(rand.NewPCG(91, 92))
	for range 100000 {
		x := float32(r.NormFloat64() * math.Exp2(float64(r.IntN(60)-30)))
		high, low := split(x)
		if high != roundBF16(high) || low != roundBF16(low) {
			t.Fatalf("%g is split into %g and %g, which are not bfloat16", x, high, low)
		}
		if lost := math.Abs(float64(x) - float64(high) - float64(low)); lost > math.Abs(float64(x))/(1<<16) {
			t.Fatalf("%g is split into %g and %g: %g is lost", x, high, low, lost)
		}
	}
}

// The assembly's parts are split's, for every exponent.
func TestSplitAssembly(t *testing.T) {
	isa := asm.AMX
	if !asm.Has(asm.AVX512BF16) {
		t.Skip("this processor has no AVX512_BF16, which the kernel is made of")
	}
	const n = 64
	x, narrow := make([]float32, n), make([]uint16, 2*n)
	r := rand.New(rand.NewPCG(93, 94))
	for exponent := range 256 {
		for i := range x {
			x[i] = math.Float32frombits(uint32(exponent)<<23 | r.Uint32()&0x807fffff)
		}
		asm.Round(isa, asm.BF16x3, unsafe.Pointer(&narrow[0]), &x[0], n)
		for i, v := range x {
			at := i/32*64 + i%32
			high, low := split(v)
			for part, want := range map[int]float32{at: high, at + 32: low} {
				if got := math.Float32frombits(uint32(narrow[part]) << 16); !same(got, want) {
					t.Fatalf("%g: part %d is %g, want %g", v, part, got, want)
				}
			}
		}
	}
}

// Products of split values are off by less than 2^-17 of their size,
// and by at least some of it: they are not float32's.
func TestSplitProductsError(t *testing.T) {
	r := rand.New(rand.NewPCG(95, 96))
	const in, out, rows = 384, 24, 16
	x, w, bias := random(r, rows*in), random(r, out*in), random(r, out)
	dst := make([]float32, rows*out)
	Pack(w, bias, out, in, Variant{Generic, BF16x3}, Inputs{}).multiply(dst, x, rows, out, in)
	var errors, size float64
	for i := range dst {
		want := float64(bias[i%out])
		for k := range in {
			product := float64(x[i/out*in+k]) * float64(w[i%out*in+k])
			want += product
			size += product * product
		}
		errors += (float64(dst[i]) - want) * (float64(dst[i]) - want)
	}
	if rms := math.Sqrt(errors / size); !(rms > 5e-7 && rms < 1.0/(1<<17)) {
		t.Errorf("error %.3g of the size", rms)
	}
}
