package load

import "github.com/minilm-metal/minilm-metal/bench/recording"

// The search for the knee goes from Lowest to Highest, shares of the capacity of a closed
// loop, until it is known to Width; the knee must hold Confirmations times more, with
// arrivals of other seeds.
const (
	Lowest        = 0.30
	Highest       = 0.95
	Width         = 0.05
	Confirmations = 3
	// UsualSteps is how many points a search has that confirms the first that it finds.
	UsualSteps = 6 + Confirmations
	// SearchCost is about the time that a search takes whose knee is low, and must be moved
	// down once, in units of that in which as many requests as a point has are served at the
	// capacity. Points have the same number of requests, so that low ones last longer.
	SearchCost = 30.0
)

// Ramp is the loads of a ramp, as shares of the capacity.
var Ramp = []float64{0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1, 1.2}

// RampCost is the time of a ramp, in the unit of SearchCost.
func RampCost() (cost float64) {
	for _, share := range Ramp {
		cost += 1 / share
	}
	return cost
}

// Step is a load to be measured.
type Step struct {
	Purpose string
	Share   float64 // of the capacity
	Seed    uint64
}

// Search is a bisection for the largest load that holds. The zero value begins one.
type Search struct {
	low, high float64 // what holds, and what does not; 0: not known
	begun     bool    // to confirm, after which nothing is searched
	confirmed int     // how often low has held again
	seed      uint64
	over      bool
}

// Next is the load to measure next; false when the search is over.
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

// Add says whether the load of a step held. A knee that does not hold again is moved down.
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
	Rate float64 `json:"rate_pairs_per_second"` // that was to arrive
	Good float64 `json:"good_pairs_per_second"` // on average over what confirmed it
	// AtLeast says that the highest load that was tried held: the knee may be above.
	AtLeast bool `json:"at_least"`
}

// KneeOf finds the knee among the points of a search; nil: nothing held, or what did was
// not confirmed.
func KneeOf(points []Point) *Knee {
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
		k.AtLeast = !failed
	}
	return k
}
