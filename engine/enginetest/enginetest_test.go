package enginetest_test

import (
	"math"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// Each kind of engine makes what it says, the same every time, and closes with the test.
func TestKinds(t *testing.T) {
	texts := []string{"What is a cell?", "Rain falls.", ""}
	var embeds, labels *engine.Engine
	t.Run("open", func(t *testing.T) {
		embeds, labels = enginetest.OpenEmbedder(t), enginetest.OpenClassifier(t, engine.MaxLength(128))
		var before []float32
		for range 2 {
			rows, err := embeds.Embed(t.Context(), nil, texts)
			if err != nil || len(rows) != 3*32 || before != nil && !slices.Equal(rows, before) {
				t.Fatalf("%d values, %v", len(rows), err)
			}
			before = rows
		}
		if info := embeds.Info(); info.Dimensions != 32 || info.Precision != "f32" || len(info.Warnings) > 0 {
			t.Errorf("%+v", info)
		}
		for i := range texts {
			if row := before[i*32:][:32]; math.Abs(float64(vectors.Dot.Of(row, row))-1) > 1e-6 {
				t.Errorf("text %d: %g is not of length 1", i, row)
			}
		}
		if info := labels.Info(); !slices.Equal(info.Labels, []string{"contradiction", "entailment", "neutral"}) || info.MaxLength != 128 || len(info.Warnings) > 0 {
			t.Errorf("%+v", info)
		}
		of, err := labels.Classify(t.Context(), nil, texts)
		pairs, failed := labels.ClassifyPairs(t.Context(), nil, []engine.Pair{{Query: texts[0], Passage: texts[1]}})
		if err != nil || failed != nil || len(of) != 9 || len(pairs) != 3 {
			t.Fatalf("%g, %v, %g, %v", of, err, pairs, failed)
		}
		for row := range slices.Chunk(append(of, pairs...), 3) {
			if sum := float64(row[0]) + float64(row[1]) + float64(row[2]); math.Abs(sum-1) > 1e-6 {
				t.Errorf("probabilities %g", row)
			}
		}
	})
	for _, e := range []*engine.Engine{embeds, labels} {
		if _, err := e.Embed(t.Context(), nil, texts); err == nil {
			t.Error("an engine outlives its test")
		}
	}
}
