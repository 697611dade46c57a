package safetensors

import (
	"encoding/binary"
	"math/bits"
)

// lanes describes how floats of one dtype lie in a word of 64 bits. A float is NaN or
// infinite if all bits of its exponent are ones. With the sign bit cleared, adding one to
// the exponent's last place carries into the sign bit in exactly this case. No carry leaves
// a lane, so an AND and an ADD check a whole word.
type lanes struct {
	bits int    // in a lane
	sign uint64 // the sign of each lane
	unit uint64 // the exponent's last place in each lane
}

var (
	lanesF64  = lanes{64, 1 << 63, 1 << 52}
	lanesF32  = lanes{32, 0x80000000_80000000, 0x00800000_00800000}
	lanesF16  = lanes{16, 0x8000_8000_8000_8000, 0x0400_0400_0400_0400}
	lanesBF16 = lanes{16, 0x8000_8000_8000_8000, 0x0080_0080_0080_0080}
)

// bad returns x's lanes that are not finite: their sign bits are set in the result.
func (l lanes) bad(x uint64) uint64 { return (x&^l.sign + l.unit) & l.sign }

// firstNonFinite is the index of the first element of data, of whole elements,
// that is not finite, or -1.
func (l lanes) firstNonFinite(data []byte) int {
	rest := data
	for len(rest) >= 64 { // eight words and one test
		b := rest[:64:64]
		sum := (binary.LittleEndian.Uint64(b[0:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[8:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[16:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[24:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[32:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[40:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[48:]) &^ l.sign) + l.unit
		sum |= (binary.LittleEndian.Uint64(b[56:]) &^ l.sign) + l.unit
		if sum&l.sign != 0 {
			break // the loop below finds which
		}
		rest = rest[64:]
	}
	for len(rest) > 0 {
		var word [8]byte // zeros, which are finite, after the last element
		n := copy(word[:], rest)
		if bad := l.bad(binary.LittleEndian.Uint64(word[:])); bad != 0 {
			at := (len(data)-len(rest))*8 + bits.TrailingZeros64(bad)
			return at / l.bits
		}
		rest = rest[n:]
	}
	return -1
}

// name describes element i, which is not finite: "NaN", "+Inf" or "-Inf".
func (l lanes) name(data []byte, i int) string {
	size := l.bits / 8
	var word [8]byte
	copy(word[:], data[i*size:(i+1)*size])
	x := binary.LittleEndian.Uint64(word[:])
	// In the lowest lane: the sign's bit, and infinity, the exponent's ones alone.
	sign := uint64(1) << (l.bits - 1)
	infinity := sign - l.unit&(sign-1)
	switch {
	case x&^sign != infinity:
		return "NaN"
	case x&sign != 0:
		return "-Inf"
	}
	return "+Inf"
}
