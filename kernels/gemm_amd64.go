//go:build !noasm

package kernels

// tileOf returns the tile of isa's micro-kernel.
func tileOf(isa ISA) tileSize {
	switch isa {
	case AVX512:
		return tileSize{8, 48}
	case AVX2:
		return tileSize{6, 16}
	}
	return tileSize{}
}

// gemm is isa's micro-kernel, see gemmAVX512.
func gemm(isa ISA, rows int, dst *float32, dstStride int, x *float32, xStride int, w, bias *float32, k int, next *float32) {
	if isa == AVX512 {
		gemmAVX512(rows, dst, dstStride, x, xStride, w, bias, k, next)
	} else {
		gemmAVX2(rows, dst, dstStride, x, xStride, w, bias, k, next)
	}
}

// geluTile is isa's GELU of a tile of the micro-kernel, see geluAVX512.
func geluTile(isa ISA, x *float32, stride, rows int) {
	if isa == AVX512 {
		geluAVX512(x, stride, rows)
	} else {
		geluAVX2(x, stride, rows)
	}
}
