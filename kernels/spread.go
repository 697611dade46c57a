package kernels

import (
	"math"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Int8 spreads the values of a row over its channels before it rounds them: it multiplies
// the row by an orthogonal matrix R, and the weights too. Since (x·R)·(w·R)ᵀ = x·wᵀ, the
// product does not change. But a single very large value, which would make the rounding
// steps of all others coarse, becomes many small ones, and the rounded values are closer to
// a normal distribution. Weights are spread when they are packed, rows before each product
// (Ashkboos et al. 2024, "QuaRot", arXiv:2404.00456).
//
// R is the product of two matrices: Hadamard's matrices of order 8, over channels 16 apart;
// then Hadamard's matrices of order 4, over blocks of 128 channels. If the number of blocks
// is no multiple of four, the second is the reflection of three blocks, I - ⅔·J. All of
// this needs only sums and differences of whole registers. Rows are not divided by
// Hadamard's factors √8 and √4; instead the weights are divided by 8 and 4, which is exact.
//
// Tried with all-MiniLM-L6 trained on as a cross-encoder, on 860 pairs of MS MARCO (mean
// error and its deviation by the logits' deviation; orders swapped within a query). Before:
// 0.021, 0.026, 1.7 %. This, with the four channels of qkv, up and down that moments find and
// the bias made up for: 0.009, 0.012, 0.6 %. Lost:
//   - eight channels kept in every product, without spreading, as a calibration with prose
//     finds them: 0.0115, 0.0156, 0.8 %; sixteen: 0.0115, 0.0150, 0.8 %
//   - those beside ranges moved from activations to weights (SmoothQuant, exponent 0.5):
//     0.0117, 0.0152, 1.0 %
//   - those beside weights rounded with error feedback (GPTQ): 0.0109, 0.0141, 0.8 %, and
//     sixteen of them: 0.0092, 0.0124, 0.9 %; seconds at loading, and it takes real prose
//   - spreading with no channel kept: 0.012, 0.014, 0.8 %, and wide made-up weights lose
//     3.6 % of their orders; with eight: 0.011, 0.013, 0.7 %
//   - blocks of 128 channels that lie side by side; a reflection of the 512s of 1536; signs
//     turned so that a row's mean is spread, too; the mean taken away before: no better
//   - channels scaled so that values and weights are equally long, which takes a quarter of what a
//     product loses, and nothing of what the scores do: 0.010, 0.013, 0.7 %
const (
	spreadBlock  = 128 // channels that spread8 takes at a time
	spreadFours  = 4 * spreadBlock
	spreadThrees = 3 * spreadBlock
)

// spreads reports whether rows of a width are spread: only if it is a multiple of
// spreadBlock.
func spreads(width int) bool { return width%spreadBlock == 0 && width > 0 }

// spread writes x·R to dst, which has x's length and is other memory. spreads(len(x)) must
// be true.
func (i ISA) spread(dst, x []float32) {
	n, set := len(x), asm.ISA(i)
	dst = dst[:n]
	switch {
	case i == Generic:
		spread(dst, x)
	case n%spreadFours == 0:
		asm.Spread8(set, &dst[0], &x[0], n)
		asm.Spread4(set, &dst[0], &dst[0], n)
	case n%spreadThrees == 0:
		asm.Spread8(set, &dst[0], &x[0], n)
		asm.Spread3(set, &dst[0], &dst[0], n)
	default:
		asm.Spread8(set, &dst[0], &x[0], n)
	}
}

// Spread returns x·R normalized to the length that x has, as Int8 rounds it; for tests. If
// rows of this width are not spread, it returns x itself.
func Spread(x []float64) []float64 {
	if !spreads(len(x)) {
		return x
	}
	narrow, y, length := make([]float32, len(x)), make([]float64, len(x)), math.Sqrt(float64(spreadSquare(len(x))))
	for i, v := range x {
		narrow[i] = float32(v)
	}
	from := slices.Clone(narrow)
	spread(narrow, from)
	for i, v := range narrow {
		y[i] = float64(v) / length
	}
	return y
}

// spreadWeights returns the weights that an output has for spread rows: in dst, or w itself
// if such rows are not spread.
func (i ISA) spreadWeights(dst, w []float32) []float32 {
	if !spreads(len(w)) {
		return w
	}
	i.spread(dst, w)
	by := 1 / spreadSquare(len(w))
	for c := range dst {
		dst[c] *= by
	}
	return dst
}

// spreadSquare returns by how much spread lengthens a row of that width, squared. It is a
// power of two.
func spreadSquare(width int) float32 {
	if width%spreadFours == 0 {
		return 8 * 4
	}
	return 8
}

// spread is spread8 of package asm, followed by spread4 or spread3, in plain Go.
func spread(dst, x []float32) {
	copy(dst, x)
	butterflies(dst, 16, 8)
	switch {
	case len(dst)%spreadFours == 0:
		butterflies(dst, spreadBlock, 4)
	case len(dst)%spreadThrees == 0:
		for i := range dst {
			if i/spreadBlock%3 != 0 {
				continue
			}
			a, b, c := &dst[i], &dst[i+spreadBlock], &dst[i+2*spreadBlock]
			m := float32((*a + *b + *c) * (2.0 / 3)) // the conversion prevents a fused multiply-add
			*a, *b, *c = *a-m, *b-m, *c-m
		}
	}
}

// butterflies multiplies each group of n values, which lie apart from each other, by
// Hadamard's matrix of order n.
func butterflies(x []float32, apart, n int) {
	for s := apart; s < n*apart; s *= 2 {
		for i := range x {
			if i&s == 0 {
				x[i], x[i+s] = x[i]+x[i+s], x[i]-x[i+s]
			}
		}
	}
}
