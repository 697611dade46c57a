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

// tensors lists the parameters of BertForSequenceClassification under their
// names in PyTorch, sorted by name as safetensors files are.
func (s Shape) tensors() []tensor {
	var ts []tensor
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

	const embeddings = "bert.embeddings."
	add(embeddings+"word_embeddings.weight", distribution{std: 0.05}, s.Vocab, s.Hidden)
	add(embeddings+"position_embeddings.weight", distribution{std: 0.02}, s.Positions, s.Hidden)
	add(embeddings+"token_type_embeddings.weight", distribution{std: 0.02}, s.Types, s.Hidden)
	norm(embeddings + "LayerNorm")

	h, f := s.Hidden, s.Intermediate
	for l := range s.Layers {
		layer := fmt.Sprintf("bert.encoder.layer.%d.", l)
		dense(layer+"attention.self.query", h, h, fanIn(2.2, h))
		dense(layer+"attention.self.key", h, h, fanIn(2.2, h))
		dense(layer+"attention.self.value", h, h, fanIn(4, h))
		dense(layer+"attention.output.dense", h, h, fanIn(1, h))
		norm(layer + "attention.output.LayerNorm")
		dense(layer+"intermediate.dense", f, h, fanIn(1, h))
		dense(layer+"output.dense", h, f, fanIn(1.8, f))
		norm(layer + "output.LayerNorm")
	}
	dense("bert.pooler.dense", h, h, fanIn(0.6, h))
	add("classifier.weight", distribution{std: fanIn(20, h)}, s.Labels, h)
	add("classifier.bias", distribution{std: 0.5}, s.Labels)

	slices.SortFunc(ts, func(a, b tensor) int { return cmp.Compare(a.name, b.name) })
	return ts
}
