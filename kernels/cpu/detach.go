package cpu

import (
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// Detach copies what is not packed: the embeddings, most of it the words', and the norms.
// That takes some memory, and spares passes the page faults, and from what happens to the
// file. kernels.Generic packs nothing in float32, and stays where it is.
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
	if d.head != nil {
		own(&d.head.ClassifierW)
		own(&d.head.ClassifierB)
	}
	return true
}
