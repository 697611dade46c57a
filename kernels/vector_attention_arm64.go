//go:build !noasm

package kernels

import "unsafe"

// attentionTileOf returns the tiles of isa's attention kernels.
func attentionTileOf(isa ISA) attentionTile {
	return attentionTile{columns: 8, transpose: 4}
}

// scores is isa's product of keys and transposed queries, see scoresNEON.
func scores(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	scoresNEON(across, dst, k, kStride, q, size, keys, largest)
}

// exponents is isa's softmax, see exponentsNEON.
func exponents(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	exponentsNEON(across, s, keys, largest, scale)
}

// mix is isa's weighted sum of V's rows, see mixNEON.
func mix(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	mixNEON(across, dst, dstStride, p, v, keys, factor, queries)
}

// transpose is isa's transposition of some rows, see transposeNEON.
func transpose(isa ISA, dst *float32, dstStride int, src *float32, srcStride, cols int) {
	transposeNEON(dst, dstStride, src, srcStride, cols)
}

func scoresBF16(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	panic("kernels: no bfloat16 on " + isa.String())
}

func exponentsBF16(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	panic("kernels: no bfloat16 on " + isa.String())
}

func mixBF16(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	panic("kernels: no bfloat16 on " + isa.String())
}

func pairRows(isa ISA, dst *float32, v unsafe.Pointer, stride, pairs int) {
	panic("kernels: no bfloat16 on " + isa.String())
}
