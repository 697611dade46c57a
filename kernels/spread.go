package kernels

import "github.com/minilm-metal/minilm-metal/kernels/internal/asm"

// Before a row is rounded to integers, its values are spread over its channels: the row is
// multiplied by an orthogonal matrix R, and so are the weights that it meets. Since
// (x·R)·(w·R)ᵀ = x·wᵀ, the product is what it was. But a value far out, which makes the
// steps of all others coarse, becomes many small ones, and what is rounded is nearer to a
// normal distribution. Weights are so spread once for all, rows at each product (Ashkboos
// et al. 2024, "QuaRot", arXiv:2404.00456).
//
// R is made of Hadamard's matrices of order 8, over channels 16 apart, and of order 4,
// over those 128 apart; where there are not four such blocks, of the reflection of three,
// I - ⅔·J. It mixes no more than 32 channels, but takes sums and differences of whole
// registers only, about 1 % of the forward. Hadamard's matrices are not
// divided by √8 and √4 in rows; the weights are divided by 8 and 4, which is exact.
//
// Tried on 860 pairs of MS MARCO (../../README.md tells of the model), where without it the
// scores' mean error is 0.021 of their deviation and 1.7 % of the orders are swapped, and with
// it 0.009 and 0.8 %: eight channels kept in all products, those that a calibration with
// text or with random words finds best, without spreading (0.012, 0.8 to 1.1 %; sixteen of them the
// same), ranges moved from activations to weights beside them (SmoothQuant with exponents of
// 0.5 and 0.6: 0.012 to 0.014), weights rounded with error feedback by that calibration
// (GPTQ: 0.011, half a second to a second at loading), and with sixteen channels
// besides (0.009); blocks of 128 channels that lie side by side (no better than this, and
// not in whole registers).

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
