//go:build !noasm

package kernels

// norm is isa's LayerNorm of x + r, see normAVX512.
func norm(isa ISA, x, r, gain, bias *float32, width, rows int, eps float32) {
	if isa == AVX512 {
		normAVX512(x, r, gain, bias, width, rows, eps, float32(width))
	} else {
		normAVX2(x, r, gain, bias, width, rows, eps, float32(width))
	}
}

// add is isa's sum of two vectors, see addAVX512.
func add(isa ISA, dst, a, b *float32, n int) {
	if isa == AVX512 {
		addAVX512(dst, a, b, n)
	} else {
		addAVX2(dst, a, b, n)
	}
}

// peak is isa's loop of multiply-adds, see peakAVX512.
func peak(isa ISA, n int) {
	if isa == AVX512 {
		peakAVX512(n)
	} else {
		peakAVX2(n)
	}
}
