package report

import (
	"slices"

	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Bound says how far a percentile of the batch latencies can be trusted.
//
// The argument uses order statistics, and assumes only that the batches are independent draws
// from one distribution. Of n draws, the number at or below the true q-quantile is
// binomial(n, q). So the k-th smallest is at or above that quantile with probability
// P(binomial(n, q) <= k-1). The smallest k for which this is at least 95 % gives the upper
// bound. Even the largest draw reaches only 1-q^n: with fewer than 299 batches, P99 has no
// bound, with fewer than 59 P95 has none, and with fewer than 29 P90 has none.
type Bound struct {
	Percentile int      `json:"percentile"`
	Value      float64  `json:"value_ms"`
	Upper      *float64 `json:"upper_95_ms"` // one-sided 95 % confidence bound; nil if the sample is too small
	N          int      `json:"n"`
	Needed     int      `json:"needed"` // the smallest n that gives an upper bound
}

// boundPercentiles are the percentiles that the report prints.
var boundPercentiles = [...]int{50, 90, 95, 99}

// bounds returns the reported percentiles of x with their upper bounds.
func bounds(x []float64) []Bound {
	if len(x) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(x))
	var out []Bound
	for _, p := range boundPercentiles {
		q := float64(p) / 100
		b := Bound{
			Percentile: p,
			Value:      stats.Percentile(sorted, float64(p)),
			N:          len(x),
			Needed:     stats.SamplesNeeded(q, stats.Confidence),
		}
		if k := stats.UpperOrder(len(x), q, stats.Confidence); k <= len(x) {
			upper := sorted[k-1]
			b.Upper = &upper
		}
		out = append(out, b)
	}
	return out
}
