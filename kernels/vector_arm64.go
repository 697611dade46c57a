//go:build !noasm

package kernels

// norm is isa's LayerNorm of x + r, see normNEON.
func norm(isa ISA, x, r, gain, bias *float32, width, rows int, eps float32) {
	normNEON(x, r, gain, bias, width, rows, eps, float32(width))
}

// add is isa's sum of two vectors, see addNEON.
func add(isa ISA, dst, a, b *float32, n int) {
	addNEON(dst, a, b, n)
}

// peakSums is how many sums peak has.
const peakSums = 24

// peak is v's loop of products, see peakNEON.
func peak(v Variant, n int) {
	switch v.Format {
	case F16:
		peakF16NEON82(n)
	case Int8:
		peakInt8NEON82(n)
	default:
		peakNEON(n)
	}
}
