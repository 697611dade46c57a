//go:build !noasm

package kernels

import "unsafe"

// attentionTileOf returns the tiles of isa's attention kernels.
func attentionTileOf(isa ISA) attentionTile {
	if isa.base() == AVX512 {
		return attentionTile{columns: 32, transpose: 8}
	}
	return attentionTile{columns: 16, transpose: 8}
}

// scores is isa's product of keys and transposed queries, see scoresAVX512.
func scores(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	if isa.base() == AVX512 {
		scoresAVX512(across, dst, k, kStride, q, size, keys, largest)
	} else {
		scoresAVX2(across, dst, k, kStride, q, size, keys, largest)
	}
}

// exponents is isa's softmax, see exponentsAVX512.
func exponents(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	if isa.base() == AVX512 {
		exponentsAVX512(across, s, keys, largest, scale)
	} else {
		exponentsAVX2(across, s, keys, largest, scale)
	}
}

// mix is isa's weighted sum of V's rows, see mixAVX512.
func mix(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	if isa.base() == AVX512 {
		mixAVX512(across, dst, dstStride, p, v, keys, factor, queries)
	} else {
		mixAVX2(across, dst, dstStride, p, v, keys, factor, queries)
	}
}

// transpose is isa's transposition of some rows, see transposeAVX512.
func transpose(isa ISA, dst *float32, dstStride int, src *float32, srcStride, cols int) {
	if isa.base() == AVX512 {
		transposeAVX512(dst, dstStride, src, srcStride, cols)
	} else {
		transposeAVX2(dst, dstStride, src, srcStride, cols)
	}
}

// scoresBF16 is isa's product of keys and transposed queries in bfloat16, see
// scoresBF16AVX512BF16.
func scoresBF16(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	scoresBF16AVX512BF16(across, dst, k, kStride, q, size, keys, largest)
}

// exponentsBF16 is isa's softmax with weights in bfloat16, see
// exponentsBF16AVX512BF16.
func exponentsBF16(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	exponentsBF16AVX512BF16(across, s, keys, largest, scale)
}

// mixBF16 is isa's weighted sum of V's rows in bfloat16, see mixBF16AVX512BF16.
func mixBF16(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	mixBF16AVX512BF16(across, dst, dstStride, p, v, keys, factor, queries)
}

// pairRows is isa's interleaving of rows, see pairRowsAVX512BF16.
func pairRows(isa ISA, dst *float32, v unsafe.Pointer, stride, pairs int) {
	pairRowsAVX512BF16(dst, v, stride, pairs)
}
