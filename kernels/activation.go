package kernels

import (
	"math"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// activation is a function that a product applies to each of its outputs, before they are
// written. This file has everything that depends on which one it is.
type activation int

const (
	none activation = iota
	gelu
)

// plain replaces each x by the function of it, in plain Go.
func (a activation) plain(x []float32) {
	if a == gelu {
		GELU(x)
	}
}

// tile replaces the values of a tile by the function of them: rows that are stride bytes
// apart, of cols values each. cols is a multiple of what the kernel takes at a time.
func (a activation) tile(v Variant, x *float32, stride, rows, cols int) {
	if a == none {
		return
	}
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

// tileProduct is a product on tiles, such as asm.Linear.
type tileProduct func(set asm.ISA, form asm.Format, rows, out int, dst unsafe.Pointer, dstStride int, x unsafe.Pointer, xStride int,
	w unsafe.Pointer, steps int, columns, scratch, perRow *float32, terms int, rests *int, rest *float32)

// tileProduct returns the product on tiles that ends with the function, and the bytes of
// each output: bfloat16 if narrow is true, else float32.
func (a activation) tileProduct(narrow bool) (product tileProduct, size int) {
	switch {
	case a == gelu && narrow:
		return asm.LinearGELUNarrow, 2
	case a == gelu:
		return asm.LinearGELU, 4
	case narrow:
		return asm.LinearNarrow, 2
	}
	return asm.Linear, 4
}

// GELU replaces each x by x/2·(1 + erf(x/√2)), the exact form, computed in float64 and
// rounded once.
func GELU(x []float32) {
	for i, v := range x {
		x[i] = float32(0.5 * float64(v) * (1 + math.Erf(float64(v)/math.Sqrt2)))
	}
}

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
		gelu.tile(v, &x[0], 4*width, rows, width)
		x = x[rows*width:]
	}
	if len(x) > 0 {
		var last [asm.MaxTile]float32
		copy(last[:], x)
		gelu.tile(v, &last[0], 4*width, 1, width)
		copy(x, last[:])
	}
}
