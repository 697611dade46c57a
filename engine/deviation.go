package engine

import (
	"fmt"
	"math"
)

// Deviation is how far the results of one precision are from float32's, on made-up pairs or
// texts. What is counted depends on what the engine makes, which Of says.
//
//   - "", scores: distances are in standard deviations of float32's scores, after the mean
//     difference was subtracted: a difference that all pairs share does not change their order.
//     Any two scores have an order: Swapped is the share of these that are reversed
//   - "embeddings": a distance is 1 minus the cosine to float32's embedding; where embeddings
//     are not of length 1, a wrong length counts as well. Of two neighbours of a text one is the
//     nearer: Swapped is how often, over all texts and neighbours, it is no longer the same one
//   - "labels": distances of logits are in standard deviations of a label's logits over the
//     texts. Swapped is the share of texts whose likeliest label changes; where several labels
//     may be right, the share of probabilities that cross one half; and for a regression, as
//     for scores
type Deviation struct {
	Mean    float64 `json:"mean"`
	Worst   float64 `json:"worst"`   // of one pair, text or label
	Swapped float64 `json:"swapped"` // share, 0 to 1
	Of      string  `json:"of,omitempty"`
}

// The values of Of.
const (
	ofScores     = ""
	ofEmbeddings = "embeddings"
	ofLabels     = "labels"
)

// infinite is the deviation where results are not finite or do not differ. It is a number
// because JSON has no infinity.
const infinite = math.MaxFloat64

// beyondMeasure is the deviation of results that cannot be compared.
func beyondMeasure(of string) *Deviation {
	return &Deviation{Mean: infinite, Worst: infinite, Swapped: 1, Of: of}
}

// String returns for example "off by 0.018 of the scores' standard deviation on
// average, 0.053 at worst, with 0.41 % of the orders swapped".
func (d *Deviation) String() string {
	results, unit, swapped := "scores", " of the scores' standard deviation", "orders swapped"
	switch d.Of {
	case ofEmbeddings:
		results, unit, swapped = "embeddings", " (1 - cosine)", "orders of neighbours swapped"
	case ofLabels:
		results, unit, swapped = "logits", " of the logits' standard deviation", "decisions changed"
	}
	if d.Mean == infinite {
		return fmt.Sprintf("off beyond measure: %s that are not finite, or all the same,", results)
	}
	return fmt.Sprintf("off by %.2g%s on average, %.2g at worst, with %.2g %% of the %s", d.Mean, unit, d.Worst, 100*d.Swapped, swapped)
}

// allowance is the largest deviation with which "auto" may choose a precision.
type allowance struct{ Mean, Worst, Swapped float64 }

// String returns for example "0.075, 0.3 and 0.6 % are allowed".
func (a allowance) String() string {
	return fmt.Sprintf("%g, %g and %g %% are allowed", a.Mean, a.Worst, 100*a.Swapped)
}

// bounds returns the allowance of a precision for results of that kind.
func bounds(of, precision string) allowance {
	switch of {
	case ofEmbeddings:
		return embeddingBounds(precision)
	case ofLabels:
		return labelBounds()
	}
	return scoreBounds(precision)
}

// within reports whether the deviation is allowed of a precision.
func (d *Deviation) within(precision string) bool {
	a := bounds(d.Of, precision)
	return d.Mean <= a.Mean && d.Worst <= a.Worst && d.Swapped <= a.Swapped
}

// finite returns the deviation, or beyondMeasure if its distances are not finite.
func (d *Deviation) finite() *Deviation {
	if !(d.Mean < infinite && d.Worst < infinite) { // NaN fails this test, too
		return beyondMeasure(d.Of)
	}
	return d
}
