package compare

import (
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
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
	Threshold float64  `json:"threshold"` // differences within it count as the same
	Gated     bool     `json:"gated"`
	Verdict   Verdict  `json:"verdict"`
	More      int      `json:"more_rounds"` // about how many would decide; 0: it is decided
	Few       string   `json:"few"`         // why there can be no verdict; empty: there can be one

	lowerIsBetter bool
	n             int // rounds, or runs of the side with fewer
}

// judge finds the verdict from the interval, the threshold and the adjusted p.
func (r *Row) judge() {
	// On the log scale the threshold is equally far in both directions.
	t := math.Log1p(r.Threshold)
	low, high := math.Log(r.Low), math.Log(r.High)
	beyond := low > t || high < -t
	r.Verdict, r.More = Inconclusive, 0
	switch {
	case r.Few != "":
	case beyond && r.Adjusted < significance:
		r.Verdict = Faster
		if (low > t) == r.lowerIsBetter {
			r.Verdict = Slower
		}
		return
	case low > -t && high < t:
		r.Verdict = Same
		return
	}
	r.More = r.more(t, math.Log(r.Ratio), (high-low)/2)
}

// more guesses how many more rounds like these would decide. The interval, whose half-width
// is half, narrows with the square root of the number of rounds until the threshold is
// outside it.
func (r *Row) more(t, estimate, half float64) int {
	need := float64(FewestRounds)
	if r.Ratios == nil {
		need = FewestRuns
	}
	if room := math.Abs(math.Abs(estimate) - t); r.n >= int(need) && half > room {
		need = float64(r.n) * (half / room) * (half / room)
	}
	more := need - float64(r.n)
	switch {
	case !(more < mostRounds): // also if it is not a number
		return mostRounds
	case more > 20: // the guess is not exact enough for more digits
		return int(math.Ceil(more/10)) * 10
	}
	return max(1, int(math.Ceil(more)))
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
	threshold := fmt.Sprintf("%.3g %%", 100*r.Threshold)
	switch {
	case r.Few != "":
		return r.Few
	case r.Verdict == Same:
		return "same within " + threshold
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
		return text + fmt.Sprintf("%d more %s or none: the difference is about %s itself", mostRounds, unit, threshold)
	}
	return text + fmt.Sprintf("about %d more %s", r.More, unit)
}
