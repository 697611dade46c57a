package kernels

import (
	"math"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Before a row is rounded to integers, its values are spread over its channels: the row is
// multiplied by an orthogonal matrix R, and so are the weights that it meets. Since
// (x·R)·(w·R)ᵀ = x·wᵀ, the product is what it was. But a value far out, which makes the
// steps of all others coarse, becomes many small ones, and what is rounded is nearer to a
// normal distribution. Weights are so spread once for all, rows at each product (Ashkboos
// et al. 2024, "QuaRot", arXiv:2404.00456).
//
// R is made of Hadamard's matrices of order 8, over channels 16 apart, and of order 4, over
// those 128 apart; where there are not four such blocks, of the reflection of three,
// I - ⅔·J. It takes sums and differences of whole registers only. Hadamard's matrices are
// not divided by √8 and √4 in rows; the weights are divided by 8 and 4, which is exact.
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

// spreads says whether rows of a width are spread: whole blocks are.
func spreads(width int) bool { return width%spreadBlock == 0 && width > 0 }

// spread writes x·R to dst, which has x's length and is not x: one that spreads says yes to.
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

// Spread returns x·R, of the length that x has, as Int8 rounds rows and weights; x itself
// where rows of its width are not spread.
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

// spreadWeights returns what an output's weights are among spread rows, in dst or w itself.
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

// spreadSquare returns how much longer spread makes rows of a width: squared, a power
// of two.
func spreadSquare(width int) float32 {
	if width%spreadFours == 0 {
		return 8 * 4
	}
	return 8
}

// spread is package asm's spread8, and spread4 or spread3 after it, in plain Go.
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
			m := float32((*a + *b + *c) * (2.0 / 3)) // not fused with what follows
			*a, *b, *c = *a-m, *b-m, *c-m
		}
	}
}

// butterflies multiplies each n values that lie apart from each other by Hadamard's
// matrix of order n.
func butterflies(x []float32, apart, n int) {
	for s := apart; s < n*apart; s *= 2 {
		for i := range x {
			if i&s == 0 {
				x[i], x[i+s] = x[i]+x[i+s], x[i]-x[i+s]
			}
		}
	}
}
