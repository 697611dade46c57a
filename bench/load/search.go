package load

import (
	"math"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// The search for the knee covers the loads from Lowest to Highest, as shares of the
// capacity that a closed loop measured, and narrows the knee down to Width. The knee must
// then hold Confirmations times more, with other seeds for the arrivals.
const (
	Lowest        = 0.30
	Highest       = 0.95
	Width         = 0.05
	Confirmations = 3
	// UsualSteps is the number of points in a search whose first knee is confirmed.
	UsualSteps = 6 + Confirmations
	// SearchCost is about the time of a search whose knee is low and has to be moved down
	// once. Its unit is the time that the requests of one point take at the capacity. All
	// points have the same number of requests, so low loads last longer.
	SearchCost = 30.0
)

// Ramp holds the loads of a ramp, as shares of the capacity.
var Ramp = []float64{0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1, 1.2}

// RampCost returns the time of a ramp, in the unit of SearchCost.
func RampCost() (cost float64) {
	for _, share := range Ramp {
		cost += 1 / share
	}
	return cost
}

// Step is one load to measure.
type Step struct {
	Purpose string
	Share   float64 // of the capacity
	Seed    uint64
}

// Search looks for the largest load that holds, by bisection. The zero value is a new
// search.
type Search struct {
	low, high float64 // the largest load known to hold, and the smallest known not to; 0: none yet
	begun     bool    // confirming has begun, and the search itself is over
	confirmed int     // how many times in a row low has held again
	seed      uint64
	over      bool
}

// Next returns the load to measure next, or false when the search is over.
func (s *Search) Next() (Step, bool) {
	switch {
	case s.over:
		return Step{}, false
	case s.low == 0:
		return Step{recording.PurposeSearch, Lowest, 1}, true
	case s.high == 0 && s.low < Highest && !s.begun:
		return Step{recording.PurposeSearch, Highest, 1}, true
	case s.high > 0 && s.high-s.low > Width+1e-9 && !s.begun:
		return Step{recording.PurposeSearch, (s.low + s.high) / 2, 1}, true
	}
	s.begun = true
	return Step{recording.PurposeConfirm, s.low, s.seed + 2}, true
}

// Add records whether the load of a step held. A knee that does not hold again is moved
// down.
func (s *Search) Add(step Step, holds bool) {
	switch {
	case step.Purpose == recording.PurposeConfirm && holds:
		s.seed++
		s.confirmed++
		s.over = s.confirmed == Confirmations
	case step.Purpose == recording.PurposeConfirm:
		s.seed++
		s.confirmed = 0
		s.over = s.low <= Lowest
		s.low = max(Lowest, s.low-Width)
	case holds:
		s.low = step.Share
	case s.low == 0:
		s.over = true // nothing holds
	default:
		s.high = step.Share
	}
}

// Knee is the largest load that held and was confirmed.
type Knee struct {
	Rate float64 `json:"rate_pairs_per_second"` // the rate of arrivals
	Good float64 `json:"good_pairs_per_second"` // the mean of the points that confirmed it
	// AtLeast: every load that was tried held, the highest too, so the knee may be above.
	AtLeast bool `json:"at_least"`
	// Perhaps is the largest load above Rate of which too few requests told whether it holds, below
	// all that do not; 0 for none.
	Perhaps float64 `json:"perhaps_pairs_per_second"`
}

// KneeOf finds the knee among the points of a search. It returns nil if nothing held, or if
// what held was not confirmed.
func KneeOf(points []Point) *Knee {
	points = decided(points)
	var k *Knee
	failed := false
	for i, p := range points {
		if p.Purpose != recording.PurposeRamp && !p.Holds {
			failed = true
		}
		if p.Purpose != recording.PurposeConfirm || i+1 < Confirmations {
			continue
		}
		last := points[i+1-Confirmations : i+1]
		good := 0.0
		held := true
		for _, q := range last {
			held = held && q.Purpose == recording.PurposeConfirm && q.Rate == p.Rate && q.Holds && q.Good != nil
			if q.Good != nil {
				good += *q.Good / Confirmations
			}
		}
		if held {
			k = &Knee{Rate: p.Rate, Good: good}
		}
	}
	if k != nil {
		k.AtLeast, k.Perhaps = !failed, undecided(points, k.Rate)
	}
	return k
}

// undecided is the largest load above the knee, and below all that do not hold, whose last point
// had too few requests; 0 for none.
func undecided(points []Point, knee float64) (rate float64) {
	fails := math.Inf(1)
	last := map[float64]Point{}
	for _, p := range points {
		if last[p.Rate] = p; !p.Holds && !p.TooFew() && p.Rate > knee {
			fails = min(fails, p.Rate)
		}
	}
	for at, p := range last {
		if at > max(knee, rate) && at < fails && p.TooFew() {
			rate = at
		}
	}
	return rate
}

// decided leaves out the points that were measured again, with more requests, because they had
// too few.
func decided(points []Point) (list []Point) {
	for i, p := range points {
		if i+1 < len(points) && p.TooFew() {
			if next := points[i+1]; next.Purpose == p.Purpose && next.Rate == p.Rate && next.Seed == p.Seed {
				continue
			}
		}
		list = append(list, p)
	}
	return list
}
