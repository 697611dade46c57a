package kernels

import "github.com/minilm-metal/minilm-metal/kernels/internal/asm"

// lanes is how many values the vector kernels take at a time, on every instruction set.
const lanes = 16

// AddNorm replaces each row of x by LayerNorm(x + r), as the function AddNorm does. Its
// sums are float32, in 16 parts; its error, before the gain, is at most 2⁻²¹ of the row's
// standard deviation. For widths that are no multiple of 16 it calls the generic function.
func (i ISA) AddNorm(x, r []float32, n *Norm, rows int) {
	width := len(n.Gain)
	if i == Generic || width%lanes != 0 {
		AddNorm(x, r, n, rows)
		return
	}
	x, r, bias := x[:rows*width], r[:rows*width], n.Bias[:width]
	if len(x) > 0 {
		asm.Norm(asm.ISA(i), &x[0], &r[0], &n.Gain[0], &bias[0], width, rows, float32(n.Eps), float32(width))
	}
}

// EmbedNorm writes LayerNorm(word + type + position) for consecutive tokens of one
// sequence, as the function EmbedNorm does, with the error of AddNorm.
func (i ISA) EmbedNorm(dst []float32, ids, types []int32, first int, e *Embeddings) {
	width := len(e.Norm.Gain)
	if i == Generic || width%lanes != 0 {
		EmbedNorm(dst, ids, types, first, e)
		return
	}
	dst, types = dst[:len(ids)*width], types[:len(ids)]
	for t, id := range ids {
		word, typ := row(e.Word, int(id), width), row(e.Type, int(types[t]), width)
		asm.Add(asm.ISA(i), &row(dst, t, width)[0], &word[0], &typ[0], width)
	}
	i.AddNorm(dst, e.Position[first*width:], &e.Norm, len(ids))
}
