//go:build !noasm

package kernels

// tileOf returns the tile of isa's micro-kernel.
func tileOf(isa ISA) tileSize {
	if isa == NEON {
		return tileSize{8, 8}
	}
	return tileSize{}
}

// gemm is isa's micro-kernel, see gemmNEON.
func gemm(isa ISA, rows int, dst *float32, dstStride int, x *float32, xStride int, w, bias *float32, k int, next *float32) {
	gemmNEON(rows, dst, dstStride, x, xStride, w, bias, k, next)
}

// geluTile is isa's GELU of a tile of the micro-kernel, see geluNEON.
func geluTile(isa ISA, x *float32, stride, rows int) {
	geluNEON(x, stride, rows)
}
