//go:build noasm || !(amd64 || arm64)

package kernels

import "unsafe"

// available returns no instruction set: there is no assembly here.
func available() []ISA { return nil }

func tileOf(isa ISA) tileSize {
	if isa != Generic {
		panic("kernels: " + isa.String() + " is not in this build")
	}
	return tileSize{}
}

func gemm(v Variant, rows int, dst *float32, dstStride int, x unsafe.Pointer, xStride int, w unsafe.Pointer, columns *float32, k int, next unsafe.Pointer, ofRows *float32, terms int) {
	tileOf(v.ISA)
}

func round(isa ISA, dst unsafe.Pointer, src *float32, n int) { tileOf(isa) }

func quantize(isa ISA, dst unsafe.Pointer, src *float32, n int, scale *float32) { tileOf(isa) }

func geluTile(v Variant, x *float32, stride, rows int) { tileOf(v.ISA) }

func norm(isa ISA, x, r, gain, bias *float32, width, rows int, eps float32) { tileOf(isa) }

func add(isa ISA, dst, a, b *float32, n int) { tileOf(isa) }

func attentionTileOf(isa ISA) attentionTile {
	tileOf(isa)
	return attentionTile{}
}

func scores(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	tileOf(isa)
}

func exponents(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	tileOf(isa)
}

func mix(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	tileOf(isa)
}

func transpose(isa ISA, dst *float32, dstStride int, src *float32, srcStride, cols int) { tileOf(isa) }

func peak(v Variant, n int) { tileOf(v.ISA) }

func scoresBF16(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	tileOf(isa)
}

func exponentsBF16(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	tileOf(isa)
}

func mixBF16(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	tileOf(isa)
}

func pairRows(isa ISA, dst *float32, v unsafe.Pointer, stride, pairs int) { tileOf(isa) }
