package vectors

import (
	"fmt"
	"math"
)

// Type is a type of the values of stored embeddings, by the name that sentence-transformers'
// quantize_embeddings has for it.
type Type string

const (
	Float32 Type = "float32" // as they are: 4 bytes a value, little-endian
	Uint8   Type = "uint8"   // each dimension's range in 256 steps: a byte a value
	Int8    Type = "int8"    // Uint8's less 128
	Ubinary Type = "ubinary" // whether a value is above 0: a bit a value, the first in a byte's highest bit
	Binary  Type = "binary"  // Ubinary's bytes less 128
)

// ParseType returns the type with that name.
func ParseType(name string) (Type, error) {
	switch t := Type(name); t {
	case Float32, Uint8, Int8, Ubinary, Binary:
		return t, nil
	}
	return "", fmt.Errorf("vectors: no type %.80q, want float32, int8, uint8, binary or ubinary", name)
}

// Ranged reports whether quantizing to this type needs the Ranges of the dimensions.
func (t Type) Ranged() bool { return t == Uint8 || t == Int8 }

// Signed reports whether the bytes of this type are to be read as from -128 to 127.
func (t Type) Signed() bool { return t == Int8 || t == Binary }

// Bytes returns how many bytes an embedding of that many values has.
func (t Type) Bytes(values int) int {
	switch t {
	case Float32:
		return 4 * values
	case Ubinary, Binary:
		return (values + 7) / 8
	}
	return values
}

// Ranges are the smallest and the largest value of each dimension of some embeddings: those with
// which Uint8 and Int8 are calibrated. Bytes of different ranges cannot be compared. The zero
// value is of no embeddings so far; Low and High may also be those of another time or program.
type Ranges struct{ Low, High []float32 }

// Add widens the ranges to an embedding, of the same width as all before. It panics if that
// differs, or if a value is not a number.
func (r *Ranges) Add(embedding []float32) {
	for _, v := range embedding {
		if v != v {
			panic("vectors: a value that is not a number, to calibrate with")
		}
	}
	if r.Low == nil {
		r.Low, r.High = append([]float32(nil), embedding...), append([]float32(nil), embedding...)
	}
	r.mustBeOf(embedding)
	for i, v := range embedding {
		r.Low[i], r.High[i] = min(r.Low[i], v), max(r.High[i], v)
	}
}

// Append appends an embedding as values of type t to dst. Uint8 and Int8 need ranges of its
// width, and values outside of them become the nearest inside; the other types read none, and
// ranges may be nil. NaN becomes the lowest value. It panics if there are no such ranges, or t is
// none of the types.
func (t Type) Append(dst []byte, embedding []float32, ranges *Ranges) []byte {
	first := len(dst)
	switch t {
	case Float32:
		for _, v := range embedding {
			bits := math.Float32bits(v)
			dst = append(dst, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
		}
	case Uint8, Int8:
		if ranges == nil {
			panic(fmt.Sprintf("vectors: %s without ranges", string(t)))
		}
		ranges.mustBeOf(embedding)
		for i, v := range embedding {
			dst = append(dst, step(v, ranges.Low[i], ranges.High[i]))
		}
	case Ubinary, Binary:
		for i, v := range embedding {
			if i%8 == 0 {
				dst = append(dst, 0)
			}
			if v > 0 {
				dst[len(dst)-1] |= 0x80 >> (i % 8)
			}
		}
	default:
		panic(fmt.Sprintf("vectors: no type %q", string(t)))
	}
	if t.Signed() {
		for i := range dst[first:] {
			dst[first+i] -= 128 // in a byte, the two's complement
		}
	}
	return dst
}

// step returns in which of 256 steps from low to high v is, in float32 as the library computes
// it, since another arithmetic would be a step off now and then.
func step(v, low, high float32) byte {
	size := (high - low) / 255
	if size == 0 {
		size = 1
	}
	at := math.Floor(float64((v - low) / size)) // exact: a float32 is rounded to a whole number
	switch {
	case at >= 255:
		return 255
	case at > 0:
		return byte(at)
	}
	return 0 // or NaN
}

func (r *Ranges) mustBeOf(embedding []float32) {
	if len(embedding) != len(r.Low) || len(embedding) != len(r.High) {
		panic(fmt.Sprintf("vectors: an embedding of %d values and ranges of %d", len(embedding), min(len(r.Low), len(r.High))))
	}
}
