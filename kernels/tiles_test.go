package kernels

import "math"

// flushed is what TDPBF16PS makes of a number: 0 of denormals.
func flushed(x float32) float32 {
	if bits := math.Float32bits(x); bits&0x7f800000 == 0 {
		return math.Float32frombits(bits & 0x80000000)
	}
	return x
}

// dotTDPBF16PS is what the instruction adds to a sum, by Intel's manual: even and odd
// products are summed apart, all is rounded to the nearest, denormals count as 0 (they
// are what tells this loop from one of fma alone).
func dotTDPBF16PS(x, w []float32, step int) float32 {
	var sums [2]float32
	for i := 32 * step; i < min(32*step+32, len(x)); i++ {
		sums[i%2] = flushed(fma(flushed(x[i]), flushed(w[i]), sums[i%2]))
	}
	return flushed(sums[0] + sums[1])
}

// chainTiles is what each output of a product of bfloat16 on tiles is, said plainly.
func chainTiles(x, w []float32, bias float32) float32 {
	return sumTiles(len(x), func(step int) []float32 {
		return []float32{dotTDPBF16PS(rounded(x), rounded(w), step)}
	}) + bias
}

// chainTilesSplit is chainTiles for BF16x3.
func chainTilesSplit(x, w []float32, bias float32) float32 {
	high, low := make([]float32, len(x)), make([]float32, len(x))
	wHigh, wLow := make([]float32, len(x)), make([]float32, len(x))
	splitAll(high, low, x)
	splitAll(wHigh, wLow, w)
	return sumTiles(len(x), func(step int) []float32 {
		return []float32{dotTDPBF16PS(high, wLow, step), dotTDPBF16PS(high, wHigh, step), dotTDPBF16PS(low, wHigh, step)}
	}) + bias
}

// sumTiles adds up what the steps of n inputs add, one after the other.
func sumTiles(n int, step func(int) []float32) (sum float32) {
	for s := range (n + 31) / 32 {
		for _, v := range step(s) {
			sum = flushed(sum + v)
		}
	}
	return sum
}

func rounded(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = roundBF16(v)
	}
	return y
}
