//go:build noasm || !(amd64 || arm64)

package kernels

import "unsafe"

// available returns no instruction set: there is no assembly here.
func available() []ISA { return nil }

// absent panics unless isa is plain Go.
func absent(isa ISA) {
	if isa != Generic {
		panic("kernels: " + isa.String() + " is not in this build")
	}
}

func tileOf(v Variant) tileSize {
	absent(v.ISA)
	return tileSize{}
}

func gemm(v Variant, rows int, dst *float32, dstStride int, x unsafe.Pointer, xStride int, w unsafe.Pointer, columns *float32, k int, next unsafe.Pointer, ofRows *float32, terms int) {
	absent(v.ISA)
}

func round(isa ISA, dst unsafe.Pointer, src *float32, n int) { absent(isa) }

func quantize(isa ISA, dst unsafe.Pointer, src *float32, n int, scale *float32) { absent(isa) }

func geluTile(v Variant, x *float32, stride, rows int) { absent(v.ISA) }

func norm(isa ISA, x, r, gain, bias *float32, width, rows int, eps float32) { absent(isa) }

func add(isa ISA, dst, a, b *float32, n int) { absent(isa) }

func attentionTileOf(isa ISA) attentionTile {
	absent(isa)
	return attentionTile{}
}

func scores(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	absent(isa)
}

func exponents(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	absent(isa)
}

func mix(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	absent(isa)
}

func transpose(isa ISA, dst *float32, dstStride int, src *float32, srcStride, cols int) { absent(isa) }

const peakSums = 0

func peak(v Variant, n int) { absent(v.ISA) }

func scoresBF16(isa ISA, across int, dst *float32, k unsafe.Pointer, kStride int, q *float32, size, keys int, largest *float32) {
	absent(isa)
}

func exponentsBF16(isa ISA, across int, s *float32, keys int, largest *float32, scale float32) {
	absent(isa)
}

func mixBF16(isa ISA, across int, dst *float32, dstStride int, p, v *float32, keys int, factor *float32, queries int) {
	absent(isa)
}

func pairRows(isa ISA, dst *float32, v unsafe.Pointer, stride, pairs int) { absent(isa) }
