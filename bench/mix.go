package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// mixShare is the rate of the small calls, in pairs/s, as a share of what the bulk
	// reaches alone. It is so low that the small calls hardly wait for each other and take
	// next to nothing from the bulk.
	mixShare = 0.03
	// The share of a round for each load. There are few small calls in a second, and their
	// percentiles need many.
	pacedPart  = 0.34 // alone, and beside the bulk
	bulkPart   = 0.12
	closedPart = 0.08 // alone, and beside the bulk
)

// mixer measures the loads of a mix.
type mixer struct {
	*session
	bulk *bulk
	rate float64 // small calls a second
	live *liveView
}

// measureMix measures small calls alone, the bulk alone, and both at once, in turns. The
// calls of the bulk continue from its own load to the end of the round, so that each load
// finds a queue in its steady state. A round that is not complete is not kept.
func (s *session) measureMix(ctx context.Context) error {
	runtime.GC() // without the gate's garbage
	t := newTurns(s.deadline)
	m := &mixer{session: s, bulk: newBulk(s.engine, s.work, s.Mix), rate: s.Mix.Rate}
	warmup, err := s.warmUpScenario(ctx, "mix", loop{engine: s.engine, work: s.work, batch: DefaultBatch, callers: 1}, &t)
	if err != nil {
		return s.interruptedScenario(ctx, "mix", 0, err)
	}
	if m.rate == 0 {
		s.Progress("mix: the bulk's pairs/s", 0, 0)
		alone, err := m.capacity(ctx, t.capacityTime())
		if err != nil {
			return s.interruptedScenario(ctx, "mix", 0, err)
		}
		m.rate = mixShare * alone
	}
	rec := &recording.Mix{BulkCallers: s.Mix.BulkCallers, BulkPairs: s.Mix.BulkPairs, Background: s.Mix.Background, Rate: m.rate, Warmup: warmup}
	t.cut()
	m.live = s.startLive(processMeter(s.engine), t.end, 0)
	defer m.live.stop()
	for r := 0; ; r++ {
		length, ok := t.next(r)
		if !ok {
			return nil
		}
		phases, err := m.round(ctx, r, t.rounds, length)
		if err != nil {
			return s.interruptedScenario(ctx, "mix", r, err)
		}
		rec.Phases = append(rec.Phases, phases...)
		s.rec.Mix = rec
	}
}

// capacity measures the pairs/s of the bulk alone.
func (m *mixer) capacity(ctx context.Context, length time.Duration) (float64, error) {
	ctx, stop := m.bulk.start(ctx)
	sleepFor(ctx, settle(length))
	// A slow device may not end a single pass in that time.
	before, begun, done := m.passes.amount(), time.Now(), amount{}
	for range 20 {
		if !sleepFor(ctx, length) {
			break
		}
		if done = m.passes.amount().less(before); done.pairs > 0 {
			break
		}
	}
	took := time.Since(begun)
	if err := stop(); err != nil {
		return 0, err
	}
	if done.pairs == 0 {
		return 0, fmt.Errorf("bench: mix: the bulk had no pass in %v", took.Round(time.Millisecond))
	}
	return float64(done.pairs) / took.Seconds(), nil
}

// mixLoad is one load of a mix: its name, and the function that makes its small calls.
type mixLoad struct {
	name  string
	small func(ctx context.Context) ([]recording.BatchSample, error)
}

// round measures each load once.
func (m *mixer) round(ctx context.Context, r, rounds int, length time.Duration) (phases []recording.MixPhase, err error) {
	paced := func(ctx context.Context) ([]recording.BatchSample, error) {
		return m.paced(ctx, r, rounds, part(length, pacedPart))
	}
	none := func(ctx context.Context) ([]recording.BatchSample, error) {
		sleepFor(ctx, part(length, bulkPart))
		return nil, context.Cause(ctx)
	}
	closed := func(ctx context.Context) ([]recording.BatchSample, error) {
		l := m.small(r, rounds)
		l.callers = 1
		return l.runFor(ctx, part(length, closedPart))
	}
	measure := func(ctx context.Context, loads ...mixLoad) error {
		sleepFor(ctx, settle(length))
		for _, l := range loads {
			m.Progress("mix: "+recording.LoadNames[l.name], r, rounds)
			p, err := m.measureLoad(ctx, l)
			if err != nil {
				return err
			}
			p.Round = r
			phases = append(phases, p)
		}
		return nil
	}
	if err := measure(ctx, mixLoad{recording.LoadSmall, paced}, mixLoad{recording.LoadAlone, closed}); err != nil {
		return nil, err
	}
	beside := []mixLoad{{recording.LoadBulk, none}, {recording.LoadBoth, paced}, {recording.LoadClosed, closed}}
	if r%2 != 0 { // alternate their order, so that slow changes of the machine affect the ratio of the two in both directions
		beside[0], beside[1] = beside[1], beside[0]
	}
	ctx, stop := m.bulk.start(ctx)
	err = measure(ctx, beside...)
	if e := stop(); e != nil {
		err = e // the reason why the bulk ended says more than that of the calls cancelled for it
	}
	return phases, err
}

// measureLoad measures a load, and how much of the bulk was computed meanwhile: everything
// that was computed, minus the small calls.
func (m *mixer) measureLoad(ctx context.Context, l mixLoad) (recording.MixPhase, error) {
	before, begun := m.passes.amount(), time.Now()
	small, err := l.small(ctx)
	p := recording.MixPhase{Load: l.name, Length: time.Since(begun), Small: small}
	if l.name != recording.LoadSmall && l.name != recording.LoadAlone {
		done := m.passes.amount().less(before).less(amountOf(small))
		p.BulkPairs, p.BulkTokens = done.pairs, done.tokens
	}
	return p, err
}

// small returns the round's one-pair calls, which are the same in each of its loads.
func (m *mixer) small(r, rounds int) loop {
	return loop{engine: m.engine, work: m.work, batch: 1, from: r * len(m.work.pairs) / rounds, pairs: math.MaxInt / 2, done: m.live.add}
}

// paced makes small calls as they arrive, at the same times in each load of the round.
func (m *mixer) paced(ctx context.Context, r, rounds int, length time.Duration) (samples []recording.BatchSample, err error) {
	c := crowd{loop: m.small(r, rounds), due: newArrivals(arrivalSeed+uint64(r), 1, m.rate).until(length, math.MaxInt)}
	o, err := c.run(ctx)
	if err != nil {
		return nil, err
	}
	if o.unsent > 0 {
		return nil, fmt.Errorf("bench: mix: %d small calls were under way at once: %.1f a second are more than can be served", recording.MostUnderWay, m.rate)
	}
	for _, a := range o.answers {
		if a.err != nil {
			return nil, fmt.Errorf("bench: mix: a small call: %w", a.err)
		}
		samples = append(samples, a.BatchSample)
	}
	return samples, nil
}
