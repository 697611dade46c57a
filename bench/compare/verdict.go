package compare

import (
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// significance is the p below which a difference may be called one.
	significance = 0.05
	// FewestRounds are the fewest whose signs can have a p below significance: 2/2^6 is
	// 0.031. FewestRuns of each side are the fewest whose ranks can: 2/70 is 0.029.
	FewestRounds = 6
	FewestRuns   = 4
	// mostRounds bounds the guess at how many more rounds there should be. Beyond, the
	// difference is as large as the threshold, and no number of them will tell.
	mostRounds = 1000
)

// Verdict is what the runs say of B.
type Verdict string

const (
	Faster       Verdict = "faster"
	Slower       Verdict = "slower"
	Same         Verdict = "same" // within the threshold
	Inconclusive Verdict = "inconclusive"
)

// Outcome is what all verdicts together come to, for a program that goes on from here.
type Outcome string

const (
	Passed       Outcome = "passed"         // nothing that is gated is slower
	Regression   Outcome = "regression"     // something that is gated is slower
	Undecided    Outcome = "inconclusive"   // some of it may be
	Incomparable Outcome = "not comparable" // or scores failed the accuracy gate
)

// Row is one measure of B against A, over all runs. Its ratios are B over A.
type Row struct {
	Measure string  `json:"measure"` // as a gate names it
	Title   string  `json:"title"`   // with its unit, and the configuration
	A       float64 `json:"a"`       // median over runs
	B       float64 `json:"b"`
	// Ratios is B/A of each round; null where runs are not paired.
	Ratios []float64 `json:"ratios"`
	Ratio  float64   `json:"ratio"` // the estimate
	Low    float64   `json:"low"`   // its 95 % interval
	High   float64   `json:"high"`
	P      float64   `json:"p"`
	Exact  bool      `json:"exact"` // p is of all signs or ranks, and not of some that were drawn
	// Adjusted is P after Holm, over the measures that are gated; P itself where this is
	// not one.
	Adjusted float64 `json:"adjusted_p"`
	// Spread is how far from 1 the sides are from themselves, as a share; null: not measured.
	Spread    *float64 `json:"spread"`
	Threshold float64  `json:"threshold"` // what is beyond it is a difference
	// Within is what the same may be within: the threshold, but no more than somebody asked
	// for, or than is worth to be called the same.
	Within float64 `json:"same_within"`
	Gated     bool     `json:"gated"`
	Verdict   Verdict  `json:"verdict"`
	More      int      `json:"more_rounds"` // that would settle it; 0: it is settled
	Few       string   `json:"few"`         // why no verdict could be had; empty: one could

	lowerIsBetter bool
	n             int     // rounds, or runs of the side with fewer
	gate          float64 // the threshold before the spread
	limit         float64 // the most that Within may be
}

// coarsest is the most that two sides may differ by and be called the same, where nobody has
// said how much. A machine that is that far from itself hides what matters, and a gate that
// passes whatever it is shown is none.
const coarsest = recording.Noisy

// judge finds the verdict from the interval, the thresholds and the adjusted p.
func (r *Row) judge() {
	estimate, half := math.Log(r.Ratio), (math.Log(r.High)-math.Log(r.Low))/2
	r.Verdict, r.More = Inconclusive, 0
	if r.Few == "" {
		r.Verdict = r.settled(math.Log(r.Low), math.Log(r.High), r.Threshold, r.Within)
		if r.Adjusted >= significance && r.Verdict != Same {
			r.Verdict = Inconclusive
		}
	}
	if r.Verdict == Inconclusive {
		r.More = r.more(estimate, half)
	}
}

// settled is the verdict of an interval on the log scale, where a threshold is as far in one
// direction as in the other.
func (r *Row) settled(low, high, threshold, within float64) Verdict {
	t, same := math.Log1p(threshold), math.Log1p(within)
	more, less := low > t, high < -t
	switch {
	case more && r.lowerIsBetter || less && !r.lowerIsBetter:
		return Slower
	case more || less:
		return Faster
	case low > -same && high < same:
		return Same
	}
	return Inconclusive
}

// more guesses how many more rounds like these would settle it: the interval, of half-width
// half, narrows with the square root of their number, and so does what the sides are from
// themselves.
func (r *Row) more(estimate, half float64) int {
	fewest := FewestRounds
	if r.Ratios == nil {
		fewest = FewestRuns
	}
	for n := max(fewest, r.n+1); n-r.n < mostRounds; n++ {
		narrowed := math.Sqrt(float64(r.n) / float64(n))
		if r.Few != "" { // of so few nothing is known of the interval
			narrowed = 0
		}
		threshold := r.gate
		if r.Spread != nil {
			threshold = max(threshold, math.Expm1(narrowed*math.Log1p(*r.Spread)))
		}
		if r.settled(estimate-narrowed*half, estimate+narrowed*half, threshold, min(threshold, r.limit)) == Inconclusive {
			continue
		}
		if more := n - r.n; more > 20 { // no guess is so good
			return (more + 9) / 10 * 10
		}
		return n - r.n
	}
	return mostRounds
}

// Change is a ratio as a signed difference in per cent.
func Change(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }

// Interval is the row's, in per cent; n/a of so few rounds that they bound no median.
func (r *Row) Interval() string {
	if r.Few != "" {
		return figure.NotMeasured
	}
	return fmt.Sprintf("[%+.1f, %+.1f]", 100*(r.Low-1), 100*(r.High-1))
}

// String is the verdict in words.
func (r *Row) String() string {
	percent := func(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }
	switch {
	case r.Few != "":
		return r.Few
	case r.Verdict == Same:
		return "same within " + percent(r.Within)
	case r.Verdict != Inconclusive:
		return string(r.Verdict)
	}
	unit := "round"
	if r.Ratios == nil {
		unit = "run"
	}
	if r.More > 1 {
		unit += "s"
	}
	if r.Ratios == nil {
		unit += " a side"
	}
	text := fmt.Sprintf("inconclusive: %s %s, ", Change(r.Ratio), r.Interval())
	if r.More >= mostRounds {
		return text + fmt.Sprintf("%d more %s or none: the difference is about %s itself", mostRounds, unit, percent(r.gate))
	}
	return text + fmt.Sprintf("about %d more %s", r.More, unit)
}
