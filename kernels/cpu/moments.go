package cpu

import (
	"math"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
)

// Which channels of a hidden state have large values follows, nearly, from the weights
// alone. The code here computes the channels' means and variances over tokens, layer by
// layer. It assumes that channels are independent of each other, that all tokens are
// equally frequent, and that attention halves the variance of the values that it averages.
// So Int8 needs no text for calibration, and every machine chooses the same channels.

// moments are the mean and the variance of each channel over tokens. Where the code
// converts a product to float64, it keeps the compiler from fusing it with a sum, which
// would give other bits on some machines.
type moments struct{ mean, variance []float64 }

func newMoments(n int) moments { return moments{make([]float64, n), make([]float64, n)} }

// inputs are the expected inputs of a layer's products.
type inputs struct{ attention, output, up, down kernels.Inputs }

// expected returns the expected inputs of each layer.
func expected(w *model.Weights) []inputs {
	x, all := embedded(w), make([]inputs, len(w.Layers))
	for i := range w.Layers {
		l, of := &w.Layers[i], &all[i]
		of.attention = kernels.Inputs{Keep: x.outliers(), Mean: narrow(x.mean)}
		context := x.linear(l.Value)
		for c := range context.variance {
			context.variance[c] /= 2
		}
		of.output.Mean = narrow(context.mean)
		x.add(context.linear(l.Output))
		x.normalize(norm(w, l.AttentionNorm))
		of.up = kernels.Inputs{Keep: x.outliers(), Mean: narrow(x.mean)}
		inner := x.linear(l.Up)
		inner.gelu()
		of.down = kernels.Inputs{Keep: inner.heaviest(l.Down), Mean: narrow(inner.mean)}
		x.add(inner.linear(l.Down))
		x.normalize(norm(w, l.OutputNorm))
	}
	return all
}

// narrow converts x to float32.
func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// outliers returns the channels with the largest values, where a channel's largest value is
// taken to be two standard deviations from its mean.
func (m moments) outliers() []int {
	sizes := make([]float32, len(m.mean))
	for c := range sizes {
		sizes[c] = float32(math.Abs(m.mean[c]) + 2*math.Sqrt(m.variance[c]))
	}
	return kernels.Outliers(sizes)
}

// heaviest returns the channels that matter most for a product: it adds each channel's
// share of the squares of all values and its share of the squares of all weights. After
// GELU no channel is large in all rows, but most down projections have single large
// weights.
func (m moments) heaviest(l model.Linear) []int {
	n, w := len(m.mean), model.Float32s(l.W)
	values, weights := make([]float64, n), make([]float64, n)
	allValues, allWeights := 0.0, 0.0
	for o := 0; o < len(w); o += n {
		for c, v := range w[o:][:n] {
			weights[c] += float64(v) * float64(v) // exact in float64, so that fusing it changes nothing
		}
	}
	for c, mean := range m.mean {
		values[c] = float64(mean*mean) + m.variance[c]
		allValues, allWeights = allValues+values[c], allWeights+weights[c]
	}
	sizes := make([]float32, n)
	for c := range sizes {
		sizes[c] = float32(values[c]/max(allValues, tiny) + weights[c]/max(allWeights, tiny))
	}
	return kernels.Outliers(sizes)
}

// tiny replaces a sum of 0 in a division.
const tiny = 1e-300

// embedded returns the moments of the embeddings after their LayerNorm and projection. It samples some
// 2,000 words and 64 of the first 256 positions.
func embedded(w *model.Weights) moments {
	h := w.WordEmbeddings.Shape()[1]
	x := newMoments(h)
	words, positions := model.Float32s(w.WordEmbeddings), model.Float32s(w.PositionEmbeddings)
	x.add(rowMoments(words, h, max(1, w.Config.VocabSize/2048)))
	x.add(rowMoments(positions[:min(256*h, len(positions))], h, 4))
	x.add(rowMoments(model.Float32s(w.TypeEmbeddings), h, 1))
	x.normalize(norm(w, w.EmbeddingNorm))
	if w.Projection != nil {
		x = x.linear(*w.Projection)
	}
	return x
}

// rowMoments returns the moments of every step-th row of a table.
func rowMoments(table []float32, width, step int) moments {
	m, n := newMoments(width), 0.0
	for r := 0; r < len(table); r += step * width {
		for c, v := range table[r:][:width] {
			m.mean[c] += float64(v)
			m.variance[c] += float64(float64(v) * float64(v))
		}
		n++
	}
	for c := range m.mean {
		m.mean[c] /= n
		m.variance[c] = max(0, m.variance[c]/n-float64(m.mean[c]*m.mean[c]))
	}
	return m
}

// add adds a value o that is independent of m.
func (m moments) add(o moments) {
	for c := range m.mean {
		m.mean[c] += o.mean[c]
		m.variance[c] += o.variance[c]
	}
}

// normalize replaces m by its moments after a LayerNorm. It assumes that the mean and
// variance over channels are the same for each token.
func (m moments) normalize(n kernels.Norm) {
	count := float64(len(m.mean))
	middle, spread := 0.0, 0.0
	for _, v := range m.mean {
		middle += v / count
	}
	for c, v := range m.mean {
		spread += (m.variance[c] + float64((v-middle)*(v-middle))) / count
	}
	scale := 1 / math.Sqrt(spread+n.Eps)
	for c := range m.mean {
		by := float64(n.Gain[c]) * scale
		m.mean[c] = float64((m.mean[c]-middle)*by) + float64(n.Bias[c])
		m.variance[c] *= by * by
	}
}

// linear returns the moments of a layer's outputs for inputs with moments m.
func (m moments) linear(l model.Linear) moments {
	w, b := model.Float32s(l.W), model.Float32s(l.B)
	in := len(m.mean)
	y := newMoments(len(b))
	for o := range b {
		mean, variance := float64(b[o]), 0.0
		for c, v := range w[o*in:][:in] {
			wide := float64(v)
			mean += float64(wide * m.mean[c])
			variance += float64(float64(wide*wide) * m.variance[c])
		}
		y.mean[o], y.variance[o] = mean, variance
	}
	return y
}

// gelu replaces m by its moments after GELU, assuming normal distributions. The integrals
// are sums over points half a standard deviation apart.
func (m moments) gelu() {
	for c, mean := range m.mean {
		deviation := math.Sqrt(m.variance[c])
		weights, first, second := 0.0, 0.0, 0.0
		for z := -4.0; z <= 4; z += 0.5 {
			weight := math.Exp(-z * z / 2)
			u := model.GELU(mean + float64(deviation*z))
			weights += weight
			first += float64(weight * u)
			second += float64(float64(weight*u) * u)
		}
		m.mean[c] = first / weights
		m.variance[c] = max(0, second/weights-float64(m.mean[c]*m.mean[c]))
	}
}
