package model_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

func extentWeights(t *testing.T) *model.Weights {
	t.Helper()
	fsys, err := synth.FS(3, synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 96, Vocab: 600, Positions: 128, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func largest(x []float64) (most float64) {
	for _, v := range x {
		most = max(most, math.Abs(v))
	}
	return most
}

// No hidden state is larger than its extent, whatever the tokens; those of random tokens
// are within a few times of it.
func TestExtentsBoundHiddenStates(t *testing.T) {
	w := extentWeights(t)
	p := modeltest.Begin(t, model.NewReference(w, 1), modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 128, 1, 17, 64, 99)).(*model.ReferencePass)
	defer p.End()
	within := func(what string, extent float64) {
		t.Helper()
		if got := largest(p.Hidden64()); got > extent || got < extent/5 {
			t.Errorf("after %s: %g is the largest, and at most %g can be", what, got, extent)
		}
	}
	p.Embed()
	within("embeddings", w.EmbeddingExtent())
	for layer := range w.Layers {
		e := w.Extents(layer, 32)
		p.Attention(layer, model.AllRows)
		within(fmt.Sprintf("attention %d", layer), e.Attention)
		p.FeedForward(layer)
		within(fmt.Sprintf("feed-forward %d", layer), e.FeedForward)
	}
}

// A row of weights that lies along what LayerNorm leaves has a product as large as its
// extent: nothing smaller would bound it.
func TestExtentsAreReached(t *testing.T) {
	w := extentWeights(t)
	h := w.Config.HiddenSize
	ones := slices.Repeat([]float32{1}, h)
	w.EmbeddingNorm = model.Norm{Gain: vector(ones), Bias: vector(make([]float32, h))}
	p := modeltest.Begin(t, model.NewReference(w, 1), modeltest.Batch(rand.New(rand.NewPCG(2, 2)), 600, 1)).(*model.ReferencePass)
	defer p.End()
	p.Embed()
	x := p.Hidden64()
	along := func(l *model.Linear) (product float64) {
		values := make([]float32, h*h)
		for i, v := range x {
			values[5*h+i] = float32(7 * v)
			product += 7 * v * v
		}
		l.W, l.B = tensor.New(tensor.WithShape(h, h), tensor.WithBacking(values)), vector(make([]float32, h))
		return product
	}
	for what, l := range map[string]*model.Linear{"queries": &w.Layers[0].Query, "keys": &w.Layers[0].Key, "values": &w.Layers[0].Value} {
		product := along(l)
		e := w.Extents(0, 32)
		extent := map[string]float64{"queries": e.Query, "keys": e.Key, "values": e.Value}[what]
		if product > extent*(1+1e-6) || product < extent*(1-1e-3) {
			t.Errorf("%s: a product of %g, and an extent of %g", what, product, extent)
		}
	}
}

func vector(values []float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(values)), tensor.WithBacking(values))
}

// Of what is no LayerNorm's output, blocks of terms are bounded, and the fewer, the less.
func TestExtentsOfBlocks(t *testing.T) {
	w := extentWeights(t)
	before := 0.0
	for _, block := range []int{1, 8, 32, math.MaxInt} {
		e := w.Extents(1, block)
		if e.Down <= before || e.Output <= 0 {
			t.Errorf("blocks of %d: %g, and fewer terms have %g", block, e.Down, before)
		}
		before = e.Down
	}
	if e := w.Extents(1, 0); e.Down != 0 || e.Output != 0 || e.Up == 0 {
		t.Errorf("no blocks: %+v", e)
	}
	one := w.Extents(1, 1)
	down := largestWeight(w.Layers[1].Down)
	if one.Down > down*one.Up || one.Output > largestWeight(w.Layers[1].Output)*one.Value {
		t.Errorf("one term of %g by weights up to %g and %g of input", one.Down, down, one.Up)
	}
}

func largestWeight(l model.Linear) (most float64) {
	for _, v := range model.Float32s(l.W) {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}
