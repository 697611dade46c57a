package recording

import (
	"fmt"
	"time"
)

// The loads of the scenarios.
const (
	LoadSmall  = "small"  // in a mix: small calls as they arrive, alone
	LoadAlone  = "alone"  // small calls of one caller without pauses, alone
	LoadBulk   = "bulk"   // the bulk alone
	LoadBoth   = "both"   // both at once
	LoadClosed = "closed" // the bulk, and small calls of one caller without pauses

	LoadQueue = "queue" // in an overload: as many callers as the queue has room for
	LoadFlood = "flood" // more calls than can be served
)

// LoadNames are the names of the loads in reports.
var LoadNames = map[string]string{
	LoadSmall: "small calls alone", LoadAlone: "one small caller alone", LoadBulk: "the bulk alone", LoadBoth: "small calls beside the bulk",
	LoadClosed: "one small caller beside the bulk", LoadQueue: "a full queue", LoadFlood: "the flood",
}

// MostUnderWay is the most calls of a flood that the bench has under way at a time, which
// limits its memory: an engine that lets so many calls wait has practically no limit.
// Further calls are [OverloadPhase.Unsent].
const MostUnderWay = 1 << 14

// Mix is the measurement of one-pair calls and of callers with very many pairs, each alone
// and both at once. The loads took turns.
type Mix struct {
	BulkCallers int        `json:"bulk_callers"`
	BulkPairs   int        `json:"bulk_pairs"` // in each of their calls
	Background  bool       `json:"background"` // whether these calls were engine.Background
	Rate        float64    `json:"rate"`       // small calls that arrive in a second
	Warmup      Warmup     `json:"warmup"`
	Phases      []MixPhase `json:"phases"` // whole rounds, in order
}

// MixPhase is one load of one round.
type MixPhase struct {
	Round  int           `json:"round"` // from 0
	Load   string        `json:"load"`  // LoadSmall, LoadAlone, LoadBulk, LoadBoth or LoadClosed
	Length time.Duration `json:"length_ns"`
	// The part of the bulk that was computed by the passes that ended in Length.
	BulkPairs  int64         `json:"bulk_pairs"`
	BulkTokens int64         `json:"bulk_tokens"`
	Small      []BatchSample `json:"small"` // in order of completion; Start counts from the phase's
}

// Overload is the measurement of more calls than can be served, of which the engine may
// refuse some, beside the calls of a queue that is just full.
type Overload struct {
	Batch    int             `json:"batch"`     // pairs in a call
	MaxQueue int             `json:"max_queue"` // pairs that may wait
	Callers  int             `json:"callers"`   // in the full queue
	Factor   float64         `json:"factor"`
	Capacity float64         `json:"capacity"` // pairs/s of the full queue, measured before the rounds
	Rate     float64         `json:"rate"`     // pairs/s of the flood: Factor x Capacity
	Warmup   Warmup          `json:"warmup"`
	Phases   []OverloadPhase `json:"phases"` // whole rounds, in order
}

// OverloadPhase is one load of one round. Offered is the number of calls; it is the sum of
// those that were accepted, refused, failed and not sent.
type OverloadPhase struct {
	Round    int             `json:"round"`     // from 0
	Load     string          `json:"load"`      // LoadQueue or LoadFlood
	Length   time.Duration   `json:"length_ns"` // first start to last score
	Offered  int             `json:"offered"`
	Accepted []BatchSample   `json:"accepted"`         // in order of completion
	Refused  []time.Duration `json:"refused_ns"`       // from the call to its ErrOverloaded
	Failed   map[string]int  `json:"failed,omitempty"` // calls that ended with another error, by its text
	Unsent   int             `json:"unsent,omitempty"` // not made, because too many were under way
}

// Failures returns how many calls failed.
func (p *OverloadPhase) Failures() (n int) {
	for _, count := range p.Failed {
		n += count
	}
	return n
}

func (m *Mix) validate() error {
	if m == nil {
		return nil
	}
	if m.BulkCallers < 1 || m.BulkPairs < 1 || !(m.Rate > 0) {
		return fmt.Errorf("mix: %d bulk callers, %d pairs, rate %v: want at least 1, 1 and above 0", m.BulkCallers, m.BulkPairs, m.Rate)
	}
	for i := range m.Phases {
		p := &m.Phases[i]
		at := fmt.Sprintf("mix: phases[%d]", i)
		switch {
		case p.Load != LoadSmall && p.Load != LoadAlone && p.Load != LoadBulk && p.Load != LoadBoth && p.Load != LoadClosed:
			return fmt.Errorf("%s: field \"load\": %q is none of a mix", at, p.Load)
		case p.Length <= 0 || p.Length > longestRun:
			return fmt.Errorf("%s: field \"length_ns\": %v, want above 0 and at most %v", at, p.Length, longestRun)
		case p.Round < 0 || p.BulkPairs < 0 || p.BulkTokens < 0:
			return fmt.Errorf("%s: round %d, %d pairs, %d tokens: want at least 0", at, p.Round, p.BulkPairs, p.BulkTokens)
		case p.Round >= len(m.Phases): // none is left out, and a report has a row of each
			return fmt.Errorf("%s: round %d, of %d phases", at, p.Round, len(m.Phases))
		}
		if err := validateBatches("small", p.Small, 1); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func (o *Overload) validate() error {
	if o == nil {
		return nil
	}
	if o.Batch < 1 || o.MaxQueue < 1 || o.Callers < 1 || !(o.Factor > 0) || !(o.Capacity > 0) || !(o.Rate > 0) {
		return fmt.Errorf("overload: batch %d, queue %d, callers %d, factor %v, capacity %v, rate %v: want at least 1, 1, 1 and above 0",
			o.Batch, o.MaxQueue, o.Callers, o.Factor, o.Capacity, o.Rate)
	}
	for i := range o.Phases {
		p := &o.Phases[i]
		at := fmt.Sprintf("overload: phases[%d]", i)
		switch {
		case p.Load != LoadQueue && p.Load != LoadFlood:
			return fmt.Errorf("%s: field \"load\": %q is none of an overload", at, p.Load)
		case len(p.Accepted) > 0 && p.Length <= 0 || p.Length > longestRun:
			return fmt.Errorf("%s: field \"length_ns\": %v, want above 0 and at most %v", at, p.Length, longestRun)
		case p.Round < 0 || p.Unsent < 0:
			return fmt.Errorf("%s: round %d, %d not sent: want at least 0", at, p.Round, p.Unsent)
		}
		for reason, n := range p.Failed {
			if n < 1 {
				return fmt.Errorf("%s: failed %q: %d times, want at least 1", at, reason, n)
			}
		}
		if n := len(p.Accepted) + len(p.Refused) + p.Failures() + p.Unsent; n != p.Offered {
			return fmt.Errorf("%s: field \"offered\": %d, but %d calls are accounted for", at, p.Offered, n)
		}
		for j, d := range p.Refused {
			if d < 0 || d > longestRun {
				return fmt.Errorf("%s: refused_ns[%d]: %v, want at least 0", at, j, d)
			}
		}
		if err := validateBatches("accepted", p.Accepted, o.Batch); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}
