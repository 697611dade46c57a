// Package kernels is the arithmetic of a BERT encoder on a CPU: each step in
// plain Go, and again in assembly for the instruction sets that there are.
//
// Each plain function is one step of a block (Devlin et al. 2018,
// arXiv:1810.04805) on packed rows: token after token, sequence after sequence,
// no padding. They are the oracle that faster forms are held to, so they say
// what is computed and in which order it is summed, and are blocked for
// registers only so far that the order stays readable:
//
//	Linear     y = W·x + b                       one row per token
//	GELU       y = x/2·(1 + erf(x/√2))           (Hendrycks and Gimpel 2016, arXiv:1606.08415)
//	AddNorm    y = LayerNorm(x + r)              (Ba et al. 2016, arXiv:1607.06450)
//	EmbedNorm  y = LayerNorm(word + position + type)
//	Attention  y = softmax(q·kᵀ/√d)·v            per head (Vaswani et al. 2017, arXiv:1706.03762)
//	Head.Score y = Wc·tanh(Wp·x + bp) + bc
//
// The fast forms are methods of ISA, an instruction set; of Matrix, weights packed
// for one; and of Variant, an instruction set and the Format of a product's
// operands: float32, bfloat16, half, integers of 8 bits, or float32 split into two
// bfloat16. An Input is rows of x in such a format. Best chooses the instruction set
// that this processor runs fastest, ISA.Formats says what it has. The assembly is
// package internal/asm, written by the generator internal/asmgen, where a kernel is
// said once for all instruction sets that can share it. Each is held, bit for bit, to a
// plain chain of the same operations.
//
// Every output row depends on its own sequence alone and is summed in an order
// that does not depend on how many rows there are, so that a score is the same,
// bit for bit, whatever else is in the batch, at every precision.
//
// Matrices are row-major slices. A weight matrix is out×in, as checkpoints
// store it. Functions panic, before writing, on slices shorter than the sizes
// that they are given.
package kernels
