package model

import (
	"math"
	"slices"
)

// Extents are upper bounds of the magnitudes that a layer's values can have, for any input
// whatever. A number format with less range than float32 must be able to hold them.
//
// The bounds follow from LayerNorm: before gain and bias, each of its output rows of n
// channels has the Euclidean norm √n at most. So a channel is at most √n·|gain| + |bias|. By
// the Cauchy-Schwarz inequality the product with a row w of a matrix is at most
// √n·‖w∘gain‖ + Σ|w·bias|, and the same bound holds for the sum of any subset of its terms.
// Attention returns weighted means of rows of V, which are no larger than V's largest value,
// and |GELU(x)| ≤ |x|.
type Extents struct {
	Query, Key, Value float64 // outputs of these products, biases included; Value bounds attention's output, too
	Output            float64 // sums of one block of the terms of Wo's product, without bias
	Attention         float64 // hidden state after the attention block
	Up                float64 // W1·x + b1, and its GELU
	Down              float64 // sums of one block of the terms of W2's product, without bias
	FeedForward       float64 // hidden state after the feed-forward block
}

// EmbeddingExtent returns the upper bound of the hidden state's magnitudes after the
// embeddings' LayerNorm.
func (w *Weights) EmbeddingExtent() float64 { return w.EmbeddingNorm.extent() }

// Extents returns the bounds of a layer. Output and Down are for sums of so many consecutive
// terms, each block beginning at a multiple of their number: formats that sum in less than
// float32 do it block by block. Where block is 0 they are left out, and are 0.
func (w *Weights) Extents(layer, block int) Extents {
	l, before := &w.Layers[layer], w.EmbeddingNorm
	if layer > 0 {
		before = w.Layers[layer-1].OutputNorm
	}
	value, up := before.products(l.Value), l.AttentionNorm.products(l.Up)
	e := Extents{
		Query: slices.Max(before.products(l.Query)), Key: slices.Max(before.products(l.Key)), Value: slices.Max(value),
		Attention: l.AttentionNorm.extent(), Up: slices.Max(up), FeedForward: l.OutputNorm.extent(),
	}
	if block > 0 {
		e.Output, e.Down = blocks(l.Output, value, block), blocks(l.Down, up, block)
	}
	return e
}

// extent returns the upper bound of the norm's outputs.
func (n Norm) extent() (most float64) {
	gain, bias := Float32s(n.Gain), Float32s(n.Bias)
	size := math.Sqrt(float64(len(gain)))
	for i, g := range gain {
		most = max(most, size*math.Abs(float64(g))+math.Abs(float64(bias[i])))
	}
	return most
}

// products returns the upper bound of each output of l where its input is an output of the
// norm.
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

// blocks returns the upper bound of the sum of one block of terms of l's products; inputs
// are the bounds of l's inputs.
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
