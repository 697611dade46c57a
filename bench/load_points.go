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
	"github.com/minilm-metal/minilm-metal/bench/stats"
	"github.com/minilm-metal/minilm-metal/engine"
)

// LoadOptions asks how much load the engine can hold. It is measured by open loops at
// several rates, one after the other. At least one of SLO and Ramp must be set.
type LoadOptions struct {
	// SLO is the bound that 95 % of the latencies must keep. The bench searches for the
	// largest load that does, and confirms it. 0: no search.
	SLO time.Duration
	// Ramp measures a series of rising loads, before the search if there is one.
	Ramp bool
	// Batch is the number of pairs in a request; 0: 1.
	Batch int
}

const (
	// capacityPairs is how many pairs are under way in the closed loop that measures the
	// capacity: enough for full passes.
	capacityPairs = 64
	// spareSteps are kept for a knee that is not confirmed at once.
	spareSteps = load.Confirmations
	// spareRequests is how many requests a step of the search has for each that its bound
	// needs: arrivals are random, and those that hang together count for fewer.
	spareRequests = 1.5
	// leastPatience is the shortest wait for the requests that are under way when a point
	// ends.
	leastPatience = 200 * time.Millisecond
)

// loadDefaults replaces zero values, or returns an error about an invalid value.
func (o *Options) loadDefaults() error {
	l := *o.Load // do not change the caller's
	if l.Batch == 0 {
		l.Batch = 1
	}
	switch {
	case l.SLO < 0 || l.SLO > longestGap:
		return fmt.Errorf("%w: latency of at most %v, want above 0, and at most %v", ErrOptions, l.SLO, longestGap)
	case l.SLO == 0 && !l.Ramp:
		return fmt.Errorf("%w: load points with neither a bound of latency nor a ramp", ErrOptions)
	case l.Batch < 1 || l.Batch > maxBatch:
		return fmt.Errorf("%w: requests of %d pairs, want 1 to %d", ErrOptions, l.Batch, maxBatch)
	}
	o.Load = &l
	return nil
}

// measureLoad measures the points. Each is a crowd of its own and begins with an empty
// queue: requests that are still under way after its time and its patience are given up.
func (s *session) measureLoad(ctx context.Context) error {
	runtime.GC() // the accuracy gate's garbage is not part of the load
	t := newTurns(s.deadline)
	o := s.Load
	callers := max(2*s.engine.Info().Workers, capacityPairs/o.Batch, 1)
	l := loop{engine: s.engine, work: s.work, batch: o.Batch, callers: callers, pairs: math.MaxInt / 2}
	warmup, err := s.warmUpScenario(ctx, "load", l, &t)
	if err != nil {
		return s.interruptedLoad(ctx, err)
	}
	s.Progress("load: capacity", 0, 0)
	if s.Server != nil {
		l.missed = l.hopeful()
	}
	found, err := l.runFor(ctx, t.capacityTime())
	if err != nil {
		return s.interruptedLoad(ctx, err)
	}
	rec := &recording.Load{Batch: o.Batch, Callers: callers, SLO: o.SLO, Warmup: warmup,
		Capacity: float64(amountOf(found).pairs) / elapsed(found).Seconds()}
	s.rec.Load = rec
	p := &pacer{session: s, loop: l, rec: rec, clumps: 1, patience: max(leastPatience, o.SLO), end: t.end, meter: processMeter(s.engine)}
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
			s.note("load: the time bound of %v (for the whole run) was over before the knee was confirmed; the search had come to %.1f %s/s. A longer --time-bound gives it the time.", s.TimeBound, step.Share*rec.Capacity, s.noun())
			return nil
		}
		point, err := p.point(ctx, step)
		for err == nil && point.TooFew() && p.lengthen(step, point.Dependence) {
			point, err = p.point(ctx, step)
		}
		if err != nil {
			return s.interruptedLoad(ctx, err)
		}
		search.Add(step, point.Holds)
	}
	return nil
}

// pacer measures points of load.
type pacer struct {
	*session
	loop     loop
	rec      *recording.Load
	steps    int           // that there is time for
	unit     time.Duration // the time of a point's requests at the capacity
	clumps   float64       // how many requests of the search tell as much as one independent one; at least 1
	patience time.Duration
	end      time.Time
	meter    func() reading
}

// share returns the part of the time that is for a step.
func (p *pacer) share(step load.Step) time.Duration {
	return max(shortestLoad, time.Duration(float64(p.unit)/step.Share))
}

// length returns for how long the requests of a step arrive. A step of the search that had
// fewer requests than its bound needs would say that nothing holds, whatever the engine does.
func (p *pacer) length(step load.Step) time.Duration {
	if step.Purpose == recording.PurposeRamp {
		return p.share(step)
	}
	requests := spareRequests * p.clumps * float64(stats.SamplesNeeded(0.95, stats.Confidence)) / (1 - load.RampShare)
	return max(p.share(step), time.Duration(requests*float64(p.rec.Batch)/(step.Share*p.rec.Capacity)*float64(time.Second)))
}

// lengthen gives the steps of the search, from now on, the requests that they need where so many
// tell as much as one independent one. It reports whether there is time for this step again, to
// confirm it, and to confirm another if it is not; if not, all is as before.
func (p *pacer) lengthen(step load.Step, clumps float64) bool {
	clumpsBefore, before := p.clumps, p.length(step)
	p.clumps = max(p.clumps, clumps)
	if length := p.length(step); length > before && (1+2*load.Confirmations)*(length+p.patience) <= time.Until(p.end) {
		return true
	}
	p.clumps = clumpsBefore
	return false
}

// point measures one step and judges it.
func (p *pacer) point(ctx context.Context, step load.Step) (load.Point, error) {
	rate := step.Share * p.rec.Capacity
	p.Progress(fmt.Sprintf("load: %.1f pairs/s (%s)", rate, step.Purpose), len(p.rec.Points), p.steps)
	length := p.length(step)
	if len(p.rec.Points) == 0 { // it is measured, whatever the time bound is
		length = min(length, max(p.share(step), time.Until(p.end)))
	}
	p.loop.from = len(p.rec.Points) * len(p.work.pairs) / p.steps
	c := crowd{loop: p.loop, due: newArrivals(step.Seed, p.loop.batch, rate).until(length, mostOffered), waits: true, until: length + p.patience}
	live := p.startLive(p.meter, time.Now().Add(length), 0)
	c.done = live.add
	o, err := c.run(ctx)
	live.stop()
	if err != nil {
		return load.Point{}, err
	}
	point := recording.LoadPoint{Purpose: step.Purpose, Rate: rate, Seed: step.Seed, Length: length, Patience: p.patience,
		Waited: o.waited, Answered: o.samples(), Missed: o.missed()}
	p.rec.Points = append(p.rec.Points, point)
	return load.Judge(&point, p.rec.Batch, p.rec.SLO), nil
}

// missed returns the calls that got no scores.
func (o *outcome) missed() (list []recording.Miss) {
	for _, a := range o.answers {
		if a.err != nil {
			reason := missReason(a.err)
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
