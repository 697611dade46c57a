package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

var allDTypes = []DType{
	Bool, F4, F6E2M3, F6E3M2, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ,
	I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64,
}

// parseOne is a file of one tensor "w", n elements in one dimension. What its
// data starts at is a multiple of 8, plus skew.
func parseOne(t testing.TB, d DType, n, skew int, data []byte) *Tensor {
	t.Helper()
	text, err := encode(Layout{HeaderBytes: 128 + skew}, []Entry{{Name: "w", DType: d, Shape: []int{n}, Data: data}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse("one.safetensors", text)
	if err != nil {
		t.Fatal(err)
	}
	w, _ := f.Lookup("w")
	return w
}

// f16 is the value of a binary16 by its definition, IEEE 754-2008, 3.4.
func f16(h uint16) float64 {
	sign, exponent, mantissa := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)
	switch {
	case exponent == 31 && mantissa == 0:
		return math.Inf(int(sign))
	case exponent == 31:
		return math.NaN()
	case exponent == 0:
		return math.Copysign(math.Ldexp(mantissa, -24), sign)
	}
	return sign * math.Ldexp(1024+mantissa, exponent-25)
}

// All 65536 values of the half types, at every alignment, and lengths that end
// anywhere in the unrolled loops.
func TestHalfFloat32s(t *testing.T) {
	var all []byte
	for h := range 1 << 16 {
		all = binary.LittleEndian.AppendUint16(all, uint16(h))
	}
	for d, value := range map[DType]func(h uint16) float32{
		F16:  func(h uint16) float32 { return float32(f16(h)) },
		BF16: func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) },
	} {
		want := make([]uint32, 1<<16)
		for h := range want {
			v := value(uint16(h))
			want[h] = math.Float32bits(v)
			if d == F16 && v != v { // sign and payload are kept
				want[h] = uint32(h)>>15<<31 | 255<<23 | uint32(h&1023)<<13
			}
		}
		for skew := range 8 {
			for from := range 6 {
				values, err := parseOne(t, d, 1<<16-from, skew, all[2*from:]).Float32s()
				if err != nil || len(values) != 1<<16-from {
					t.Fatalf("%s: %d values of %d, %v", d, len(values), 1<<16-from, err)
				}
				for i, got := range values {
					if h := from + i; math.Float32bits(got) != want[h] {
						t.Fatalf("%s %#04x: %g (%#08x), want %#08x", d, h, got, math.Float32bits(got), want[h])
					}
				}
			}
		}
	}
}

// F32 are a view, but where the processor loads from aligned addresses alone
// the unaligned ones are a copy; the bits are the same, a signalling NaN's too.
func TestF32Alignment(t *testing.T) {
	defer func(was bool) { unalignedLoads = was }(unalignedLoads)
	for _, unalignedLoads = range []bool{true, false} {
		t.Run(fmt.Sprintf("unaligned loads %t", unalignedLoads), testF32Alignment)
	}
}

func testF32Alignment(t *testing.T) {
	var data []byte
	words := []uint32{0, 1 << 31, 1, 0x7f800001, 0xffffffff, 0x3f800000, 0x7f7fffff}
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	for skew := range 8 {
		w := parseOne(t, F32, len(words), skew, data)
		values, err := w.Float32s()
		if err != nil || len(values) != len(words) {
			t.Fatal(values, err)
		}
		for i, v := range values {
			if math.Float32bits(v) != words[i] {
				t.Errorf("skew %d: value %d is %#08x, want %#08x", skew, i, math.Float32bits(v), words[i])
			}
		}
		w.Data()[0] ^= 1 // of memory, which is writable
		shared := math.Float32bits(values[0]) != words[0]
		if want := unalignedLoads || (uintptr(unsafe.Pointer(&w.data[0])))%4 == 0; shared != want {
			t.Errorf("skew %d: shared %t, want %t", skew, shared, want)
		}
		if cap(values) != len(values) {
			t.Errorf("skew %d: an append would write to the file", skew)
		}
	}
}

// The way of big-endian machines, which decode everything.
func TestF32BigEndian(t *testing.T) {
	defer func(was bool) { littleEndian = was }(littleEndian)
	littleEndian = false
	w := parseOne(t, F32, 2, 0, []byte{0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0})
	if values, err := w.Float32s(); err != nil || w.view() != nil || values[0] != 1 || values[1] != -2.5 {
		t.Error(values, err)
	}
}

// Doubles become the nearest float32, by IEEE 754's rule for ties, and none becomes infinite.
func TestF64Float32s(t *testing.T) {
	const most, smallest = math.MaxFloat32, math.SmallestNonzeroFloat32 // of a float32
	values := []struct {
		of   float64
		want float32
	}{
		{0, 0}, {1, 1}, {-2.5, -2.5}, {0.1, 0.1}, {most, most}, {-most, -most},
		{1 + 0x1p-24, 1}, {1 + 3*0x1p-24, 1 + 0x1p-22}, // halfway: to the even one
		{1 + 0x1p-24 + 0x1p-52, 1 + 0x1p-23}, {-1 - 0x1p-25, -1},
		{most + 0x1p102, most}, // below the half of the last place
		{smallest, smallest}, {smallest * 0.75, smallest}, {smallest / 2, 0}, {1e-300, 0},
	}
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v.of))
	}
	for skew := range 8 {
		got, err := parseOne(t, F64, len(values), skew, data).Float32s()
		if err != nil || len(got) != len(values) {
			t.Fatal(got, err)
		}
		for i, v := range values {
			if got[i] != v.want {
				t.Errorf("skew %d: %g is %g, want %g", skew, v.of, got[i], v.want)
			}
		}
	}
	doubles := func(v ...float64) *Tensor {
		var data []byte
		for _, v := range v {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		return parseOne(t, F64, len(v), 0, data)
	}
	if got, err := doubles(math.Copysign(1e-300, -1)).Float32s(); err != nil || math.Float32bits(got[0]) != 1<<31 {
		t.Errorf("%g, %v, want -0", got, err)
	}
	for _, large := range []float64{1e300, -1e300, most + 0x1p103} { // the last is halfway to what would be next
		want := fmt.Sprintf(`safetensors: one.safetensors: tensor "w": beyond float32: element 1 of shape [2] is %g`, large)
		if got, err := doubles(1, large).Float32s(); !errors.Is(err, ErrRange) || err.Error() != want {
			t.Errorf("%g, %v, want %s", got, err, want)
		}
	}
	// What is infinite or NaN in the file is so in float32: CheckFinite is what finds it.
	if got, err := doubles(math.Inf(-1), math.NaN()).Float32s(); err != nil || !math.IsInf(float64(got[0]), -1) || got[1] == got[1] {
		t.Errorf("%g, %v", got, err)
	}
}

func TestFloat32sOfOtherDTypes(t *testing.T) {
	for _, d := range allDTypes {
		_, err := parseOne(t, d, 8, 0, make([]byte, d.Bits())).Float32s()
		if d == F64 || d == F32 || d == F16 || d == BF16 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		want := `safetensors: one.safetensors: tensor "w": unsupported dtype ` + string(d) + `, want F64, F32, F16 or BF16`
		if !errors.Is(err, ErrDType) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if DType("F33").Bits() != 0 || F4.Size() != 0 || F32.Size() != 4 {
		t.Error("sizes")
	}
}

func BenchmarkFloat32s(b *testing.B) {
	const n = 1 << 20
	for _, c := range []struct {
		d      DType
		append func([]byte, float32) []byte
	}{
		{F32, func(b []byte, v float32) []byte { return binary.LittleEndian.AppendUint32(b, math.Float32bits(v)) }},
		{F16, func(b []byte, v float32) []byte { // rounded towards zero, v is small
			bits := math.Float32bits(v * 0x1p-112)
			return binary.LittleEndian.AppendUint16(b, uint16(bits>>16&0x8000|bits>>13&0x7fff))
		}},
		{BF16, func(b []byte, v float32) []byte {
			return binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16))
		}},
	} {
		b.Run(string(c.d), func(b *testing.B) {
			data := make([]byte, 0, n*c.d.Size())
			rng := rand.New(rand.NewPCG(1, 2))
			for range n { // weights as they are initialised: deviation 0.02
				data = c.append(data, float32(rng.NormFloat64()*0.02))
			}
			w := parseOne(b, c.d, n, 2, data)
			decode, err := w.decoder()
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]float32, n)
			b.SetBytes(int64(len(data))) // read; F16 and BF16 write twice that
			for b.Loop() {
				decode(dst, w.Data())
			}
		})
	}
}
