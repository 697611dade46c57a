package safetensors

import (
	"encoding/binary"
	"math"
	"runtime"
	"unsafe"
)

// littleEndian says whether this machine stores the low byte first, as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// unalignedLoads says whether this processor loads a float32, or a vector of
// them, from any address.
var unalignedLoads = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// decodeF32 copies src, of any alignment, to dst.
func decodeF32(dst []float32, src []byte) {
	if littleEndian && len(dst) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), 4*len(dst)), src)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// decodeBF16 sets dst to src's values: a BF16 is the upper half of an F32.
func decodeBF16(dst []float32, src []byte) {
	for len(dst) >= 4 && len(src) >= 8 { // four at a time, one load
		x := binary.LittleEndian.Uint64(src)
		d := dst[:4:4]
		d[0] = math.Float32frombits(uint32(x) << 16)
		d[1] = math.Float32frombits(uint32(x) & 0xffff0000)
		d[2] = math.Float32frombits(uint32(x>>32) << 16)
		d[3] = math.Float32frombits(uint32(x>>32) & 0xffff0000)
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// decodeF16 sets dst to src's values: four at a time if all are finite.
//
// Tried and slower (weights of deviation 0.02, on amd64): a test per element for
// exponent 31, half the speed; one for subnormals too, a third; the exponent
// added as an integer where all four are normal, four fifths.
func decodeF16(dst []float32, src []byte) {
	for len(dst) >= 4 && len(src) >= 8 {
		x := binary.LittleEndian.Uint64(src)
		lo, hi := int32(x), int32(x>>32)
		d := dst[:4:4]
		if lanesF16.bad(x) == 0 {
			d[0] = placeF16(lo<<16) * 0x1p112
			d[1] = placeF16(lo) * 0x1p112
			d[2] = placeF16(hi<<16) * 0x1p112
			d[3] = placeF16(hi) * 0x1p112
		} else {
			d[0], d[1] = fromF16(lo<<16), fromF16(lo)
			d[2], d[3] = fromF16(hi<<16), fromF16(hi)
		}
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = fromF16(int32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// placeF16 moves the IEEE 754 binary16 in h's upper half to an F32's places: sign
// to sign, its 5 bits of exponent to the low ones of 8, its 10 of mantissa to the
// high ones of 23. As an F32's exponent has bias 127, not 15, that is 2^-112
// times the value, for subnormals too, and the product that puts it right is
// exact.
func placeF16(h int32) float32 {
	return math.Float32frombits(uint32(h>>3) & (1<<31 | (1<<15-1)<<13))
}

// fromF16 is the value of the binary16 in h's upper half. Infinities and NaNs,
// exponent 31, have the exponent 255 in an F32; a NaN keeps its payload.
func fromF16(h int32) float32 {
	f := placeF16(h)
	if h>>26&31 == 31 {
		return math.Float32frombits(math.Float32bits(f) | 255<<23)
	}
	return f * 0x1p112
}

// decodeF64 sets dst to the float32 nearest to each of src's values, or to the even one of two
// that are equally near, as PyTorch does. A number of which that is infinite stays so.
func decodeF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}
