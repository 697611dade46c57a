//go:build !noasm

package kernels

import "unsafe"

// tileOf returns the tile of isa's micro-kernel.
func tileOf(isa ISA) tileSize {
	if isa == NEON {
		return tileSize{8, 8}
	}
	return tileSize{}
}

// gemm is v's micro-kernel, see gemmNEON.
func gemm(v Variant, rows int, dst *float32, dstStride int, x unsafe.Pointer, xStride int, w unsafe.Pointer, columns *float32, k int, next unsafe.Pointer, ofRows *float32, terms int) {
	gemmNEON(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
}

func round(isa ISA, dst unsafe.Pointer, src *float32, n int) {
	panic("kernels: no bfloat16 on " + isa.String())
}

func quantize(isa ISA, dst unsafe.Pointer, src *float32, n int, scale *float32) {
	panic("kernels: no int8 on " + isa.String())
}

// geluTile is v's GELU of a tile of the micro-kernel, see geluNEON and
// geluShortNEON.
func geluTile(v Variant, x *float32, stride, rows int) {
	if v.Format != F32 {
		geluShortNEON(x, stride, rows)
	} else {
		geluNEON(x, stride, rows)
	}
}
