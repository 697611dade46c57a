//go:build !noasm

package kernels

import "unsafe"

// tileOf returns the tile of v's micro-kernel.
func tileOf(v Variant) tileSize {
	switch v.ISA.base() {
	case AVX512:
		return tileSize{8, 48}
	case AVX2:
		return tileSize{6, 16}
	}
	return tileSize{}
}

// gemm is the micro-kernel of v, which is its own Kernels, see gemmAVX512, gemmBF16AVX512BF16 and
// gemmInt8AVX512VNNI.
func gemm(v Variant, rows int, dst *float32, dstStride int, x unsafe.Pointer, xStride int, w unsafe.Pointer, columns *float32, k int, next unsafe.Pointer, ofRows *float32, terms int) {
	switch v {
	case Variant{AVX512, F32}:
		gemmAVX512(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{AVX2, F32}:
		gemmAVX2(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{AVX512BF16, BF16}:
		gemmBF16AVX512BF16(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{AVX512VNNI, Int8}:
		gemmInt8AVX512VNNI(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{AVX512, Int8}:
		gemmInt8AVX512(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{AVXVNNI, Int8}:
		gemmInt8AVXVNNI(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	case Variant{AVX2, Int8}:
		gemmInt8AVX2(rows, dst, dstStride, x, xStride, w, columns, k, next, ofRows, terms)
	default:
		panic("kernels: no product of " + v.String())
	}
}

// round is isa's rounding to bfloat16, see roundBF16AVX512BF16.
func round(isa ISA, dst unsafe.Pointer, src *float32, n int) {
	roundBF16AVX512BF16(dst, src, n)
}

// quantize is isa's rounding of a row to integers, see quantizeAVX512VNNI.
func quantize(isa ISA, dst unsafe.Pointer, src *float32, n int, scale *float32) {
	switch isa {
	case AVX512BF16, AVX512VNNI:
		quantizeAVX512VNNI(dst, src, n, scale)
	case AVX512:
		quantizeAVX512(dst, src, n, scale)
	case AVXVNNI:
		quantizeAVXVNNI(dst, src, n, scale)
	default:
		quantizeAVX2(dst, src, n, scale)
	}
}

// geluTile is v's GELU of a tile of the micro-kernel, see geluAVX512 and
// geluShortAVX512.
func geluTile(v Variant, x *float32, stride, rows int) {
	wide, short := v.ISA.base() == AVX512, v.Format != F32
	switch {
	case wide && short:
		geluShortAVX512(x, stride, rows)
	case wide:
		geluAVX512(x, stride, rows)
	case short:
		geluShortAVX2(x, stride, rows)
	default:
		geluAVX2(x, stride, rows)
	}
}
