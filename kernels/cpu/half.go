package cpu

import (
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// mostF16 is the largest bound that is accepted for values in half, whose largest number is
// 65504. The margin is for the rounding of operands and of kernels.SumBlockF16 partial sums,
// 2^-11 each, which the bounds leave out.
const mostF16 = 65504 * (1 - 1.0/32)

// checkF16 returns an error where a weight of w, an operand of a product or a partial sum can
// be larger than half's largest number. It would become infinite. The score is then usually
// NaN, which is an error; but a key that is minus infinite gets the weight 0 in a softmax, and
// the score is a wrong number without any sign of it.
func checkF16(w *model.Weights) error {
	type extent struct {
		what string
		most float64
	}
	all := func(of string, extents ...extent) error {
		for _, e := range extents {
			if !(e.most <= mostF16) {
				return fmt.Errorf("cpu: half holds numbers up to 65504, and %s%s can be as large as %.3g", of, e.what, e.most)
			}
		}
		return nil
	}
	if w.Projection != nil {
		return fmt.Errorf("cpu: half holds numbers up to 65504, and how large projected embeddings can be is not known")
	}
	if err := all("", extent{"the embeddings", w.EmbeddingExtent()}); err != nil {
		return err
	}
	for i := range w.Layers {
		e := w.Extents(i, kernels.SumBlockF16)
		if err := all(fmt.Sprintf("layer %d's ", i),
			extent{"weights", largestWeight(&w.Layers[i])}, extent{"queries", e.Query}, extent{"keys", e.Key}, extent{"values", e.Value},
			extent{"attention output", e.Output}, extent{"hidden state after attention", e.Attention},
			extent{"inner channels", e.Up}, extent{"feed-forward output", e.Down}, extent{"hidden state", e.FeedForward}); err != nil {
			return err
		}
	}
	return nil
}

// largestWeight returns the largest magnitude in a layer's matrices.
func largestWeight(l *model.Layer) (most float64) {
	for _, m := range []model.Linear{l.Query, l.Key, l.Value, l.Output, l.Up, l.Down} {
		for _, v := range model.Float32s(m.W) {
			most = max(most, math.Abs(float64(v)))
		}
	}
	return most
}
