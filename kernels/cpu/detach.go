package cpu

import (
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// Detach copies the tensors that are not packed: the embeddings, nearly all of them the
// words', and the norms. The copy costs memory; in return passes have no page faults, and
// it does not matter what happens to the weights' file. kernels.Generic does not detach,
// since in float32 it packs nothing: Detach returns false.
func (d *Device) Detach(w *model.Weights) bool {
	if d.variant.ISA == kernels.Generic {
		return false
	}
	own := func(values *[]float32) { *values = w.Detached(*values) }
	norm := func(n *kernels.Norm) { own(&n.Gain); own(&n.Bias) }
	own(&d.embed.Word)
	own(&d.embed.Position)
	own(&d.embed.Type)
	norm(&d.embed.Norm)
	for i := range d.layers {
		norm(&d.layers[i].attentionNorm)
		norm(&d.layers[i].outputNorm)
	}
	return true
}
