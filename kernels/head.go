package kernels

import "math"

// Head is BERT's pooler and the classifier on top of it.
type Head struct {
	PoolerW, PoolerB         []float32 // width×width, width
	ClassifierW, ClassifierB []float32 // width, 1
}

// Score writes Wc·tanh(Wp·x + bp) + bc, one logit for each row.
//
//	dst     rows
//	x       rows×width
//	pooled  rows×width, scratch
func (h *Head) Score(dst, x, pooled []float32, rows int) {
	width := len(h.PoolerB)
	Linear(pooled, x, h.PoolerW, h.PoolerB, rows, width, width)
	for i, v := range pooled[:rows*width] {
		pooled[i] = float32(math.Tanh(float64(v)))
	}
	Linear(dst, pooled, h.ClassifierW, h.ClassifierB, rows, width, 1)
}
