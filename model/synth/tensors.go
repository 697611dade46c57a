package synth

import (
	"cmp"
	"fmt"
	"slices"
)

// tensor is one entry of the checkpoint: what it is called, how large it is
// and how its values are drawn.
type tensor struct {
	name  string
	shape []int
	draw  distribution
}

// rows and cols treat the tensor as a matrix; a vector is one row.
func (t *tensor) rows() int { return t.elements() / t.cols() }
func (t *tensor) cols() int { return t.shape[len(t.shape)-1] }

func (t *tensor) elements() int {
	n := 1
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// tensors lists the parameters of BertForSequenceClassification, or of BertModel for an
// embedder, under their names in PyTorch, sorted by name as safetensors files are.
func (c Checkpoint) tensors() []tensor {
	var ts []tensor
	s := c.Shape
	add := func(name string, d distribution, shape ...int) {
		ts = append(ts, tensor{name, shape, d})
	}
	dense := func(name string, out, in int, std float32) {
		d := distribution{std: std, uneven: true}
		if in == s.Hidden {
			d.outliers = inputOutliers
		}
		add(name+".weight", d, out, in)
		add(name+".bias", distribution{std: biasStd}, out)
	}
	norm := func(name string) {
		add(name+".weight", distribution{mean: 0.9, std: 0.2, outliers: gainOutliers}, s.Hidden)
		add(name+".bias", distribution{std: 0.15, outliers: biasOutliers}, s.Hidden)
	}

	prefix := c.prefix()
	embeddings := prefix + "embeddings."
	add(embeddings+"word_embeddings.weight", distribution{std: 0.05}, s.Vocab, s.Hidden)
	add(embeddings+"position_embeddings.weight", distribution{std: 0.02}, s.Positions, s.Hidden)
	add(embeddings+"token_type_embeddings.weight", distribution{std: 0.02}, s.Types, s.Hidden)
	norm(embeddings + "LayerNorm")

	h, f := s.Hidden, s.Intermediate
	for l := range s.Layers {
		layer := fmt.Sprintf("%sencoder.layer.%d.", prefix, l)
		dense(layer+"attention.self.query", h, h, fanIn(2.2, h))
		dense(layer+"attention.self.key", h, h, fanIn(2.2, h))
		dense(layer+"attention.self.value", h, h, fanIn(4, h))
		dense(layer+"attention.output.dense", h, h, fanIn(1, h))
		norm(layer + "attention.output.LayerNorm")
		dense(layer+"intermediate.dense", f, h, fanIn(1, h))
		dense(layer+"output.dense", h, f, fanIn(1.8, f))
		if c.Kind == Embedder && l == s.Layers-1 {
			// Channels that stand out in every text would be most of every embedding, and
			// training spreads embeddings apart.
			add(layer+"output.LayerNorm.weight", distribution{mean: 0.9, std: 0.2}, s.Hidden)
			add(layer+"output.LayerNorm.bias", distribution{std: 0.15}, s.Hidden)
			continue
		}
		norm(layer + "output.LayerNorm")
	}
	dense(prefix+"pooler.dense", h, h, fanIn(0.6, h)) // an embedder has it, too, and does not use it
	if c.Kind != Embedder {
		add("classifier.weight", distribution{std: fanIn(20, h)}, s.Labels, h)
		add("classifier.bias", distribution{std: 0.5}, s.Labels)
	}

	slices.SortFunc(ts, func(a, b tensor) int { return cmp.Compare(a.name, b.name) })
	return ts
}
