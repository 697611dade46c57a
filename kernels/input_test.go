package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestInputBF16(t *testing.T) {
	narrowed(t, func(t *testing.T, v Variant) {
		if v.Format != BF16 {
			t.Skip("not bfloat16")
		}
		const step = 4093 // odd: all endings of the mantissa
		x := make([]float32, 0, 1<<32/step+1)
		for bits := uint64(0); bits < 1<<32; bits += step {
			x = append(x, math.Float32frombits(uint32(bits)))
		}
		for _, tie := range []uint32{0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0x7f7fffff, 0x7f800000, 0x00008000} {
			x = append(x, math.Float32frombits(tie), -math.Float32frombits(tie))
		}
		var in Input
		in.Set(v, x, 1, len(x), len(x), Keep{})
		for i, value := range x {
			want := roundBF16(value)
			if v.product().Pairs {
				want = roundGradual(value)
			}
			at := in.narrow[in.place(0, i):]
			got := math.Float32frombits(uint32(at[0])<<16 | uint32(at[1])<<24)
			if !same(got, want) {
				t.Fatalf("%g (%08x) = %g, want %g", value, math.Float32bits(value), got, want)
			}
		}
	})
}

func TestInputInt8(t *testing.T) {
	r := rand.New(rand.NewPCG(65, 66))
	for _, width := range append(slices.Clone(sizes), 1536) {
		for _, size := range []float64{1, 1e-30, 1e30, 0, 1e-44} {
			x := random(r, width)
			for i := range x {
				x[i] = float32(float64(x[i])*size + 3*size)
			}
			var plain Input
			plain.Set(Variant{Generic, Int8}, x, 1, width, width, Keep{})
			scale, offset := plain.perRow[rowScale], plain.perRow[rowOffset]
			values := slices.Clone(x)
			if spreads(width) {
				spread(values, x)
			}
			for i, v := range values {
				q := float64(int8(plain.narrow[i]))
				if back := q*float64(scale) + float64(offset); !(math.Abs(back-float64(v)) <= 0.501*float64(scale)+math.Abs(float64(v))/(1<<22)) {
					t.Fatalf("width %d size %g: %g became %g, steps are %g", width, size, v, back, scale)
				}
			}
			for _, isa := range Permitted() {
				if isa == Generic || !slices.Contains(isa.Formats(), Int8) {
					continue
				}
				v := Variant{isa, Int8}
				var in Input
				in.Set(v, x, 1, width, width, Keep{})
				if in.perRow[rowScale] != scale || in.perRow[rowOffset] != offset {
					t.Fatalf("%v: width %d: scale %g offset %g, want %g and %g", isa, width, in.perRow[rowScale], in.perRow[rowOffset], scale, offset)
				}
				for i := range x {
					got := int(int8(in.narrow[in.place(0, i)]))
					if v.product().Unsigned {
						got = int(in.narrow[in.place(0, i)]) - 128
					}
					if got != int(int8(plain.narrow[i])) {
						t.Fatalf("%v: width %d size %g: q[%d] = %d, want %d", isa, width, size, i, got, int8(plain.narrow[i]))
					}
				}
			}
		}
	}
}
