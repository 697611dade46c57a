package cpu_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// filled is a tensor of these values.
func filled(value func(i int) float64, shape ...int) *tensor.Dense {
	n := 1
	for _, size := range shape {
		n *= size
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(value(i))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}

// Embeddings that are narrower or wider than the hidden state are projected, by every variant
// as by the reference, and a sequence's rows do not depend on others or on the chunks.
func TestProjection(t *testing.T) {
	files, err := synth.FS(3, synth.Shape{Layers: 2, Hidden: 32, Heads: 4, Intermediate: 64, Vocab: 300, Positions: 300, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{16, 12, 48} {
		w, err := model.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		c := &w.Config
		c.EmbeddingSize = size
		wave := func(i int) float64 { return math.Sin(float64(i) * 1.7) }
		w.WordEmbeddings, w.PositionEmbeddings = filled(wave, c.VocabSize, size), filled(func(i int) float64 { return math.Cos(float64(i)) }, c.MaxPositions, size)
		w.TypeEmbeddings = filled(wave, c.TypeVocabSize, size)
		w.EmbeddingNorm = model.Norm{Gain: filled(func(i int) float64 { return 1 + wave(i)/4 }, size), Bias: filled(wave, size)}
		w.Projection = &model.Linear{W: filled(func(i int) float64 { return wave(i) / math.Sqrt(float64(size)) }, c.HiddenSize, size), B: filled(wave, c.HiddenSize)}
		var b, alone model.Batch
		for n := 1; n < 300; n += 37 {
			ids, types := make([]int32, n), make([]int32, n)
			for i := range ids {
				ids[i], types[i] = int32((n*i+7)%c.VocabSize), int32(i%2)
			}
			b.Append(ids, types)
			alone = model.Batch{}
			alone.Append(ids, types)
		}
		want := pooled(t, model.NewReference(w, 1), c, &b)
		for _, v := range kernels.Variants() {
			d, err := cpu.Open(w, 2, v)
			if v.Format == kernels.F16 {
				if err == nil {
					t.Errorf("%v opens", v)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got := pooled(t, d, c, &b)
			off, most := 0.0, map[kernels.Format]float64{kernels.F32: 1e-5, kernels.BF16x3: 1e-4, kernels.BF16: 0.1, kernels.Int8: 0.4}[v.Format]
			for i := range got {
				off = max(off, math.Abs(float64(got[i]-want[i])))
			}
			if off > most {
				t.Errorf("%d, %v: off by %g", size, v, off)
			}
			if one := pooled(t, d, c, &alone); !slices.Equal(one, got[len(got)-len(one):]) {
				t.Errorf("%d, %v: other bits alone", size, v)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func pooled(t *testing.T, d model.Device, c *model.Config, b *model.Batch) []float32 {
	t.Helper()
	dst := make([]float32, b.Len()*c.HiddenSize)
	if err := model.Encode(d, c, b, model.Firsts, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}
