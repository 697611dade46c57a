package kernels

import "math"

// Head is BERT's pooler and the classifier on top of it. It is float32 at every precision,
// so that scores that differ little do not become equal.
type Head struct {
	Pooler                   *Matrix   // width -> width, F32
	ClassifierW, ClassifierB []float32 // width, 1
}

// Score writes Wc·tanh(Wp·x + bp) + bc, one logit for each row.
//
//	dst     rows
//	x       rows, Set for the pooler's variant
//	pooled  rows×width, scratch
func (h *Head) Score(dst []float32, x *Input, pooled []float32) {
	width, rows := h.Pooler.Out(), x.rows
	h.Pooler.Linear(pooled, x, width)
	for i, v := range pooled[:rows*width] {
		pooled[i] = float32(math.Tanh(float64(v)))
	}
	Linear(dst, pooled, h.ClassifierW, h.ClassifierB, rows, width, 1)
}
