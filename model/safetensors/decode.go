package safetensors

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// littleEndian says whether this machine stores the low byte first, as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

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

// decodeF16 sets dst to src's values.
func decodeF16(dst []float32, src []byte) {
	for len(dst) >= 4 && len(src) >= 8 {
		x := binary.LittleEndian.Uint64(src)
		d := dst[:4:4]
		d[0] = fromF16(uint32(x) & 0xffff)
		d[1] = fromF16(uint32(x) >> 16)
		d[2] = fromF16(uint32(x>>32) & 0xffff)
		d[3] = fromF16(uint32(x >> 48))
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = fromF16(uint32(binary.LittleEndian.Uint16(src[2*i:])))
	}
}

// fromF16 is the value of an IEEE 754 binary16: sign, 5 bits of exponent with
// bias 15, 10 of mantissa, to an F32's 8 with bias 127, and 23.
//
// With exponent and mantissa in an F32's place the value is 2^(15-127) times
// what it should be, for subnormals too: the product puts that right exactly.
// Only infinities and NaNs, exponent 31, need the F32's own exponent 255; their
// mantissa is kept, so a NaN keeps its payload.
func fromF16(h uint32) float32 {
	sign := h & 0x8000 << 16
	magnitude := h & 0x7fff << 13
	if magnitude >= 31<<23 {
		return math.Float32frombits(sign | 255<<23 | magnitude)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude)*0x1p112))
}
