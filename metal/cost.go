package metal

import "github.com/minilm-metal/minilm-metal/model"

// cost is the work of a dispatch, as its shape defines it: floating-point operations,
// counted as model.Config.FLOPs does, without padding; and the bytes of its operands, each
// read or written once.
type cost struct{ flops, bytes int64 }

// linearCost is the cost of a product of the live rows. A product that is added to the
// residual stream also reads and writes that.
func (p *plan) linearCost(k *variant) cost {
	r, i, o := int64(p.rows), int64(k.product.in), int64(k.product.out)
	written := 2 * r * o
	if k.add {
		written = 2 * 4 * r * o
	}
	return cost{2 * r * i * o, 2*(r*i+i*o) + 4*o + written}
}

func (p *plan) attentionCost() cost {
	h := int64(p.layout.config.HiddenSize)
	return cost{4 * p.squares * h, 2 * 4 * int64(p.Tokens()) * h}
}

func (p *plan) attentionClsCost() cost {
	h, t, s := int64(p.layout.config.HiddenSize), int64(p.Tokens()), int64(p.Len())
	return cost{2*s*h*h + 4*t*h, 2 * (2*t*h + 2*s*h + h*h)}
}

func (p *plan) embedCost() cost {
	return cost{bytes: int64(p.rows) * int64(p.layout.config.HiddenSize) * (3*2 + 4 + 2)}
}

func (p *plan) normCost() cost {
	return cost{bytes: int64(p.rows) * int64(p.layout.config.HiddenSize) * (4 + 4 + 2)}
}

func (p *plan) poolCost(kind model.ReduceKind) cost {
	rows := 2 * p.Len()
	if kind == model.Max || kind.Weighted() {
		rows += p.Tokens() - p.Len()
	}
	return cost{bytes: 4 * int64(rows) * int64(p.layout.config.HiddenSize)}
}
