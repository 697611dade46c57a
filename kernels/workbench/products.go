package workbench

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// epilogue is what follows a product: in the same kernel, or for a LayerNorm, which needs
// whole rows, right after it.
type epilogue struct {
	suffix, title string
}

var (
	plain    = epilogue{"", "bias"}
	withGELU = epilogue{"-gelu", "bias, GELU"}
	withNorm = epilogue{"-norm", "bias, residual, LayerNorm"}

	narrowed32   = epilogue{"-bf16", "bias, bfloat16 out"}
	narrowedGELU = epilogue{"-gelu-bf16", "bias, GELU, bfloat16 out"}
)

// nothing and kept return the parts of an input of that many rows that int8 keeps with more
// than 8 bits. kept keeps what the device does: the [CLS] row of each sequence (here of the
// mean length) and as many channels as possible. Which channels these are does not change
// the cost.
func nothing(int) kernels.Keep { return kernels.Keep{} }

func kept(rows int) kernels.Keep {
	keep := kernels.Keep{Channels: make([]int, kernels.MostChannels)}
	for i := range keep.Channels {
		keep.Channels[i] = 7 * i
	}
	for r := 0; r < rows; r += meanLength {
		keep.Rows = append(keep.Rows, r)
	}
	return keep
}

// keeping returns a kernel that keeps parts of its input, which only int8 does differently.
// The extra work is not counted, so that the share of peak shows its cost.
func keeping(k kernel) kernel {
	k.name, k.title, k.has = k.name+"-keep", k.title+"; [CLS] and channels kept", inInt8
	return k
}

func product(name string, e epilogue, in, out int, keep func(rows int) kernels.Keep) kernel {
	return kernel{
		name: name, title: fmt.Sprintf("%d → %d, %s", in, out, e.title), in: in, out: out, rows: rows, has: anyFormat,
		work: func(s Shape, v kernels.Variant) Work {
			y := int64(s.Rows * s.Out * float)
			bytes := inputBytes(v, s) + weightBytes(v, s) + y
			work := Work{2 * int64(s.Rows) * int64(s.In) * int64(s.Out), bytes, bytes}
			if e == withNorm {
				gains := int64(2 * s.Out * float)
				work.Bytes += y + gains // the residual is read before it is overwritten
				work.Footprint += gains
			}
			return work
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			keep := keep(s.Rows)
			m := kernels.Pack(o.w[:s.Out*s.In], o.w[:s.Out], s.Out, s.In, v, kernels.Inputs{Keep: keep.Channels})
			x, y := new(kernels.Input), o.y[:s.Rows*s.Out]
			x.Set(v, o.x, s.Rows, s.In, s.In, keep)
			switch e {
			case withGELU:
				return job{run: func() { m.LinearGELU(y, x, s.Out) }}
			case withNorm:
				norm, scratch := o.norm(s.Out), make([]float32, s.Rows*s.Out)
				return job{run: func() {
					m.Linear(scratch, x, s.Out)
					v.ISA.AddNorm(y, scratch, norm, s.Rows)
				}}
			}
			return job{run: func() { m.Linear(y, x, s.Out) }}
		},
	}
}

// narrowProduct returns a product whose kernel writes bfloat16 for the next step, as the
// device does in variants for which has is true.
func narrowProduct(name string, e epilogue, in, out int, has func(kernels.Variant) bool) kernel {
	k := product(name, e, in, out, nothing)
	k.has, k.work = has, func(s Shape, v kernels.Variant) Work {
		bytes := inputBytes(v, s) + weightBytes(v, s) + int64(s.Rows*s.Out*size(kernels.BF16))
		return Work{2 * int64(s.Rows) * int64(s.In) * int64(s.Out), bytes, bytes}
	}
	k.prepare = func(o *operands, s Shape, v kernels.Variant) job {
		m := kernels.Pack(o.w[:s.Out*s.In], o.w[:s.Out], s.Out, s.In, v, kernels.Inputs{})
		x, next := new(kernels.Input), new(kernels.Input)
		x.Set(v, o.x, s.Rows, s.In, s.In, kernels.Keep{})
		if e == narrowedGELU {
			return job{run: func() { m.LinearGELUTo(next, x) }}
		}
		y := make([]uint16, s.Rows*s.Out)
		return job{run: func() { m.LinearBF16(y, x, s.Out) }}
	}
	return k
}

// inputBytes is the size of a product's input. In int8 this includes a scale and an offset
// for each row.
func inputBytes(v kernels.Variant, s Shape) int64 {
	bytes := int64(s.Rows * s.In * size(v.Format))
	if v.Format == kernels.Int8 {
		bytes += int64(2 * s.Rows * float)
	}
	return bytes
}

// weightBytes is the size of a product's weights and biases. In int8 this includes a scale
// and the sum of the weights for each output.
func weightBytes(v kernels.Variant, s Shape) int64 {
	bytes := int64(s.Out*s.In*size(v.Format) + s.Out*float)
	if v.Format == kernels.Int8 {
		bytes += int64(2 * s.Out * float)
	}
	return bytes
}

// size returns the bytes of a value in a format, even if an instruction set stores it with
// more.
func size(f kernels.Format) int {
	switch f {
	case kernels.BF16, kernels.F16:
		return 2
	case kernels.Int8:
		return 1
	}
	return float
}

// narrow returns the kernel that converts a product's input to its format.
func narrow(in int, keep func(rows int) kernels.Keep) kernel {
	return kernel{
		name: fmt.Sprintf("input-%d", in), title: fmt.Sprintf("float32 to the format of a product, rows of %d", in), in: in, out: in, rows: rows, has: narrowed,
		work: func(s Shape, v kernels.Variant) Work {
			bytes := int64(s.Rows*s.In*float) + inputBytes(v, s)
			return Work{0, bytes, bytes}
		},
		prepare: func(o *operands, s Shape, v kernels.Variant) job {
			x, keep := new(kernels.Input), keep(s.Rows)
			return job{run: func() { x.Set(v, o.x, s.Rows, s.In, s.In, keep) }}
		},
	}
}
