package kernels

import "slices"

// Inputs is what is known of what a matrix multiplies, for Int8.
type Inputs struct {
	// Keep are the channels, at most MostChannels, that stay float32.
	Keep []int
	// Mean is what each channel's values are on average; nil: 0. What the rounding of an
	// output's weights adds to it where its inputs are these is taken from its bias, which
	// costs nothing: nearly all of a model's error that is the same for all inputs,
	// and some of the rest (Nagel et al. 2019, arXiv:1906.04721).
	Mean []float32
}

// quantizer returns what makes integers of an output's weights, of which those of Keep
// count for nothing: it returns what one is worth, their sum, and what they are too much
// for the inputs' mean.
func (m *Matrix) quantizer(of Inputs) func(q []int8, w []float32) (scale float32, sum int32, lost float32) {
	m.keep = of.Keep
	row, room := make([]float32, m.in), make([]float32, m.in)
	mean := slices.Clone(of.Mean)
	if mean != nil {
		for _, c := range of.Keep {
			mean[c] = 0
		}
		if spreads(m.in) {
			m.variant.ISA.spread(row, mean)
			copy(mean, row)
		}
	}
	return func(q []int8, w []float32) (scale float32, sum int32, lost float32) {
		copy(row, w)
		for _, c := range of.Keep {
			row[c] = 0
		}
		rounded := m.variant.ISA.spreadWeights(room, row)
		scale, sum = quantizeWeights(q, rounded)
		all := 0.0
		for c, v := range mean {
			// Not fused: the same on every machine.
			all += float64((float64(float32(q[c])*scale) - float64(rounded[c])) * float64(v))
		}
		return scale, sum, float32(all)
	}
}
