package engine

import (
	"math"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Candidate is one of the precisions among which "auto" chose.
type Candidate struct {
	Precision string `json:"precision"`
	// TokensPerSecond is how fast one encoder layer computes all rows of sequences of
	// 96 tokens, all workers together; 0: not measured, since there was no choice.
	TokensPerSecond float64 `json:"tokens_per_second"`
	// Deviation is how far the scores are from float32's; nil: not judged, since
	// another precision was taken whatever this one's scores are.
	Deviation *Deviation `json:"deviation,omitempty"`
	Chosen    bool       `json:"chosen"` // this is Info's Precision
}

// near is the share of the fastest's speed from which a candidate counts as fast as
// that: what two measurements of the same differ by.
const near = 0.95

// exact is the candidate that the others' scores are held to.
var exact = kernels.F32.String()

// passes says whether the scores were judged and are close enough.
func (c *Candidate) passes() bool {
	return c.Deviation != nil && c.Deviation.within(bounds(c.Precision))
}

// fails says whether the scores were judged and are not.
func (c *Candidate) fails() bool { return c.Deviation != nil && !c.passes() }

// decide chooses among measured candidates, one of which is exact: the fastest whose
// scores are close enough, and of those as fast as that the one with the least error,
// so that noise does not decide. What is not faster than float32 beyond noise is never
// chosen. Verdicts cost time, so that none is asked for that nothing depends on: if one
// is needed first, take is -1 and judge is its candidate; otherwise judge is -1.
func decide(all []Candidate) (take, judge int) {
	plain := 0
	for i := range all {
		if all[i].Precision == exact {
			plain = i
		}
	}
	fastest := plain
	for i := range all {
		if !all[i].fails() && all[i].TokensPerSecond > all[fastest].TokensPerSecond {
			fastest = i
		}
	}
	fast := near * all[fastest].TokensPerSecond
	switch {
	case all[plain].TokensPerSecond >= fast:
		return plain, -1
	case !all[fastest].passes():
		return -1, fastest
	}
	take = fastest
	for i := range all {
		switch {
		case all[i].TokensPerSecond < fast || all[i].fails():
		case all[i].Deviation == nil:
			return -1, i
		case all[i].Deviation.Mean < all[take].Deviation.Mean:
			take = i
		}
	}
	return take, -1
}

// sound says whether candidates, which come from a file, are what measuring formats
// could have found: float32 among them, each once and with a speed. Any of the
// others that was judged was off by more than 0.
func sound(all []Candidate, formats []kernels.Format) bool {
	known := map[string]bool{}
	for _, f := range formats {
		known[f.String()] = true
	}
	for i := range all {
		c := &all[i]
		if !known[c.Precision] || !(c.TokensPerSecond > 0) || math.IsInf(c.TokensPerSecond, 0) {
			return false
		}
		if d := c.Deviation; d != nil && c.Precision != exact && !(d.Mean > 0 && d.Worst > 0 && d.Swapped >= 0 && d.Swapped <= 1) {
			return false
		}
		delete(known, c.Precision)
	}
	return !known[exact]
}
