// Package kernels is the arithmetic of a BERT encoder on a CPU: each step in plain Go,
// and again in assembly for several instruction sets.
//
// Each plain function is one step of a block (Devlin et al. 2018, arXiv:1810.04805) on
// packed rows: token after token, sequence after sequence, without padding. The plain
// functions define what the fast kernels must compute and in which order sums are added.
// They are unrolled only as far as this order stays readable:
//
//	Linear     y = W·x + b                       one row per token
//	GELU       y = x/2·(1 + erf(x/√2))           (Hendrycks and Gimpel 2016, arXiv:1606.08415)
//	AddNorm    y = LayerNorm(x + r)              (Ba et al. 2016, arXiv:1607.06450)
//	EmbedNorm  y = LayerNorm(word + position + type)
//	Attention  y = softmax(q·kᵀ/√d)·v            per head (Vaswani et al. 2017, arXiv:1706.03762)
//
// The fast kernels are methods of three types: ISA, an instruction set; Matrix, weights
// packed for one; and Variant, an instruction set together with the Format of a product's
// operands (float32, bfloat16, half, 8-bit integers, or float32 split into two bfloat16).
// An Input is the rows of x in such a format. Best chooses the fastest instruction set of
// this processor; ISA.Formats lists its formats. The assembly is in package internal/asm,
// which the generator internal/asmgen writes; instruction sets share one source of a kernel
// where they can. Tests hold each kernel, bit for bit, to a plain Go chain of the same
// operations.
//
// Every output row depends on its own sequence alone and is summed in an order
// that does not depend on how many rows there are, so that a score is the same,
// bit for bit, whatever else is in the batch, at every precision.
//
// Matrices are row-major slices. A weight matrix is out×in, as checkpoints
// store it. Functions panic, before writing, on slices shorter than the sizes
// that they are given.
package kernels
