package engine

import (
	"math"
	"slices"

	"github.com/minilm-metal/minilm-metal/model"
)

// labelBounds returns the allowance of every precision for labels: that of scores for their
// logits. A decision may be another one for 4 % of the texts, which are two of the gate's:
// where a logit's error is 0.03 of its standard deviation, as int8's is at most, some 1 % of
// texts lie as near to where two labels are equally likely, and of 67 texts two easily do.
func labelBounds() allowance { return allowance{Mean: 0.075, Worst: 0.3, Swapped: 0.04} }

// labelDeviation returns the comparison of logits of labels, whose meaning is final. Unlike that
// of scores it counts an error that all texts have alike, since that changes probabilities, and
// decisions. Of softmax it compares what is left when the text's mean is subtracted: an error
// that all of its labels have alike changes nothing.
func labelDeviation(final model.Activation) comparison {
	return func(got, want []float32, width int) *Deviation {
		a, b := widened(got), widened(want)
		if final == model.Softmax {
			centre(a, width)
			centre(b, width)
		}
		n := len(b) / width
		var off, worst, square float64
		for label := range width {
			mean := 0.0 // from the first text's, so that labels that are all the same have exactly 0
			for i := range n {
				mean += (b[i*width+label] - b[label]) / float64(n)
			}
			for i := label; i < len(b); i += width {
				from := b[i] - b[label] - mean
				square += from * from / float64(len(b))
				e := math.Abs(a[i] - b[i])
				off += e / float64(len(b))
				worst = max(worst, e)
			}
		}
		sd := math.Sqrt(square)
		d := &Deviation{Mean: off / sd, Worst: worst / sd, Swapped: changed(a, b, width, final), Of: ofLabels}
		return d.finite()
	}
}

func widened(x []float32) []float64 {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	return wide
}

// centre subtracts the mean of each row.
func centre(x []float64, width int) {
	for row := range slices.Chunk(x, width) {
		mean := 0.0
		for _, v := range row {
			mean += v / float64(width)
		}
		for i := range row {
			row[i] -= mean
		}
	}
}

// changed returns the share of decisions that are other ones than expected.
func changed(got, want []float64, width int, final model.Activation) float64 {
	n, all := 0, len(want)
	switch final {
	case model.Softmax: // which label is the likeliest
		all /= width
		for i := range all {
			if best(got[i*width:][:width]) != best(want[i*width:][:width]) {
				n++
			}
		}
	case model.Sigmoid: // whether a label is likelier than not
		for i := range got {
			if (got[i] > 0) != (want[i] > 0) {
				n++
			}
		}
	default: // which of two texts has more of a label
		all = 0
		for i := range got {
			for j := i % width; j < i; j += width {
				all++
				if reversed(got[i], got[j], want[i], want[j]) {
					n++
				}
			}
		}
	}
	return float64(n) / float64(max(all, 1))
}

// best returns the index of the largest value, the first one of several.
func best(row []float64) int {
	at := 0
	for i, v := range row {
		if v > row[at] {
			at = i
		}
	}
	return at
}
