package model

import (
	"math"
	"slices"
)

// Extents are how large the values of a layer can be at most, whatever the tokens are:
// what a format must be able to hold that has less range than float32.
//
// LayerNorm makes of any row of n channels one of norm √n, before its gain and its bias. A
// channel is then at most √n·|gain| + |bias|; its product with a row w of a matrix at most
// √n·‖w∘gain‖ + Σ|w·bias|, by Cauchy and Schwarz, which is far less than the channels'
// own extents would give. So is the sum of any of the products' terms, in any order. What
// softmax weighs stays within the largest of V, and GELU makes nothing larger.
type Extents struct {
	Weight            float64 // of the layer's matrices
	Query, Key, Value float64 // of W·x + b, and of what heads find, which Value bounds
	Output            float64 // of Wo times that, a block of terms
	Attention         float64 // of x after the attention block
	Up                float64 // of W1·x + b1, and of its GELU
	Down              float64 // of W2 times that, a block of terms
	FeedForward       float64 // of x after the feed-forward block
}

// EmbeddingExtent is how large a value of the embeddings can be after their LayerNorm.
func (w *Weights) EmbeddingExtent() float64 { return w.EmbeddingNorm.extent() }

// Extents returns a layer's. Of the products that are not with a LayerNorm's output they
// are of so many terms one after the other, from a multiple of as many on.
func (w *Weights) Extents(layer, block int) Extents {
	l, before := &w.Layers[layer], w.EmbeddingNorm
	if layer > 0 {
		before = w.Layers[layer-1].OutputNorm
	}
	value, up := before.products(l.Value), l.AttentionNorm.products(l.Up)
	e := Extents{
		Query: slices.Max(before.products(l.Query)), Key: slices.Max(before.products(l.Key)), Value: slices.Max(value),
		Output: blocks(l.Output, value, block), Attention: l.AttentionNorm.extent(),
		Up: slices.Max(up), Down: blocks(l.Down, up, block), FeedForward: l.OutputNorm.extent(),
	}
	for _, m := range []Linear{l.Query, l.Key, l.Value, l.Output, l.Up, l.Down} {
		for _, v := range Float32s(m.W) {
			e.Weight = max(e.Weight, math.Abs(float64(v)))
		}
	}
	return e
}

// extent is how large a channel can be after the norm.
func (n Norm) extent() (most float64) {
	gain, bias := Float32s(n.Gain), Float32s(n.Bias)
	size := math.Sqrt(float64(len(gain)))
	for i, g := range gain {
		most = max(most, size*math.Abs(float64(g))+math.Abs(float64(bias[i])))
	}
	return most
}

// products is how large each output of l can be, of what comes out of the norm.
func (n Norm) products(l Linear) []float64 {
	gain, bias, w := Float32s(n.Gain), Float32s(n.Bias), Float32s(l.W)
	all := make([]float64, 0, len(w)/len(gain))
	for o, b := range Float32s(l.B) {
		squares, rest := 0.0, math.Abs(float64(b))
		for i, v := range w[o*len(gain):][:len(gain)] {
			product := float64(v) * float64(gain[i])
			squares += product * product
			rest += math.Abs(float64(v) * float64(bias[i]))
		}
		all = append(all, math.Sqrt(float64(len(gain))*squares)+rest)
	}
	return all
}

// blocks is how large a block of terms of l's products can be, of inputs of these extents.
func blocks(l Linear, inputs []float64, block int) (most float64) {
	w := Float32s(l.W)
	for at := 0; at < len(w); at += len(inputs) {
		sum := 0.0
		for i, v := range w[at:][:len(inputs)] {
			if i%block == 0 {
				sum = 0
			}
			sum += math.Abs(float64(v)) * inputs[i]
			most = max(most, sum)
		}
	}
	return most
}
