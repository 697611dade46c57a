package kernels

import "math"

// Norm holds the parameters of LayerNorm over the channels of a row: y = (x -
// mean)/√(variance + Eps)·Gain + Bias. Gain and Bias have one value for each channel.
type Norm struct {
	Gain, Bias []float32
	Eps        float64
}

// AddNorm replaces each row of x by LayerNorm(x + r).
//
//	x, r  rows×width
func AddNorm(x, r []float32, n *Norm, rows int) {
	width := len(n.Gain)
	x, r = x[:rows*width], r[:rows*width]
	for i := range x {
		x[i] += r[i]
	}
	for i := range rows {
		normalize(row(x, i, width), n)
	}
}

// normalize replaces x by its LayerNorm. Mean and variance are summed in float64, in two
// passes: in a row with a few very large channels, as trained models have, float32 would
// lose the variance of the others.
func normalize(x []float32, n *Norm) {
	gain, bias := n.Gain[:len(x)], n.Bias[:len(x)]
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	var squares float64
	for _, v := range x {
		d := float64(v) - mean
		squares += d * d
	}
	scale := 1 / math.Sqrt(squares/float64(len(x))+n.Eps)
	for i, v := range x {
		x[i] = float32((float64(v)-mean)*scale)*gain[i] + bias[i]
	}
}

// Embeddings are the three tables from which a token's first hidden state is added up.
type Embeddings struct {
	Word     []float32 // vocabulary×width
	Position []float32 // positions×width
	Type     []float32 // types×width
	Norm     Norm
}

// EmbedNorm writes LayerNorm(word + position + type) for consecutive tokens of one
// sequence. first is the position of the first of them.
//
//	dst         tokens×width
//	ids, types  tokens
func EmbedNorm(dst []float32, ids, types []int32, first int, e *Embeddings) {
	width := len(e.Norm.Gain)
	dst, types = dst[:len(ids)*width], types[:len(ids)]
	for t, id := range ids {
		x := row(dst, t, width)
		word, position, typ := row(e.Word, int(id), width), row(e.Position, first+t, width), row(e.Type, int(types[t]), width)
		for i := range x {
			x[i] = word[i] + typ[i] + position[i]
		}
		normalize(x, &e.Norm)
	}
}
