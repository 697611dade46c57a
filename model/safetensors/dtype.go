package safetensors

import (
	"cmp"
	"math/bits"
	"slices"
)

// DType is the type of a tensor's elements, spelled as in the header.
type DType string

// Every dtype of the format (Dtype in safetensors/src/tensor.rs, in its order,
// by alignment).
const (
	Bool       DType = "BOOL" // one byte
	F4         DType = "F4"   // E2M1, two to a byte
	F6E2M3     DType = "F6_E2M3"
	F6E3M2     DType = "F6_E3M2"
	U8         DType = "U8"
	I8         DType = "I8"
	F8E5M2     DType = "F8_E5M2"
	F8E4M3     DType = "F8_E4M3"
	F8E8M0     DType = "F8_E8M0"
	F8E4M3FNUZ DType = "F8_E4M3FNUZ"
	F8E5M2FNUZ DType = "F8_E5M2FNUZ"
	I16        DType = "I16"
	U16        DType = "U16"
	F16        DType = "F16"  // IEEE 754 binary16
	BF16       DType = "BF16" // the upper half of an F32
	I32        DType = "I32"
	U32        DType = "U32"
	F32        DType = "F32"
	C64        DType = "C64" // two F32
	F64        DType = "F64"
	I64        DType = "I64"
	U64        DType = "U64"
)

// Bits returns the size of one element in bits; 0 for an unknown dtype.
func (d DType) Bits() int {
	switch d {
	case F4:
		return 4
	case F6E2M3, F6E3M2:
		return 6
	case Bool, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ:
		return 8
	case I16, U16, F16, BF16:
		return 16
	case I32, U32, F32:
		return 32
	case C64, F64, I64, U64:
		return 64
	}
	return 0
}

// Size returns the size of one element in whole bytes; 0 for dtypes of 4 or 6 bits.
func (d DType) Size() int { return d.Bits() / 8 }

// CompareDTypes orders dtypes as the Rust library does, by which it sorts the tensors that
// it writes, the last dtype first.
func CompareDTypes(a, b DType) int {
	return cmp.Compare(slices.Index(dtypes, a), slices.Index(dtypes, b))
}

// dtypes are all, in that order.
var dtypes = []DType{Bool, F4, F6E2M3, F6E3M2, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ,
	I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64}

// sizeOf returns how many elements and bytes a tensor has. A shape without dimensions is a
// scalar, which has one element.
func sizeOf(d DType, shape []uint64) (elements, bytes uint64, err error) {
	elements = 1
	for _, n := range shape {
		hi, lo := bits.Mul64(elements, n)
		if hi != 0 {
			return 0, 0, ErrValidationOverflow
		}
		elements = lo
	}
	hi, size := bits.Mul64(elements, uint64(d.Bits()))
	if hi != 0 {
		return 0, 0, ErrValidationOverflow
	}
	if size%8 != 0 {
		return 0, 0, ErrMisalignedSlice
	}
	return elements, size / 8, nil
}
