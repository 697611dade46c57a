package kernels

// A value of BF16x3 is the sum of two bfloat16, high and low, whose 16 significant bits
// or more hold it to within 2^-16 of itself (Dekker 1971, "A floating-point technique for
// extending the available precision"). Of the four products of two such values the
// one of the low parts, at most 2^-16 of the whole, is left out (Henry, Tang and
// Heinecke 2019, arXiv:1904.06376). A product is off by at most 3·2^-16 of itself, a
// sum of many by about 2^-17.5 of its size.

// split returns the two parts of x. Denormals are 0; what is not finite has NaN as
// its low part.
func split(x float32) (high, low float32) {
	high = roundBF16(x)
	return high, roundBF16(x - high)
}

func splitAll(high, low, x []float32) {
	for i, v := range x {
		high[i], low[i] = split(v)
	}
}

// linearSplit is Linear of split values: w has rows of high parts, and low ones
// apart, as x has.
func linearSplit(dst, x, xLow, w, wLow, b []float32, rows, in, out int) {
	for r := range rows {
		high, low := row(x, r, in), row(xLow, r, in)
		for o := range out {
			dst[r*out+o] = dot(high, row(wLow, o, in)) + dot(low, row(w, o, in)) + dot(high, row(w, o, in)) + b[o]
		}
	}
}
