package modeltest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
)

// pools compares ways of pooling with the reference: [CLS] rows twice (once is what blocks and
// company have), each kind of reduction by itself, and several together. What is pooled of a
// sequence must not depend on the rest of the batch, nor on what else is pooled: a sequence
// alone is pooled in every way at once.
func (s *suite) pools(t *testing.T) {
	d, h := s.device(t, 1), s.w.Config.HiddenSize
	all := lengths()
	b := s.batch(rand.New(rand.NewPCG(12, 12)), all[:len(all)-1]...)
	ways := [][]model.Pooling{
		{model.PoolCls, model.PoolCls}, {model.PoolMean}, {model.PoolMax}, {model.PoolLast},
		{model.PoolMax, model.PoolMean, model.PoolCls}, {model.PoolLast, model.PoolWeightedMean, model.PoolMeanSqrt},
	}
	every := []model.Pooling{model.PoolCls, model.PoolMean, model.PoolMax, model.PoolMeanSqrt, model.PoolWeightedMean, model.PoolLast}
	alone := s.poolAlone(t, d, b, every)
	wants := s.exactPools(t, b, ways)
	for i, way := range ways {
		t.Run(fmt.Sprint(way), func(t *testing.T) {
			r := model.Reductions(nil, way, b)
			got := s.pool(t, d, b, r)
			for k, one := range way { // each by itself: some have larger values than others
				s.rowsNear(t, column(got, len(way), k, h), column(wants[i], len(way), k, h), s.precision.Hidden)
				if model.LastRows(r) == model.AllRows {
					s.same(t, column(alone, len(every), slices.Index(every, one), h), column(got, len(way), k, h))
				}
			}
			if model.LastRows(r) == model.ClsRows { // a device may have other kernels for these
				s.same(t, s.poolAlone(t, d, b, way), got)
			}
		})
	}
}

// poolAlone pools each sequence in a pass of its own.
func (s *suite) poolAlone(t *testing.T, d model.Device, b *model.Batch, way []model.Pooling) (rows []float32) {
	t.Helper()
	for i := range b.Len() {
		var one model.Batch
		b.Slice(&one, i, i+1)
		rows = append(rows, s.pool(t, d, &one, model.Reductions(nil, way, &one))...)
	}
	return rows
}

// column returns what the k-th of n reductions read of each sequence.
func column[V float32 | float64](rows []V, n, k, width int) (one []V) {
	for at := k * width; at < len(rows); at += n * width {
		one = append(one, rows[at:][:width]...)
	}
	return one
}

// Score runs d over b, and w's head in float64, which makes one score of a sequence.
func Score(d model.Device, w *model.Weights, b *model.Batch, scores []float32) error {
	if err := w.CheckHead(); err != nil {
		return err
	}
	if b.Len() != len(scores) {
		return fmt.Errorf("modeltest: batch has %d sequences, scores %d", b.Len(), len(scores))
	}
	rows := make([]float32, b.Len()*w.Config.HiddenSize)
	if err := model.Encode(d, &w.Config, b, model.Firsts, rows); err != nil {
		return err
	}
	for i, v := range w.Head.Apply64(widen(rows), b.Len()) {
		scores[i] = float32(v)
	}
	return nil
}
