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

// significance is the probability of seeing such a difference by chance below
// which we call it larger than the noise.
const significance = 0.05

// evidence is what is known of a difference: whether chance explains it.
//
// Every test takes the batches of a run for independent draws from one
// distribution, the run's. They are not quite: they share the machine's state,
// so two runs of one program may differ by more than the tests allow, and
// runs made alternately say more than any p-value. Against the worst of it a
// difference in time must also exceed the noise probe of both machines (up to
// mostNoise: see there).
type evidence struct {
	tested bool
	beyond bool     // larger than chance explains
	p      *float64 // nil where the test gives none
	method string
}

func byP(p float64, method string) evidence {
	if math.IsNaN(p) {
		return evidence{}
	}
	p = min(1, max(0, p)) // rounding
	return evidence{tested: true, beyond: p < significance, p: &p, method: method}
}

// test says whether a difference of the metric between two configurations is more than
// chance, by what the metric tells of its scatter.
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

// moments is a sample of which only these are known.
type moments struct{ n, mean, variance float64 }

func (m moments) Weight() float64   { return m.n }
func (m moments) Mean() float64     { return m.mean }
func (m moments) Variance() float64 { return m.variance }

// welch tests the difference of two means by Welch's t, which asks for no equal
// variances, and for the means to be about normal: so they are from a few dozen
// batches, whatever the distribution. It needs a summary alone, so it works on
// a report in markdown.
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
			return evidence{} // two constants: of their scatter nothing is known
		}
		// In units of the greater deviation nothing overflows.
		of := func(s *stats.Summary) moments {
			n, sd := float64(s.N), *s.SD/scale
			return moments{n, s.Mean/scale - a.Mean/scale, sd * sd * n / (n - 1)} // the sample's variance from the population's
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

// mannWhitney tests by ranks whether one sample tends to be larger, which asks
// nothing of the distributions. It needs the samples.
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

// disjoint tests a percentile of two samples: the difference is larger than the
// noise if their 95 % confidence intervals by order statistics (see [report.Bound]) do
// not meet. That is a stricter test than one of the difference would be.
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
		// One open end may leave them apart all the same, but not together.
		return evidence{tested: apart || aKnown && bKnown, beyond: apart, method: "confidence intervals"}
	}
}
