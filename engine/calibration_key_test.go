package engine

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// Models have fingerprints of their own; what changed in one of the small tensors, or
// all over a large one, is seen.
func TestFingerprint(t *testing.T) {
	modeltest.OnlyValues(t)
	e := openShape(t, 1, calibrated, Precision("f32"), Device("cpu"))
	before := fingerprint(e.weights)
	if again := fingerprint(openShape(t, 1, calibrated, Precision("f32"), Device("cpu")).weights); again != before {
		t.Errorf("the same model: %s and %s", before, again)
	}
	seen := map[string]string{before: "the model itself"}
	check := func(name, print string) {
		t.Helper()
		if other, known := seen[print]; known {
			t.Errorf("%s: the fingerprint of %s", name, other)
		}
		seen[print] = name
	}
	check("another seed", fingerprint(openShape(t, 2, calibrated, Precision("f32"), Device("cpu")).weights))
	copied := func(of *tensor.Dense, change func([]float32)) *tensor.Dense {
		values := slices.Clone(model.Float32s(of))
		change(values)
		return tensor.New(tensor.WithShape(of.Shape()...), tensor.WithBacking(values))
	}
	w := *e.weights
	w.Config.LayerNormEps *= 2
	check("another epsilon", fingerprint(&w))
	w = *e.weights
	w.Layers = slices.Clone(w.Layers)
	w.Layers[1].Up.B = copied(w.Layers[1].Up.B, func(v []float32) { v[len(v)-1]++ })
	check("one bias", fingerprint(&w))
	w = *e.weights
	w.Layers = slices.Clone(w.Layers)
	w.Layers[0].OutputNorm.Gain = copied(w.Layers[0].OutputNorm.Gain, func(v []float32) { v[3] *= 8 })
	check("one gain", fingerprint(&w))
	w = *e.weights
	w.WordEmbeddings = copied(w.WordEmbeddings, func(v []float32) {
		for i := range v {
			v[i] *= 1.001
		}
	})
	check("all embeddings", fingerprint(&w))
	w = *e.weights
	w.Head.Pool = []model.Pooling{model.PoolMean}
	check("another pooling", fingerprint(&w))
	steps := w.Head.Steps
	norm := e.weights.EmbeddingNorm
	norm.Gain = copied(norm.Gain, func(v []float32) { v[len(v)-1]++ })
	for name, more := range map[string]model.Step{
		"a cut around": {Around: []model.Step{{Cut: 1}}}, "unit length around": {Around: []model.Step{{Unit: true}}},
		"unit length": {Unit: true}, "a cut": {Cut: 1}, "a norm": {Norm: &e.weights.EmbeddingNorm},
		"a norm of another gain": {Norm: &norm},
		"a norm within":          {Around: []model.Step{{Norm: &e.weights.EmbeddingNorm}}},
		"tanh":                   {Act: math.Tanh}, "GELU": {Act: model.GELU}, "ReLU": {Act: func(x float64) float64 { return max(x, 0) }},
		"sigmoid": {Act: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	} {
		w = *e.weights
		w.Head.Steps = append(slices.Clone(steps), more)
		check(name, fingerprint(&w))
	}
	for _, last := range []bool{false, true} {
		w = *e.weights
		w.WordEmbeddings = copied(w.WordEmbeddings, func(v []float32) {
			if last {
				v[len(v)-1]++
			} else {
				v[0]++
			}
		})
		check(map[bool]string{false: "the first embedding", true: "the last embedding"}[last], fingerprint(&w))
	}
}

func TestProcessor(t *testing.T) {
	if first, again := processor(), processor(); first == "" || first != again {
		t.Errorf("%q, then %q", first, again)
	}
}
