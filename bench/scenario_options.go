package bench

import (
	"fmt"
	"math"
)

// Defaults of the scenarios' options.
const (
	DefaultBulkCallers = 1
	DefaultBulkPairs   = 100_000
	DefaultOverload    = 3.0 // multiple of the capacity
	DefaultMaxQueue    = 64
)

// MixOptions asks for small calls and bulk ones at the same time: how long does a caller
// with one pair wait because others have a hundred thousand, and what does the bulk lose?
type MixOptions struct {
	BulkCallers int  // 0: DefaultBulkCallers
	BulkPairs   int  // in each of their calls; 0: DefaultBulkPairs
	Background  bool // the bulk's calls are engine.Background
	// Rate is how many one-pair calls arrive in a second. 0 means 3 % of the pairs/s that
	// the bulk reaches alone.
	Rate float64
}

// OverloadOptions asks for more calls than the engine can serve, so that it may refuse
// some.
type OverloadOptions struct {
	Factor float64 // ratio of the calls that arrive to those that can be served; 0: DefaultOverload
	Batch  int     // pairs in a call; 0: 1
}

// counted returns how many pairs MaxQueue counts when a call comes that the bulk must not
// keep out: a small call or, if the bulk is in the background, which is counted separately,
// its own last call.
func (m *MixOptions) counted() int {
	calls := m.BulkCallers
	if m.Background {
		calls--
	}
	return calls * min(m.BulkPairs, countedPairs)
}

// scenarioDefaults replaces zero values by defaults, or returns an error about an invalid
// value.
func (o *Options) scenarioDefaults() error {
	switch {
	case (o.Mix != nil || o.Overload != nil || o.Load != nil) && (len(o.Precisions) > 1 || len(o.Lengths) > 0):
		return fmt.Errorf("%w: precisions or lengths of a scenario, which sweeps none", ErrOptions)
	case o.MaxQueue < 0:
		return fmt.Errorf("%w: a queue of %d pairs, want 0 (any number) or more", ErrOptions, o.MaxQueue)
	case o.Mix != nil && o.Overload != nil:
		return fmt.Errorf("%w: a mix and an overload at once, want one of them", ErrOptions)
	case o.Load != nil && (o.Mix != nil || o.Overload != nil || o.Profile || o.Stages || o.Rate > 0):
		return fmt.Errorf("%w: load points and a mix, an overload, a profile, stages or a rate, want the points alone", ErrOptions)
	case o.Load != nil:
		return o.loadDefaults()
	case (o.Mix != nil || o.Overload != nil) && (o.Profile || o.Stages || o.Rate > 0):
		return fmt.Errorf("%w: a profile, stages or an open loop of a mix or an overload, which have none", ErrOptions)
	case o.Mix != nil:
		m := *o.Mix // do not change the caller's
		if m.BulkCallers == 0 {
			m.BulkCallers = DefaultBulkCallers
		}
		if m.BulkPairs == 0 {
			m.BulkPairs = DefaultBulkPairs
		}
		switch {
		case m.BulkCallers < 1 || m.BulkCallers > MaxConcurrency:
			return fmt.Errorf("%w: %d bulk callers, want 1 to %d", ErrOptions, m.BulkCallers, MaxConcurrency)
		case m.BulkPairs < 1 || m.BulkPairs > maxPairs:
			return fmt.Errorf("%w: bulk calls of %d pairs, want 1 to %d", ErrOptions, m.BulkPairs, maxPairs)
		case !(m.Rate >= 0 && m.Rate <= maxRate):
			return fmt.Errorf("%w: %v small calls a second, want 0 (a share of the bulk's) or more, and at most %v", ErrOptions, m.Rate, float64(maxRate))
		}
		if most := m.counted(); o.MaxQueue > 0 && o.MaxQueue <= most {
			return fmt.Errorf("%w: a queue of %d pairs, where the bulk calls alone count for %d: others would all be refused, want more", ErrOptions, o.MaxQueue, most)
		}
		o.Mix = &m
		if o.passes == nil {
			o.passes = new(passCount)
		}
	case o.Overload != nil:
		v := *o.Overload
		if v.Factor == 0 {
			v.Factor = DefaultOverload
		}
		if v.Batch == 0 {
			v.Batch = 1
		}
		if o.MaxQueue == 0 {
			o.MaxQueue = DefaultMaxQueue
		}
		switch {
		case !(v.Factor > 0) || math.IsInf(v.Factor, 0):
			return fmt.Errorf("%w: an overload of %v times the capacity, want more than 0", ErrOptions, v.Factor)
		case v.Batch < 1 || v.Batch > maxBatch:
			return fmt.Errorf("%w: an overload with calls of %d pairs, want 1 to %d", ErrOptions, v.Batch, maxBatch)
		}
		o.Overload = &v
	}
	return nil
}
