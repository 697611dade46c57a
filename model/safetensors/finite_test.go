package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"testing"
)

// finiteness has values that are not finite, and the finite ones nearest to
// them, as bits.
var finiteness = map[DType]struct {
	bad  map[uint64]string
	good []uint64
}{
	F64: {map[uint64]string{
		0x7ff0000000000000: "+Inf", 0xfff0000000000000: "-Inf",
		0x7ff0000000000001: "NaN", 0xffffffffffffffff: "NaN",
	}, []uint64{0x7fefffffffffffff, 0xffefffffffffffff, 0, 1 << 63, 1}},
	F32: {map[uint64]string{
		0x7f800000: "+Inf", 0xff800000: "-Inf", 0x7f800001: "NaN", 0xffffffff: "NaN", 0x7fc00000: "NaN",
	}, []uint64{0x7f7fffff, 0xff7fffff, 0, 1 << 31, 1}},
	F16: {map[uint64]string{
		0x7c00: "+Inf", 0xfc00: "-Inf", 0x7c01: "NaN", 0xffff: "NaN",
	}, []uint64{0x7bff, 0xfbff, 0, 1 << 15, 1}},
	BF16: {map[uint64]string{
		0x7f80: "+Inf", 0xff80: "-Inf", 0x7f81: "NaN", 0xffff: "NaN",
	}, []uint64{0x7f7f, 0xff7f, 0, 1 << 15, 1}},
}

// Every bad value at every place among every good value, for lengths through two
// of the unrolled loop's blocks and their rests.
func TestCheckFinite(t *testing.T) {
	for d, c := range finiteness {
		size := d.Size()
		for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 71} {
			for _, good := range c.good {
				data := make([]byte, 0, n*size+8)
				for range n {
					data = binary.LittleEndian.AppendUint64(data, good)[:len(data)+size]
				}
				w := parseOne(t, d, n, n%8, data)
				if err := w.CheckFinite(); err != nil {
					t.Fatalf("%d of %#x: %v", n, good, err)
				}
				for at := range n {
					for bad, name := range c.bad {
						element := w.Data()[at*size : (at+1)*size]
						copy(element, binary.LittleEndian.AppendUint64(nil, bad)[:size])
						err := w.CheckFinite()
						want := fmt.Sprintf(`safetensors: one.safetensors: tensor "w": not finite: element %d of shape [%d] is %s`, at, n, name)
						if !errors.Is(err, ErrNotFinite) || err.Error() != want {
							t.Fatalf("%s: %v, want %s", d, err, want)
						}
						copy(element, binary.LittleEndian.AppendUint64(nil, good)[:size])
					}
				}
			}
		}
	}
}

// The half types have few enough values to try all.
func TestCheckFiniteAgreesWithValues(t *testing.T) {
	for _, d := range []DType{F16, BF16} {
		w := parseOne(t, d, 1, 0, make([]byte, 2))
		for h := range 1 << 16 {
			binary.LittleEndian.PutUint16(w.Data(), uint16(h))
			values, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			finite := !math.IsNaN(float64(values[0])) && !math.IsInf(float64(values[0]), 0)
			if err := w.CheckFinite(); (err == nil) != finite {
				t.Fatalf("%s %#04x is %g: %v", d, h, values[0], err)
			}
		}
	}
}

func TestCheckFiniteOfOtherDTypes(t *testing.T) {
	for _, d := range allDTypes {
		err := parseOne(t, d, 8, 0, make([]byte, d.Bits())).CheckFinite()
		switch d {
		case F4, F6E2M3, F6E3M2, F8E5M2, F8E4M3, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, C64:
			want := `safetensors: one.safetensors: tensor "w": unsupported dtype ` + string(d) + `, cannot tell whether it is finite`
			if !errors.Is(err, ErrDType) || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		default:
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func BenchmarkCheckFinite(b *testing.B) {
	for _, size := range []int{1 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("F32/%dMiB", size>>20), func(b *testing.B) {
			w := parseOne(b, F32, size/4, 2, make([]byte, size))
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := w.CheckFinite(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
