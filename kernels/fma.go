package kernels

import "math"

// fma returns x·y + z rounded once to float32, which the assembly is held to
// bit by bit. The product is exact in float64. The sum is not, so it is rounded
// to odd there: to the neighbour whose last bit is set, from which the rounding
// to float32 is right, as float64 has more than two bits more.
func fma(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	b := s - p
	rest := (p - (s - b)) + (c - b) // s + rest is the exact sum
	if rest != 0 && math.Float64bits(s)&1 == 0 && !math.IsInf(s, 0) {
		if (rest > 0) == (s > 0) {
			s = math.Float64frombits(math.Float64bits(s) + 1)
		} else {
			s = math.Float64frombits(math.Float64bits(s) - 1)
		}
	}
	return float32(s)
}
