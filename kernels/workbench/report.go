package workbench

import (
	"cmp"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Report is what was measured. Everything that is printed is a function of it.
type Report struct {
	Count    int           // repeats that were asked for
	Time     time.Duration // approximate time of a repeat
	Levels   []Level       // nearest first
	Ceilings []*Ceiling    // one for each variant
	Results  []*Result     // one for each case, in the order of Cases
}

// Ceiling is the best that a variant can do on this machine.
type Ceiling struct {
	Variant kernels.Variant
	Peak    float64   // operations a second; 0: not measured
	Read    []float64 // bytes a second from each of Report.Levels; 0: not measured
}

func newCeilings(cases []*Case, levels []Level) []*Ceiling {
	var all []*Ceiling
	for _, c := range cases {
		if !slices.ContainsFunc(all, func(have *Ceiling) bool { return have.Variant == c.Variant }) {
			all = append(all, &Ceiling{Variant: c.Variant, Read: make([]float64, len(levels))})
		}
	}
	slices.SortFunc(all, func(a, b *Ceiling) int { // in the order of kernels.Variants: the best first
		return cmp.Or(cmp.Compare(b.Variant.ISA, a.Variant.ISA), cmp.Compare(b.Variant.Format, a.Variant.Format))
	})
	return all
}

// Result is the measurement of one case.
type Result struct {
	*Case
	Calls   int       // in each repeat
	Samples []float64 // nanoseconds a call, one sample a repeat; empty if the case had no turn yet
}

// Spread describes the distribution of samples, in their unit.
type Spread struct {
	Min, Q1, Median, Q3, Max float64
}

// Spread returns the spread of the times. There must be samples.
func (r *Result) Spread() Spread {
	sorted := slices.Sorted(slices.Values(r.Samples))
	at := func(q float64) float64 {
		rank := q * float64(len(sorted)-1)
		i := int(rank)
		if i+1 >= len(sorted) {
			return sorted[len(sorted)-1]
		}
		return sorted[i] + (rank-float64(i))*(sorted[i+1]-sorted[i])
	}
	return Spread{sorted[0], at(0.25), at(0.5), at(0.75), sorted[len(sorted)-1]}
}

// Relative returns half of the distance between the quartiles, divided by the median: how
// far off a typical repeat is.
func (s Spread) Relative() float64 { return (s.Q3 - s.Q1) / 2 / s.Median }

// Rates are a result's figures, for some time a call.
type Rates struct {
	FLOPS     float64 // operations a second
	Bandwidth float64 // bytes of operands a second
	PeakShare float64 // share of the variant's peak

	Level     string  // the memory that holds the operands
	Bound     string  // what limits the kernel: "peak" or the level; "" if not known
	Roofline  float64 // attainable operations a second
	RoofShare float64 // share of the roofline
}

// Rates returns a result's figures for a call of ns nanoseconds. Figures that need a
// ceiling which was not measured are 0, and Bound is then "".
func (p *Report) Rates(r *Result, ns float64) Rates {
	level := levelOf(p.Levels, r.Work.Footprint)
	rates := Rates{
		FLOPS:     float64(r.Work.FLOPs) / ns * 1e9,
		Bandwidth: float64(r.Work.Bytes) / ns * 1e9,
		Level:     p.Levels[level].Name,
	}
	i := slices.IndexFunc(p.Ceilings, func(c *Ceiling) bool { return c.Variant == r.Variant })
	if i < 0 || p.Ceilings[i].Peak == 0 || p.Ceilings[i].Read[level] == 0 {
		return rates
	}
	c := p.Ceilings[i]
	// The least nanoseconds that a call takes, by either ceiling.
	compute, move := float64(r.Work.FLOPs)/c.Peak*1e9, float64(r.Work.Bytes)/c.Read[level]*1e9
	rates.Bound = "peak"
	if move > compute {
		rates.Bound = rates.Level
	}
	least := max(compute, move)
	rates.PeakShare = compute / ns
	rates.Roofline = float64(r.Work.FLOPs) / least * 1e9
	rates.RoofShare = least / ns
	return rates
}

// Measured returns the results that have samples.
func (p *Report) Measured() []*Result {
	var all []*Result
	for _, r := range p.Results {
		if len(r.Samples) > 0 {
			all = append(all, r)
		}
	}
	return all
}
