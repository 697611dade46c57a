package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/load"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

// LoadOptions asks how much load holds: open loops at several rates, one after the other.
// One of SLO and Ramp must be set.
type LoadOptions struct {
	// SLO is the bound that 95 % of the latencies shall keep. The largest load that does is
	// searched for, and confirmed. 0: not.
	SLO time.Duration
	// Ramp measures a row of rising loads, before the search if there is one.
	Ramp bool
	// Batch is the pairs in a request; 0: 1.
	Batch int
}

const (
	// capacityPairs is how many pairs the closed loop has under way that the capacity is of,
	// so that passes are full.
	capacityPairs = 64
	// spareSteps are for a knee that is not confirmed at once.
	spareSteps = load.Confirmations
	// leastPatience is how long what is under way at the end of a point is waited for.
	leastPatience = 200 * time.Millisecond
)

// loadDefaults replaces zero values, or says what is wrong.
func (o *Options) loadDefaults() error {
	l := *o.Load // the caller's stays as it is
	if l.Batch == 0 {
		l.Batch = 1
	}
	switch {
	case l.SLO < 0:
		return fmt.Errorf("%w: latency of at most %v, want above 0", ErrOptions, l.SLO)
	case l.SLO == 0 && !l.Ramp:
		return fmt.Errorf("%w: load points with neither a bound of latency nor a ramp", ErrOptions)
	case l.Batch < 1 || l.Batch > maxBatch:
		return fmt.Errorf("%w: requests of %d pairs, want 1 to %d", ErrOptions, l.Batch, maxBatch)
	}
	o.Load = &l
	return nil
}

// measureLoad measures the points. Each is a crowd of its own, with the queue empty before
// it: what is under way when its time and its patience are over is given up.
func (s *session) measureLoad(ctx context.Context) error {
	runtime.GC() // the gate's garbage is none of this
	t := newTurns(s.deadline)
	o := s.Load
	callers := max(2*s.engine.Info().Workers, capacityPairs/o.Batch, 1)
	l := loop{engine: s.engine, work: s.work, batch: o.Batch, callers: callers, pairs: math.MaxInt / 2}
	warmup, err := s.warmUpScenario(ctx, "load", l, &t)
	if err != nil {
		return s.interruptedLoad(ctx, err)
	}
	s.Progress("load: capacity", 0, 0)
	found, err := l.runFor(ctx, t.capacityTime())
	if err != nil {
		return s.interruptedLoad(ctx, err)
	}
	rec := &recording.Load{Batch: o.Batch, Callers: callers, SLO: o.SLO, Warmup: warmup,
		Capacity: float64(amountOf(found).pairs) / elapsed(found).Seconds()}
	s.rec.Load = rec
	p := &pacer{session: s, loop: l, rec: rec, patience: max(leastPatience, o.SLO)}
	cost := 0.0
	if o.Ramp {
		p.steps, cost = len(load.Ramp), load.RampCost()
	}
	if o.SLO > 0 {
		p.steps += load.UsualSteps + spareSteps
		cost += load.SearchCost
	}
	left := time.Until(t.end)
	left = max(0, left/2, left-time.Duration(p.steps)*p.patience)
	p.unit = time.Duration(float64(left) / cost)
	if o.Ramp {
		for _, share := range load.Ramp {
			if _, err := p.point(ctx, load.Step{Purpose: recording.PurposeRamp, Share: share, Seed: arrivalSeed}); err != nil {
				return s.interruptedLoad(ctx, err)
			}
		}
	}
	if o.SLO == 0 {
		return nil
	}
	var search load.Search
	for step, ok := search.Next(); ok; step, ok = search.Next() {
		if len(rec.Points) > 0 && time.Now().Add(p.length(step)).After(t.end) {
			s.note("load: the time bound of %v (for the whole run) was over before the knee was confirmed; the search had come to %.1f pairs/s.", s.TimeBound, step.Share*rec.Capacity)
			return nil
		}
		holds, err := p.point(ctx, step)
		if err != nil {
			return s.interruptedLoad(ctx, err)
		}
		search.Add(step, holds)
	}
	return nil
}

// pacer measures points of load.
type pacer struct {
	*session
	loop     loop
	rec      *recording.Load
	steps    int           // that there is time for
	unit     time.Duration // in which the requests of a point are served at the capacity
	patience time.Duration
}

// length is how long requests of a step arrive.
func (p *pacer) length(step load.Step) time.Duration {
	return max(shortestLoad, time.Duration(float64(p.unit)/step.Share))
}

// point measures one, and says whether the load holds.
func (p *pacer) point(ctx context.Context, step load.Step) (holds bool, err error) {
	rate := step.Share * p.rec.Capacity
	p.Progress(fmt.Sprintf("load: %.1f pairs/s (%s)", rate, step.Purpose), len(p.rec.Points), p.steps)
	length := p.length(step)
	p.loop.from = len(p.rec.Points) * len(p.work.pairs) / p.steps
	c := crowd{loop: p.loop, due: newArrivals(step.Seed, p.loop.batch, rate).until(length, mostOffered), waits: true, until: length + p.patience}
	o, err := c.run(ctx)
	if err != nil {
		return false, err
	}
	point := recording.LoadPoint{Purpose: step.Purpose, Rate: rate, Seed: step.Seed, Length: length, Patience: p.patience,
		Waited: o.waited, Answered: o.samples(), Missed: o.missed()}
	p.rec.Points = append(p.rec.Points, point)
	return load.Judge(&point, p.rec.Batch, p.rec.SLO).Holds, nil
}

// missed is the calls without scores.
func (o *outcome) missed() (list []recording.Miss) {
	for _, a := range o.answers {
		if a.err != nil {
			reason := reasonOf(a.err)
			switch {
			case errors.Is(a.err, errUnfinished):
				reason = errUnfinished.Error()
			case errors.Is(a.err, engine.ErrOverloaded):
				reason = "refused"
			}
			list = append(list, recording.Miss{Due: a.Start, After: a.Latency, Reason: reason})
		}
	}
	return list
}

// interruptedLoad notes that ctx ended the points early, and returns err.
func (s *session) interruptedLoad(ctx context.Context, err error) error {
	points := 0
	if s.rec.Load != nil {
		points = len(s.rec.Load.Points)
		if points == 0 {
			s.rec.Load = nil // nothing was measured
		}
	}
	if ctx.Err() != nil {
		s.note("load: interrupted after %d points; what was measured of the next is left out.", points)
	}
	return err
}
