//go:build !noasm

package kernels

// norm is isa's LayerNorm of x + r, see normAVX512.
func norm(isa ISA, x, r, gain, bias *float32, width, rows int, eps float32) {
	if isa.base() == AVX512 {
		normAVX512(x, r, gain, bias, width, rows, eps, float32(width))
	} else {
		normAVX2(x, r, gain, bias, width, rows, eps, float32(width))
	}
}

// add is isa's sum of two vectors, see addAVX512.
func add(isa ISA, dst, a, b *float32, n int) {
	if isa.base() == AVX512 {
		addAVX512(dst, a, b, n)
	} else {
		addAVX2(dst, a, b, n)
	}
}

// peakSums is how many sums peak has.
const peakSums = 12

// peak is v's loop of products, see peakAVX512.
func peak(v Variant, n int) {
	switch v.Kernels() {
	case Variant{AVX512, F32}:
		peakAVX512(n)
	case Variant{AVX2, F32}:
		peakAVX2(n)
	case Variant{AVX512BF16, BF16}:
		peakBF16AVX512BF16(n)
	case Variant{AVX512VNNI, Int8}:
		peakInt8AVX512VNNI(n)
	case Variant{AVX512, Int8}:
		peakInt8AVX512(n)
	case Variant{AVXVNNI, Int8}:
		peakInt8AVXVNNI(n)
	case Variant{AVX2, Int8}:
		peakInt8AVX2(n)
	default:
		panic("kernels: no products of " + v.String())
	}
}
