package cpu

import (
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

func (p *pass) Pool(r []model.Reduce, dst []float32) error {
	h := p.d.config.HiddenSize
	if err := model.CheckPool(r, p.b, p.keep, h, len(dst)); err != nil {
		return err
	}
	begun := p.w.meter.now()
	for s := range p.b.Len() {
		lo, hi := p.b.Bounds(s)
		if p.keep == model.ClsRows {
			lo, hi = s, s+1
		}
		for i := range r {
			reduce(dst[(s*len(r)+i)*h:][:h], p.x, &r[i], lo, hi)
		}
	}
	p.w.meter.add(begun, outside, pool, 1, poolCost(r, p.b, h))
	return nil
}

// reduce makes one row of rows lo to hi of x, always in their order.
func reduce(row, x []float32, r *model.Reduce, lo, hi int) {
	h := len(row)
	switch r.Kind {
	case model.First:
		copy(row, x[lo*h:])
	case model.Last:
		copy(row, x[(hi-1)*h:])
	case model.Max, model.MaxOf:
		for c := range row {
			row[c] = float32(math.Inf(-1))
		}
		for t := lo; t < hi; t++ {
			if r.Kind == model.MaxOf && r.Weights[t] == 0 {
				continue
			}
			for c, v := range x[t*h:][:h] {
				row[c] = max(row[c], v)
			}
		}
	default:
		clear(row)
		for t := lo; t < hi; t++ {
			weight := r.Weights[t]
			for c, v := range x[t*h:][:h] {
				row[c] += float32(weight * v) // not fused on any machine
			}
		}
	}
}
