package modeltest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
)

// pools compares every way of pooling with the reference. What is pooled of a sequence must
// not depend on the rest of the batch.
func (s *suite) pools(t *testing.T) {
	d, h := s.device(t, 1), s.w.Config.HiddenSize
	all := lengths()
	b := s.batch(rand.New(rand.NewPCG(12, 12)), all[:len(all)-1]...)
	ways := [][]model.Pooling{
		{model.PoolCls}, {model.PoolMean}, {model.PoolMax}, {model.PoolMeanSqrt}, {model.PoolWeightedMean}, {model.PoolLast},
		{model.PoolMax, model.PoolMean, model.PoolCls}, {model.PoolCls, model.PoolCls}, {model.PoolLast, model.PoolWeightedMean, model.PoolMean},
	}
	wants := s.exactPools(t, b, ways)
	for i, pool := range ways {
		t.Run(fmt.Sprint(pool), func(t *testing.T) {
			r := model.Reductions(nil, pool, b)
			got, want := s.pool(t, d, b, r), wants[i]
			for k := range pool { // each way by itself: some have larger values than others
				var ours []float32
				var right []float64
				for i := range b.Len() {
					at := (i*len(pool) + k) * h
					ours, right = append(ours, got[at:][:h]...), append(right, want[at:][:h]...)
				}
				s.rowsNear(t, ours, right, s.precision.Hidden)
			}
			for i := range b.Len() {
				var one model.Batch
				b.Slice(&one, i, i+1)
				width := len(pool) * h
				s.same(t, s.pool(t, d, &one, model.Reductions(nil, pool, &one)), got[i*width:][:width])
			}
		})
	}
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
