package kernels

import (
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// lanes is how many values the vector kernels take at a time, on every instruction set.
const lanes = 16

// GELU replaces each x by x·Φ(x) = x/2·(1 + erf(x/√2)), where Φ is the normal distribution.
// Its error is at most 2.5·2⁻²⁴·|x|; in variants whose operands have fewer bits than
// BF16x3's, 3.2e-5·max(1, |x|).
func (v Variant) GELU(x []float32) {
	if v.ISA == Generic {
		GELU(x)
		return
	}
	width := v.ISA.set().GeluColumns
	if rows := len(x) / width; rows > 0 {
		v.geluTile(&x[0], 4*width, rows, width)
		x = x[rows*width:]
	}
	if len(x) > 0 {
		var last [asm.MaxTile]float32
		copy(last[:], x)
		v.geluTile(&last[0], 4*width, 1, width)
		copy(x, last[:])
	}
}

// geluTile replaces the values of a tile by their GELU: rows that are stride bytes apart,
// of cols values each. cols is a multiple of what the kernel takes at a time.
func (v Variant) geluTile(x *float32, stride, rows, cols int) {
	isa := asm.ISA(v.ISA)
	for c := 0; c < cols; c += v.ISA.set().GeluColumns {
		part := (*float32)(unsafe.Add(unsafe.Pointer(x), 4*c))
		if v.Format == F32 || v.Format == BF16x3 {
			asm.Gelu(isa, part, stride, rows)
		} else {
			asm.GeluShort(isa, part, stride, rows)
		}
	}
}

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
