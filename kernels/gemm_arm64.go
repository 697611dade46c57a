//go:build !noasm

package kernels

import "unsafe"

// tileOf returns the tile of v's micro-kernel.
func tileOf(v Variant) tileSize {
	switch {
	case v.ISA == Generic:
		return tileSize{}
	case v.Format == F16:
		return tileSize{6, 32}
	}
	return tileSize{6, 16}
}

// gemm is the micro-kernel of v, which is its own Kernels, see gemmNEON, gemmF16NEON82 and gemmInt8NEON82.
func gemm(v Variant, rows int, dst *float32, dstStride int, x unsafe.Pointer, xStride int, w unsafe.Pointer, columns *float32, k int, next unsafe.Pointer, ofRows *float32, terms int) {
	switch v {
	case Variant{NEON, F32}:
		gemmNEON(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{NEON82, F16}:
		gemmF16NEON82(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{NEON82, Int8}:
		gemmInt8NEON82(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	default:
		panic("kernels: no product of " + v.String())
	}
}

// round is isa's rounding to half, see roundF16NEON82.
func round(isa ISA, dst unsafe.Pointer, src *float32, n int) {
	roundF16NEON82(dst, src, n)
}

// quantize is isa's rounding of a row to integers, see quantizeNEON82.
func quantize(isa ISA, dst unsafe.Pointer, src *float32, n int, scale *float32) {
	quantizeNEON82(dst, src, n, scale)
}

// geluTile is v's GELU of a tile of the micro-kernel, see geluNEON and
// geluShortNEON.
func geluTile(v Variant, x *float32, stride, rows int) {
	const width = 8
	for c := 0; c < tileOf(v).cols; c += width {
		part := (*float32)(unsafe.Add(unsafe.Pointer(x), 4*c))
		if v.Format != F32 {
			geluShortNEON(part, stride, rows)
		} else {
			geluNEON(part, stride, rows)
		}
	}
}
