package kernels

import "slices"

// Inputs is what is known in advance of the rows that a matrix multiplies. Int8 uses it.
type Inputs struct {
	// Keep are the channels, at most MostChannels, that stay float32; see Keep.Channels.
	Keep []int
	// Mean is the mean of each channel's values; nil means 0. Rounding the weights shifts
	// each output by an amount that can be computed for inputs equal to Mean. Pack
	// subtracts this shift from the bias, which costs nothing at run time. It removes
	// nearly all of the error that is the same for all inputs, and some of the rest (Nagel
	// et al. 2019, arXiv:1906.04721).
	Mean []float32
}

// quantizer returns a function that rounds an output's weights w to integers q, without
// those of the channels of.Keep. The function returns the value of one integer step
// (scale), the sum of the integers, and the shift of this output that the bias has to make
// up for (see Inputs.Mean).
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
			// The conversion prevents a fused multiply-add: the result is the same on every
			// machine.
			all += float64((float64(float32(q[c])*scale) - float64(rounded[c])) * float64(v))
		}
		return scale, sum, float32(all)
	}
}
