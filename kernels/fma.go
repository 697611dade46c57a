package kernels

import "math"

// fma returns x·y + z, rounded once to float32: the operation that the assembly must match
// bit by bit. The product is exact in float64. The sum is not, so it is rounded to odd: to
// that neighbour whose last bit is set. Rounding the result to float32 is then right, since
// float64 has at least two bits more.
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
