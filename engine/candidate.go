package engine

import (
	"math"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Candidate is one of the precisions among which "auto" chose.
type Candidate struct {
	Precision string `json:"precision"`
	// TokensPerSecond is the measured speed of one encoder layer on sequences of 96 tokens,
	// all rows, all workers together. 0 means not measured: there was only one choice.
	TokensPerSecond float64 `json:"tokens_per_second"`
	// Deviation is how far the results are from float32's. nil means not measured: the
	// choice did not depend on it.
	Deviation *Deviation `json:"deviation,omitempty"`
	Chosen    bool       `json:"chosen"` // true for the one that is Info.Precision
}

// near: a candidate with at least this share of the fastest one's speed counts as equally
// fast, because two measurements of the same thing differ by as much.
const near = 0.95

// exact is the precision with which the results of all others are compared.
var exact = kernels.F32.String()

// passes reports whether the results were compared and are close enough.
func (c *Candidate) passes() bool {
	return c.Deviation != nil && c.Deviation.within(c.Precision)
}

// fails reports whether the results were compared and are too far off.
func (c *Candidate) fails() bool { return c.Deviation != nil && !c.passes() }

// decide chooses among measured candidates, one of which is float32 (exact). It takes the
// fastest whose results are close enough; among candidates of about the same speed, the one
// with the smallest error, so that noise does not decide. It never takes one that is not
// clearly faster than float32.
//
// Comparing results takes time, so decide asks only for comparisons that the choice depends
// on: if it needs one, judge is the index of that candidate and take is -1. Otherwise take
// is the choice and judge is -1.
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

// sound reports whether candidates read from a file could come from a measurement of these
// formats: float32 is among them, each format occurs at most once and has a speed, and
// every other one that was compared has a deviation above 0, of the results of that kind.
func sound(all []Candidate, formats []kernels.Format, of string) bool {
	known := map[string]bool{}
	for _, f := range formats {
		known[f.String()] = true
	}
	for i := range all {
		c := &all[i]
		if !known[c.Precision] || !(c.TokensPerSecond > 0) || math.IsInf(c.TokensPerSecond, 0) {
			return false
		}
		if d := c.Deviation; d != nil && c.Precision != exact && !(d.Of == of && d.Mean > 0 && d.Worst > 0 && d.Swapped >= 0 && d.Swapped <= 1) {
			return false
		}
		delete(known, c.Precision)
	}
	return !known[exact]
}
