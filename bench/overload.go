package bench

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

const (
	// countedPairs is the most that MaxQueue counts of one call.
	countedPairs = 32
	// The share of a round for each load.
	queuePart = 0.4
	floodPart = 0.6
	// mostOffered is the most calls of all floods together, which limits the size of the
	// recording.
	mostOffered = 1 << 16
	// At most mostFailures kinds of failures are told apart; their texts are limited as
	// well.
	mostFailures  = 8
	longestReason = 200
)

// measureOverload measures as many callers as the queue has room for, and then more calls
// than can be served, in turns. In both, the queue is full and the rate of service is the
// same; only in the second are there calls to refuse.
func (s *session) measureOverload(ctx context.Context) error {
	runtime.GC() // without the gate's garbage
	t := newTurns(s.deadline)
	o := s.Overload
	callers := max(1, s.MaxQueue/min(o.Batch, countedPairs))
	l := loop{engine: s.engine, work: s.work, batch: o.Batch, callers: callers, pairs: math.MaxInt / 2}
	warmup, err := s.warmUpScenario(ctx, "overload", l, &t)
	if err != nil {
		return s.interruptedScenario(ctx, "overload", 0, err)
	}
	s.Progress("overload: capacity", 0, 0)
	found, err := l.runFor(ctx, t.capacityTime())
	if err != nil {
		return s.interruptedScenario(ctx, "overload", 0, err)
	}
	rec := &recording.Overload{Batch: o.Batch, MaxQueue: s.MaxQueue, Callers: callers, Factor: o.Factor, Warmup: warmup,
		Capacity: float64(amountOf(found).pairs) / elapsed(found).Seconds()}
	rec.Rate = o.Factor * rec.Capacity
	t.cut()
	live := s.startLive(processMeter(s.engine), t.end, 0)
	defer live.stop()
	l.done = live.add
	for r := 0; ; r++ {
		length, ok := t.next(r)
		if !ok {
			return nil
		}
		l.from = r * len(s.work.pairs) / t.rounds
		s.Progress("overload: "+recording.LoadNames[recording.LoadQueue], r, t.rounds)
		queue, err := l.runFor(ctx, part(length, queuePart))
		if err != nil {
			return s.interruptedScenario(ctx, "overload", r, err)
		}
		s.Progress("overload: "+recording.LoadNames[recording.LoadFlood], r, t.rounds)
		c := crowd{loop: l, due: newArrivals(arrivalSeed+uint64(r), o.Batch, rec.Rate).until(part(length, floodPart), mostOffered/t.rounds)}
		offered, err := c.run(ctx)
		if err != nil {
			return s.interruptedScenario(ctx, "overload", r, err)
		}
		flood := offered.sorted()
		flood.Round = r
		rec.Phases = append(rec.Phases,
			recording.OverloadPhase{Round: r, Load: recording.LoadQueue, Length: elapsed(queue), Offered: len(queue), Accepted: queue}, flood)
		s.rec.Overload = rec
	}
}

// runFor runs a closed loop in which no batch begins after d.
func (l loop) runFor(ctx context.Context, d time.Duration) ([]recording.BatchSample, error) {
	end := time.Now().Add(d)
	l.stop = func(at time.Time) bool { return !at.Before(end) }
	return l.run(ctx)
}

// sorted separates the scored calls from the refused and the failed ones.
func (o *outcome) sorted() recording.OverloadPhase {
	p := recording.OverloadPhase{Load: recording.LoadFlood, Offered: o.offered, Unsent: o.unsent}
	for _, a := range o.answers {
		switch {
		case a.err == nil:
			p.Accepted = append(p.Accepted, a.BatchSample)
		case errors.Is(a.err, engine.ErrOverloaded):
			p.Refused = append(p.Refused, a.Latency-a.Late)
		default:
			if p.Failed == nil {
				p.Failed = map[string]int{}
			}
			reason := reasonOf(a.err)
			if _, known := p.Failed[reason]; !known && len(p.Failed) >= mostFailures {
				reason = "others"
			}
			p.Failed[reason]++
		}
	}
	// From the first arrival to the last score; refusals take no time of the engine.
	p.Length = elapsed(p.Accepted)
	return p
}

// reasonOf is an error as one line of a report.
func reasonOf(err error) string {
	reason := err.Error()
	reason = strings.ToValidUTF8(reason[:min(len(reason), longestReason)], "\uFFFD")
	return strings.Join(strings.Fields(reason), " ")
}
