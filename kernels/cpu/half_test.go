package cpu_test

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// What half cannot hold is refused in half by name, be it a weight or what can occur with
// it; in float32 it is not.
func TestBeyondHalf(t *testing.T) {
	fsys, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 96, Vocab: 600, Positions: 32, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	half := kernels.Variant{ISA: kernels.Generic, Format: kernels.F16}
	for _, c := range []struct {
		of   func(w *model.Weights) **tensor.Dense
		by   float32
		want string // "": it is not refused
	}{
		{func(w *model.Weights) **tensor.Dense { return &w.EmbeddingNorm.Gain }, 1, ""},
		{func(w *model.Weights) **tensor.Dense { return &w.EmbeddingNorm.Gain }, 1e5, "the embeddings can be as large"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Query.W }, 64, ""},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Query.W }, 1e7, "layer 1's weights can be as large"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Query.B }, 1e7, "layer 1's queries"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[0].Key.B }, 1e7, "layer 0's keys"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[0].Value.B }, 1e7, "layer 0's values"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[0].Output.W }, 3e4, "layer 0's attention output"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[0].AttentionNorm.Bias }, 1e7, "layer 0's hidden state after attention"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Up.B }, 1e7, "layer 1's inner channels"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[1].Down.W }, 6e4, "layer 1's feed-forward output"},
		{func(w *model.Weights) **tensor.Dense { return &w.Layers[1].OutputNorm.Gain }, 1e5, "layer 1's hidden state"},
	} {
		w, err := model.Load(fsys)
		if err != nil {
			t.Fatal(err)
		}
		at := c.of(w)
		values := slices.Clone(model.Float32s(*at))
		for i := range values {
			values[i] *= c.by
		}
		*at = tensor.New(tensor.WithShape((*at).Shape()...), tensor.WithBacking(values))
		for _, v := range []kernels.Variant{half, {ISA: kernels.Generic, Format: kernels.F32}} {
			d, err := cpu.Open(w, 1, v)
			if refused := err != nil && strings.Contains(err.Error(), c.want) && strings.Contains(err.Error(), "half holds numbers up to 65504"); refused != (c.want != "" && v == half) {
				t.Errorf("%v, times %g: %v, want %q", v, c.by, err, c.want)
			}
			if err == nil {
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
