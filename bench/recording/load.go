package recording

import (
	"fmt"
	"time"
)

// Why a point of load was measured.
const (
	PurposeRamp    = "ramp"    // one of a row of rising loads
	PurposeSearch  = "search"  // to find the largest load that holds
	PurposeConfirm = "confirm" // that it was, with other arrivals
)

// Load is open loops at several rates, one after the other.
type Load struct {
	Batch    int           `json:"batch"`    // pairs in a request
	Callers  int           `json:"callers"`  // of the closed loop that Capacity is of
	Capacity float64       `json:"capacity"` // pairs/s, measured before the points
	SLO      time.Duration `json:"slo_ns"`   // the bound of latency; 0: none was asked for
	Warmup   Warmup        `json:"warmup"`
	Points   []LoadPoint   `json:"points"` // in the order in which they were measured
}

// LoadPoint is one rate. Its arrivals were fixed before it, by the seed and the rate alone.
type LoadPoint struct {
	Purpose  string        `json:"purpose"` // PurposeRamp, PurposeSearch or PurposeConfirm
	Rate     float64       `json:"rate"`    // pairs/s that were to arrive
	Seed     uint64        `json:"seed"`
	Length   time.Duration `json:"length_ns"`   // of the arrivals
	Patience time.Duration `json:"patience_ns"` // after it, until what was under way was given up
	Waited   int           `json:"waited"`      // requests that found all callers busy, and were made late
	Answered []BatchSample `json:"answered"`    // in order of completion
	Missed   []Miss        `json:"missed"`      // requests without scores
}

// Miss is a request that failed or was given up.
type Miss struct {
	Due    time.Duration `json:"due_ns"`
	After  time.Duration `json:"after_ns"` // since Due
	Reason string        `json:"reason"`
}

func (l *Load) validate() error {
	if l == nil {
		return nil
	}
	if l.Batch < 1 || l.Callers < 1 || !(l.Capacity > 0) || l.SLO < 0 {
		return fmt.Errorf("load: batch %d, callers %d, capacity %v, bound %v: want at least 1, 1, above 0 and at least 0", l.Batch, l.Callers, l.Capacity, l.SLO)
	}
	for i := range l.Points {
		p := &l.Points[i]
		at := fmt.Sprintf("load: points[%d]", i)
		switch {
		case p.Purpose != PurposeRamp && p.Purpose != PurposeSearch && p.Purpose != PurposeConfirm:
			return fmt.Errorf("%s: field \"purpose\": %q is none of a load", at, p.Purpose)
		case !(p.Rate > 0) || p.Waited < 0:
			return fmt.Errorf("%s: rate %v, %d waited: want above 0 and at least 0", at, p.Rate, p.Waited)
		case p.Length <= 0 || p.Length > longestRun || p.Patience < 0 || p.Patience > longestRun:
			return fmt.Errorf("%s: length %v, patience %v: want above 0, at least 0, and at most %v", at, p.Length, p.Patience, longestRun)
		}
		if err := validateBatches("answered", p.Answered, l.Batch); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		for j, m := range p.Missed {
			if m.Due < 0 || m.Due > longestRun || m.After < 0 || m.After > longestRun {
				return fmt.Errorf("%s: missed[%d]: due %v, after %v: want at least 0", at, j, m.Due, m.After)
			}
		}
	}
	return nil
}
