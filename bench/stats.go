package bench

import (
	"math"
	"slices"
)

// Summary describes a sample. The fields have the sample's unit.
type Summary struct {
	N    int      `json:"n"`
	Mean float64  `json:"mean"`
	Min  float64  `json:"min"`
	Max  float64  `json:"max"`
	SD   *float64 `json:"sd"` // population standard deviation; nil for one value
	P50  float64  `json:"p50"`
	P90  float64  `json:"p90"`
	P95  float64  `json:"p95"`
	P99  float64  `json:"p99"`
}

// Summarize describes x, which it leaves as it is. An empty sample has no
// summary: nil.
func Summarize(x []float64) *Summary {
	if len(x) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(x))
	s := &Summary{
		N:    len(x),
		Mean: mean(x),
		Min:  sorted[0],
		Max:  sorted[len(sorted)-1],
		P50:  percentile(sorted, 50),
		P90:  percentile(sorted, 90),
		P95:  percentile(sorted, 95),
		P99:  percentile(sorted, 99),
	}
	if s.Min == s.Max {
		s.Mean = s.Min // rounding must give a constant no spread
	}
	if len(x) > 1 {
		sd := math.Sqrt(momentAbout(x, s.Mean, x, s.Mean))
		s.SD = &sd
	}
	return s
}

// percentile is the p-th percentile, 0 <= p <= 100, of a sorted sample that is
// not empty: linear interpolation at rank p/100*(n-1), counted from 0, as
// numpy.percentile does it (Hyndman and Fan's type 7).
func percentile(sorted []float64, p float64) float64 {
	rank := p / 100 * float64(len(sorted)-1)
	i := int(rank)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	a, b, t := sorted[i], sorted[i+1], rank-float64(i)
	// From the nearer end, so that the result is monotone in p and equal to
	// numpy's bit for bit.
	if t >= 0.5 {
		return b - (b-a)*(1-t)
	}
	return a + (b-a)*t
}

// mean is the arithmetic mean, NaN of nothing.
func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// momentAbout is the mean of (x-mx)(y-my).
func momentAbout(x []float64, mx float64, y []float64, my float64) float64 {
	sum := 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	return sum / float64(len(x))
}

// correlation is Pearson's r of two samples of one length, nil where it is not
// defined: fewer than two points, or one of them constant.
func correlation(x, y []float64) *float64 {
	if len(x) < 2 {
		return nil
	}
	mx, my := mean(x), mean(y)
	sx := math.Sqrt(momentAbout(x, mx, x, mx))
	sy := math.Sqrt(momentAbout(y, my, y, my))
	if !(sx > 0 && sy > 0) {
		return nil
	}
	r := momentAbout(x, mx, y, my) / (sx * sy)
	r = min(1, max(-1, r)) // rounding may leave the interval
	return &r
}

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

const confidence = 0.95

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
			Value:      percentile(sorted, float64(p)),
			N:          len(x),
			Needed:     samplesNeeded(q, confidence),
		}
		if k := upperOrder(len(x), q, confidence); k <= len(x) {
			upper := sorted[k-1]
			b.Upper = &upper
		}
		out = append(out, b)
	}
	return out
}

// samplesNeeded is the least n with 1-q^n >= level.
func samplesNeeded(q, level float64) int {
	return int(math.Ceil(math.Log(1-level) / math.Log(q)))
}

// upperOrder is the least k for which the k-th smallest of n draws, counted
// from 1, is at or above the q-quantile (0 < q < 1) with probability level;
// n+1 where there is none.
func upperOrder(n int, q, level float64) int {
	logGamma := func(k int) float64 { v, _ := math.Lgamma(float64(k)); return v }
	cdf, logChoose := 0.0, logGamma(n+1)
	for k := range n {
		logP := logChoose - logGamma(k+1) - logGamma(n-k+1) +
			float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q)
		if cdf += math.Exp(logP); cdf >= level {
			return k + 1
		}
	}
	return n + 1
}

// lowerOrder is the greatest k for which the k-th smallest is at or below the
// q-quantile with probability level; 0 where there is none. It is upperOrder
// seen from the other end.
func lowerOrder(n int, q, level float64) int {
	return n + 1 - upperOrder(n, 1-q, level)
}
