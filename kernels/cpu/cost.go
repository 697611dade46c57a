package cpu

import (
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// cost is the work of one call of a kernel, as its shape defines it: floating-point
// operations, counted as model.Config.FLOPs does, and the bytes of its operands, each read
// or written once.
type cost struct{ flops, bytes int64 }

func (c *cost) add(o cost) { c.flops, c.bytes = c.flops+o.flops, c.bytes+o.bytes }

// products is the cost of multiplying rows by a matrix in a format.
func products(rows int, m *kernels.Matrix, f kernels.Format) cost {
	r, in, out := int64(rows), int64(m.In()), int64(m.Out())
	return cost{2 * r * in * out, bytesOf(f)*(r*in+in*out) + 4*(out+r*out)}
}

// attentionCost is the cost of attention for one sequence, all heads. h is the width of all
// heads together.
func attentionCost(queries, keys, h int) cost {
	q, k, width := int64(queries), int64(keys), int64(h)
	return cost{4 * q * k * width, 4 * (2*q + 2*k) * width}
}

// embedCost is the cost of adding three rows of tables and a LayerNorm.
func embedCost(rows, h int) cost { return cost{bytes: 4 * 4 * int64(rows) * int64(h)} }

// normCost is the cost of AddNorm on rows.
func normCost(rows, h int) cost { return cost{bytes: 3 * 4 * int64(rows) * int64(h)} }

// narrowCost is the cost of converting rows of float32 to the input format of products.
func narrowCost(rows, width int, f kernels.Format) cost {
	values := int64(rows) * int64(width)
	return cost{bytes: (4 + bytesOf(f)) * values}
}

// poolCost is the cost of reading rows of h channels and writing one a reduction.
func poolCost(r []model.Reduce, b *model.Batch, h int) cost {
	rows := int64(0)
	for i := range r {
		if rows += 2 * int64(b.Len()); r[i].Kind == model.Max || r[i].Kind.Weighted() {
			rows += int64(b.Tokens() - b.Len())
		}
	}
	return cost{bytes: 4 * rows * int64(h)}
}

// bytesOf returns the bytes of one value.
func bytesOf(f kernels.Format) int64 {
	switch f {
	case kernels.BF16, kernels.F16:
		return 2
	case kernels.Int8:
		return 1
	default:
		return 4
	}
}
