package report

import (
	"slices"

	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Bound says how far a percentile of the batch latencies can be trusted.
//
// The argument is by order statistics and assumes nothing of the distribution
// but that the batches are independent draws from one. Of n draws, the number
// at or below the true q-quantile is binomial(n, q); so the k-th smallest is at
// or above that quantile with probability P(binomial(n, q) <= k-1). The least k
// for which this reaches 95 % makes the upper bound. Even the largest of all
// reaches only 1-q^n: P99 has no bound from fewer than 299 batches, P95 none
// from fewer than 59, P90 none from fewer than 29.
type Bound struct {
	Percentile int      `json:"percentile"`
	Value      float64  `json:"value_ms"`
	Upper      *float64 `json:"upper_95_ms"` // one-sided 95 % confidence bound; nil: the sample is too small
	N          int      `json:"n"`
	Needed     int      `json:"needed"` // the least n that has an upper bound
}

// boundPercentiles are the percentiles that the report prints.
var boundPercentiles = [...]int{50, 90, 95, 99}

// bounds gives the reported percentiles of x with their upper bounds.
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
