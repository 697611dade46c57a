// Package stats describes samples: means, percentiles as numpy has them, how
// many draws a bound needs by order statistics, and what a few rounds say of a
// difference. It knows nothing of benches.
//
// The same samples give the same digits on every processor, so that figures can be derived again
// anywhere. Go may fuse a product and a sum into one operation with one rounding, and does on
// arm64; here and where reports are derived, float64(x*y)+z forbids it (the Go specification,
// "Floating-point operators").
package stats

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
	SD   *float64 `json:"sd"` // population standard deviation; nil for a single value
	P50  float64  `json:"p50"`
	P90  float64  `json:"p90"`
	P95  float64  `json:"p95"`
	P99  float64  `json:"p99"`
}

// Summarize describes x, without changing it. It returns nil for an empty sample.
func Summarize(x []float64) *Summary {
	if len(x) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(x))
	s := &Summary{
		N:    len(x),
		Mean: Mean(x),
		Min:  sorted[0],
		Max:  sorted[len(sorted)-1],
		P50:  Percentile(sorted, 50),
		P90:  Percentile(sorted, 90),
		P95:  Percentile(sorted, 95),
		P99:  Percentile(sorted, 99),
	}
	if s.Min == s.Max {
		s.Mean = s.Min // so that rounding does not give a constant a spread
	}
	if len(x) > 1 {
		sd := math.Sqrt(momentAbout(x, s.Mean, x, s.Mean))
		s.SD = &sd
	}
	return s
}

// Percentile returns the p-th percentile, 0 <= p <= 100, of a sorted sample that is not
// empty: linear interpolation at rank p/100*(n-1), counted from 0, as numpy.percentile does
// it (Hyndman and Fan's type 7).
func Percentile(sorted []float64, p float64) float64 {
	rank := float64(p / 100 * float64(len(sorted)-1))
	i := int(rank)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	a, b, t := sorted[i], sorted[i+1], rank-float64(i)
	// Computed from the nearer end, so that the result is monotone in p and equal to
	// numpy's, bit for bit.
	if t >= 0.5 {
		return b - float64((b-a)*(1-t))
	}
	return a + float64((b-a)*t)
}

// Mean returns the arithmetic mean; NaN for an empty sample.
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// momentAbout returns the mean of (x-mx)(y-my).
func momentAbout(x []float64, mx float64, y []float64, my float64) float64 {
	sum := 0.0
	for i := range x {
		sum += float64((x[i] - mx) * (y[i] - my))
	}
	return sum / float64(len(x))
}

// Correlation returns Pearson's r of two samples of the same length, or nil if it is not
// defined: fewer than two points, or one of the samples constant.
func Correlation(x, y []float64) *float64 {
	if len(x) < 2 {
		return nil
	}
	mx, my := Mean(x), Mean(y)
	sx := math.Sqrt(momentAbout(x, mx, x, mx))
	sy := math.Sqrt(momentAbout(y, my, y, my))
	if !(sx > 0 && sy > 0) {
		return nil
	}
	r := momentAbout(x, mx, y, my) / (sx * sy)
	r = min(1, max(-1, r)) // rounding may leave the interval
	return &r
}

// Confidence is the level of every confidence bound and interval.
const Confidence = 0.95

// SamplesNeeded returns the smallest n with 1-q^n >= level.
func SamplesNeeded(q, level float64) int {
	return int(math.Ceil(math.Log(1-level) / math.Log(q)))
}

// UpperOrder returns the smallest k for which the k-th smallest of n draws, counted from 1,
// is at or above the q-quantile (0 < q < 1) with probability level; n+1 if there is none.
func UpperOrder(n int, q, level float64) int {
	logGamma := func(k int) float64 { v, _ := math.Lgamma(float64(k)); return v }
	cdf, logChoose := 0.0, logGamma(n+1)
	for k := range n {
		logP := logChoose - logGamma(k+1) - logGamma(n-k+1) +
			float64(float64(k)*math.Log(q)) + float64(float64(n-k)*math.Log1p(-q))
		if cdf += math.Exp(logP); cdf >= level {
			return k + 1
		}
	}
	return n + 1
}
