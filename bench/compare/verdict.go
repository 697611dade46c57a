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
	// FewestRounds is the smallest number of rounds whose signs can have a p below
	// significance: 2/2^6 is 0.031. FewestRuns is the smallest number of runs of each side
	// whose ranks can: 2/70 is 0.029.
	FewestRounds = 6
	FewestRuns   = 4
	// mostRounds bounds the guess of how many more rounds are needed. If it would be more,
	// the difference is about as large as the threshold, and no number of rounds will
	// decide.
	mostRounds = 1000
)

// Verdict is what the runs show about B.
type Verdict string

const (
	Faster       Verdict = "faster"
	Slower       Verdict = "slower"
	Same         Verdict = "same" // within the threshold
	Inconclusive Verdict = "inconclusive"
)

// Outcome sums up all verdicts, for a program that acts on them.
type Outcome string

const (
	Passed       Outcome = "passed"         // nothing gated is slower
	Regression   Outcome = "regression"     // something gated is slower
	Undecided    Outcome = "inconclusive"   // something gated may be slower
	Incomparable Outcome = "not comparable" // or scores failed the accuracy gate
)

// Row compares one measure of B with A over all runs. Its ratios are B/A.
type Row struct {
	Measure string  `json:"measure"` // its name in a gate
	Title   string  `json:"title"`   // with the unit and the configuration
	A       float64 `json:"a"`       // median over runs
	B       float64 `json:"b"`
	// Ratios has B/A of each round; null if the runs are not paired.
	Ratios []float64 `json:"ratios"`
	Ratio  float64   `json:"ratio"` // the estimate
	Low    float64   `json:"low"`   // its 95 % interval
	High   float64   `json:"high"`
	P      float64   `json:"p"`
	Exact  bool      `json:"exact"` // P was computed from all signs or ranks, and not from a random sample of them
	// Adjusted is P after Holm's adjustment over the measures that are gated, or P itself
	// if this one is not gated.
	Adjusted float64 `json:"adjusted_p"`
	// Spread is how far the sides differ from themselves, as a share; null: not measured.
	Spread    *float64 `json:"spread"`
	Threshold float64  `json:"threshold"` // differences beyond it count
	// Within is the threshold of "same": Threshold, but never more than the gate's own, or
	// than coarsest if nobody gave one.
	Within  float64 `json:"same_within"`
	Gated   bool    `json:"gated"`
	Verdict Verdict `json:"verdict"`
	More    int     `json:"more_rounds"` // about how many would decide; 0: it is decided
	Few     string  `json:"few"`         // why there can be no verdict; empty: there can be one

	lowerIsBetter bool
	n             int     // rounds, or runs of the side with fewer
	gate          float64 // the threshold before the spread
	limit         float64 // the most that Within may be
}

// coarsest is the largest difference that may still be called "same" if nobody gave a
// threshold. A machine whose own spread is larger hides real regressions: a gate on it would
// pass whatever it is shown.
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

// settled returns the verdict for an interval on the log scale, where a threshold is equally
// far in both directions.
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

// more guesses how many more rounds like these would decide. The interval, whose half-width
// is half, narrows with the square root of the number of rounds, and so does the spread of
// each side against itself.
func (r *Row) more(estimate, half float64) int {
	fewest := FewestRounds
	if r.Ratios == nil {
		fewest = FewestRuns
	}
	for n := max(fewest, r.n+1); n-r.n < mostRounds; n++ {
		narrowed := math.Sqrt(float64(r.n) / float64(n))
		if r.Few != "" { // too few to know anything about the interval
			narrowed = 0
		}
		threshold := r.gate
		if r.Spread != nil {
			threshold = max(threshold, math.Expm1(narrowed*math.Log1p(*r.Spread)))
		}
		reach := float64(narrowed * half)
		if r.settled(estimate-reach, estimate+reach, threshold, min(threshold, r.limit)) == Inconclusive {
			continue
		}
		if more := n - r.n; more > 20 { // the guess is not exact enough for more digits
			return (more + 9) / 10 * 10
		}
		return n - r.n
	}
	return mostRounds
}

// Change returns a ratio as a signed difference in per cent.
func Change(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }

// Interval returns the row's interval in per cent, or n/a if the rounds are too few for
// one.
func (r *Row) Interval() string {
	if r.Few != "" {
		return figure.NotMeasured
	}
	return fmt.Sprintf("[%+.1f, %+.1f]", 100*(r.Low-1), 100*(r.High-1))
}

// String returns the verdict in words.
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
		return text + fmt.Sprintf("over %d more %s: the difference is about %s itself, or the machine too noisy", mostRounds, unit, percent(r.gate))
	}
	return text + fmt.Sprintf("about %d more %s", r.More, unit)
}
