package cpu

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// mostF16 is half's largest number, less what the roundings of operands and of as many sums
// as kernels.SumBlockF16 add.
const mostF16 = 65504 * (1 - 1.0/32)

// checkF16 says what of w, or of what can occur with it, half cannot hold: its weights, what
// products read, and their sums. What would overflow becomes infinite, and then either a
// score that is not a number or, behind a softmax, one that is wrong.
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
	if err := all("", extent{"the embeddings", w.EmbeddingExtent()}); err != nil {
		return err
	}
	for i := range w.Layers {
		e := w.Extents(i, kernels.SumBlockF16)
		if err := all(fmt.Sprintf("layer %d's ", i),
			extent{"weights", e.Weight}, extent{"queries", e.Query}, extent{"keys", e.Key}, extent{"values", e.Value},
			extent{"attention output", e.Output}, extent{"hidden state after attention", e.Attention},
			extent{"inner channels", e.Up}, extent{"feed-forward output", e.Down}, extent{"hidden state", e.FeedForward}); err != nil {
			return err
		}
	}
	return nil
}
