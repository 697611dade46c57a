package kernels

// A value of BF16x3 is the sum of two bfloat16, high and low. Together they have at least
// 16 significant bits, which is exact to 2^-16 (Dekker 1971, "A floating-point technique
// for extending the available precision"). Of the four products of two such values, the one
// of the low parts is left out: it is at most 2^-16 of the whole (Henry, Tang and Heinecke
// 2019, arXiv:1904.06376). The relative error of a product is at most 3·2^-16, and that of
// a sum of many about 2^-17.5.

// split returns the two parts of x. Denormals become 0. If x is not finite, the low part is
// NaN.
func split(x float32) (high, low float32) {
	high = roundBF16(x)
	return high, roundBF16(x - high)
}

func splitAll(high, low, x []float32) {
	for i, v := range x {
		high[i], low[i] = split(v)
	}
}

// linearSplit is Linear of split values. The rows of high parts (x, w) and of low parts
// (xLow, wLow) are separate.
func linearSplit(dst, x, xLow, w, wLow, b []float32, rows, in, out int) {
	for r := range rows {
		high, low := row(x, r, in), row(xLow, r, in)
		for o := range out {
			dst[r*out+o] = dot(high, row(wLow, o, in)) + dot(low, row(w, o, in)) + dot(high, row(w, o, in)) + b[o]
		}
	}
}
