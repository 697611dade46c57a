package compare

import (
	"cmp"
	"errors"
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"

	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// significance: if the probability of such a difference by chance is below this, we call it
// larger than the noise.
const significance = 0.05

// evidence says whether chance explains a difference.
//
// Every test assumes that the batches of a run are independent draws from one distribution.
// They are not quite: they share the state of the machine, so two runs of the same program
// may differ by more than the tests allow, and runs made in turn are better evidence than
// any p-value. As a protection against the worst, a difference in time must also exceed the
// noise probe of both machines (up to mostNoise).
type evidence struct {
	tested bool
	beyond bool     // larger than chance explains
	p      *float64 // nil if the test has none
	method string
}

func byP(p float64, method string) evidence {
	if math.IsNaN(p) {
		return evidence{}
	}
	p = min(1, max(0, p)) // rounding may have left the interval
	return evidence{tested: true, beyond: p < significance, p: &p, method: method}
}

// test reports whether a difference of the metric between two configurations is more than
// chance, using what the metric says about its scatter.
func test(m report.Metric, a, b *report.Figures) evidence {
	switch {
	case m.Mean != nil:
		return welch(m.Mean)(a, b)
	case m.Percentile == 50:
		return mannWhitney(m.Sample)(a, b)
	case m.Percentile > 0:
		return disjoint(m.Sample, m.Percentile)(a, b)
	}
	return evidence{}
}

// moments are the size, mean and variance of a sample.
type moments struct{ n, mean, variance float64 }

func (m moments) Weight() float64   { return m.n }
func (m moments) Mean() float64     { return m.mean }
func (m moments) Variance() float64 { return m.variance }

// welch tests the difference of two means by Welch's t-test. It does not need equal
// variances, but means that are about normally distributed; with a few dozen batches they
// are, whatever the distribution of the batches. It needs only a summary, so it also works
// for a report in markdown.
func welch(summary func(*report.Figures) *stats.Summary) func(a, b *report.Figures) evidence {
	const method = "Welch t"
	return func(fa, fb *report.Figures) evidence {
		a, b := summary(fa), summary(fb)
		if a == nil || b == nil || a.N < 2 || b.N < 2 || a.SD == nil || b.SD == nil {
			return evidence{}
		}
		scale := max(math.Abs(*a.SD), math.Abs(*b.SD))
		if scale == 0 {
			if a.Mean == b.Mean {
				return byP(1, method)
			}
			return evidence{} // two constants: nothing is known about their scatter
		}
		// Dividing by the larger deviation prevents overflow.
		of := func(s *stats.Summary) moments {
			n, sd := float64(s.N), *s.SD/scale
			return moments{n, s.Mean/scale - a.Mean/scale, sd * sd * n / (n - 1)} // variance of the sample, from that of the population
		}
		ma, mb := of(a), of(b)
		if math.IsNaN(mb.mean) || math.IsInf(mb.mean, 0) {
			return evidence{}
		}
		r, err := moremath.TwoSampleWelchTTest(ma, mb, moremath.LocationDiffers)
		if err != nil {
			return evidence{}
		}
		return byP(r.P, method)
	}
}

// mannWhitney tests by ranks whether one sample tends to be larger. It assumes nothing
// about the distributions. It needs the samples.
func mannWhitney(sample func(*report.Samples) []float64) func(a, b *report.Figures) evidence {
	const method = "Mann-Whitney"
	return func(fa, fb *report.Figures) evidence {
		if fa.Samples == nil || fb.Samples == nil {
			return evidence{}
		}
		r, err := moremath.MannWhitneyUTest(sample(fa.Samples), sample(fb.Samples), moremath.LocationDiffers)
		switch {
		case errors.Is(err, moremath.ErrSamplesEqual):
			return byP(1, method)
		case err != nil:
			return evidence{}
		}
		return byP(r.P, method)
	}
}

// disjoint tests a percentile of two samples. The difference is larger than the noise if
// their 95 % confidence intervals by order statistics (see [report.Bound]) do not overlap.
// This is stricter than a test of the difference.
func disjoint(sample func(*report.Samples) []float64, percentile int) func(a, b *report.Figures) evidence {
	const tail = 1 - (1-stats.Confidence)/2
	interval := func(x []float64) (lo, hi float64, known bool) {
		x = slices.Sorted(slices.Values(x))
		q := float64(percentile) / 100
		l, h := stats.LowerOrder(len(x), q, tail), stats.UpperOrder(len(x), q, tail)
		lo, hi = math.Inf(-1), math.Inf(1)
		if l > 0 {
			lo = x[l-1]
		}
		if h <= len(x) {
			hi = x[h-1]
		}
		return lo, hi, l > 0 && h <= len(x)
	}
	return func(fa, fb *report.Figures) evidence {
		if fa.Samples == nil || fb.Samples == nil {
			return evidence{}
		}
		aLow, aHigh, aKnown := interval(sample(fa.Samples))
		bLow, bHigh, bKnown := interval(sample(fb.Samples))
		apart := cmp.Less(aHigh, bLow) || cmp.Less(bHigh, aLow)
		// With one open end the intervals may still be disjoint, but they cannot be shown
		// to overlap.
		return evidence{tested: apart || aKnown && bKnown, beyond: apart, method: "confidence intervals"}
	}
}
