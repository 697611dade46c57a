package kernels

import "math"

// Heads describes how the columns of Q, K and V are divided into attention heads: head h
// has columns h·Size to (h+1)·Size.
type Heads struct {
	Count, Size int
}

// Attention computes softmax(q·kᵀ/√size)·v for one sequence, every head.
//
//	dst     queries×(count·size)
//	q       queries rows, stride qs apart
//	k, v    keys rows, stride kvs apart
//	scores  keys, scratch
//
// The rows are parts of larger matrices (Q, K and V of a token side by side), which is why
// strides are given. There may be fewer queries than keys, as in the last layer, which
// computes [CLS] rows only. The softmax subtracts the row's maximum first, so that no
// exponential overflows.
func Attention(dst, q, k, v []float32, queries, keys, qs, kvs int, heads Heads, scores []float32) {
	size, width := heads.Size, heads.Count*heads.Size
	scores = scores[:keys]
	scale := 1 / math.Sqrt(float64(size))
	for i := range queries {
		for h := range heads.Count {
			c := h * size
			qh := q[i*qs+c:][:size]
			for j := range scores {
				scores[j] = dot(qh, k[j*kvs+c:][:size])
			}
			softmax(scores, scale)
			out := dst[i*width+c:][:size]
			clear(out)
			for j, p := range scores {
				for x, value := range v[j*kvs+c:][:size] {
					out[x] += p * value
				}
			}
		}
	}
}

// softmax replaces s by exp(scale·s)/Σ exp(scale·s), computed in float64 and rounded once.
func softmax(s []float32, scale float64) {
	largest := float32(math.Inf(-1))
	for _, v := range s {
		largest = max(largest, v)
	}
	var sum float64
	for i, v := range s {
		e := math.Exp(scale * (float64(v) - float64(largest)))
		s[i] = float32(e)
		sum += e
	}
	for i, v := range s {
		s[i] = float32(float64(v) / sum)
	}
}
