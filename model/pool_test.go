package model

import (
	"slices"
	"testing"
)

// What a head that skips prompts pools of a sequence is a sum, or the largest, over what comes after the
// prompt, whichever others are beside it; without prompts it is what other heads pool.
func TestReductionsWithoutPrompts(t *testing.T) {
	var b Batch
	for _, n := range []int{4, 2, 3} {
		b.Append(make([]int32, n), make([]int32, n))
	}
	half, root := float32(0.5), float32(0.70710677)
	for _, c := range []struct {
		pool    Pooling
		prompts []int
		want    []float32 // by sequence: 4, 2 and 3
	}{
		{PoolCls, []int{0, 1, 7}, []float32{1, 0, 0, 0 /**/, 0, 1 /**/, 1, 0, 0}},
		{PoolLast, []int{2, 0, 3}, []float32{0, 0, 0, 1 /**/, 0, 1 /**/, 0, 0, 0}},
		{PoolMax, []int{2, 0, 3}, []float32{0, 0, 1, 1 /**/, 1, 1 /**/, 0, 0, 0}},
		{PoolMean, []int{2, 0, 3}, []float32{0, 0, half, half /**/, half, half /**/, 0, 0, 0}},
		{PoolMeanSqrt, []int{2, 1, 1}, []float32{0, 0, root, root /**/, 0, 1 /**/, 0, root, root}},
		{PoolWeightedMean, []int{1, 0, 2}, []float32{0, 2. / 9, 3. / 9, 4. / 9 /**/, 1. / 3, 2. / 3 /**/, 0, 0, 1}},
	} {
		h := Head{Pool: []Pooling{c.pool}, SkipPrompt: true}
		got := h.Reductions(nil, &b, c.prompts)
		kind := Sum
		if c.pool == PoolMax {
			kind = MaxOf
		}
		if len(got) != 1 || got[0].Kind != kind || !slices.Equal(got[0].Weights, c.want) {
			t.Errorf("%d: %+v, want %v", c.pool, got, c.want)
		}
		all, ordinary := h.Reductions(nil, &b, nil), Reductions(nil, h.Pool, &b)
		if again := h.Reductions(got[:0], &b, []int{0, 0, 0}); !slices.Equal(again[0].Weights, all[0].Weights) {
			t.Errorf("%d: %v, then %v", c.pool, all, again)
		}
		if ordinary[0].Kind == Sum && !slices.Equal(all[0].Weights, ordinary[0].Weights) {
			t.Errorf("%d: without prompts %v, want %v", c.pool, all, ordinary)
		}
	}
	counts := Head{Pool: []Pooling{PoolMax, PoolMean}} // a head that counts prompts
	if got := counts.Reductions(nil, &b, []int{1, 1, 1}); len(got) != 2 || got[0].Kind != Max || got[1].Weights[0] != 0.25 {
		t.Errorf("%+v", got)
	}
}
