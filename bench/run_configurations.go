package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// measureAll measures each configuration. Each gets an even share of the time that is left,
// which is for so many engines.
func (s *session) measureAll(ctx context.Context, engines int) error {
	meter := processMeter(s.engine)
	lengths := s.Lengths
	if len(lengths) == 0 {
		lengths = []int{0}
	}
	left := engines * len(lengths) * len(s.Batches) * len(s.Concurrencies)
	for _, length := range lengths {
		work, err := s.sweep.text(s, length)
		if err != nil {
			return err
		}
		for _, batch := range s.Batches {
			for _, callers := range s.Concurrencies {
				var deadline time.Time
				if !s.deadline.IsZero() {
					deadline = time.Now().Add(time.Until(s.deadline) / time.Duration(left))
				}
				left--
				l := loop{engine: s.engine, work: work, batch: batch, callers: callers, pairs: s.Pairs}
				if err := s.measure(ctx, l, meter, deadline); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// measure measures one configuration: warm-up, then the load, then its stages if they are
// asked for.
func (s *session) measure(ctx context.Context, l loop, meter func() reading, deadline time.Time) error {
	config := s.sweep.name(l.batch, l.callers)
	runtime.GC() // the last configuration's garbage is not this one's
	warmup, err := s.warmUpConfiguration(ctx, config, l, deadline)
	if err != nil {
		return s.interrupted(ctx, config, 0, err)
	}
	before := s.traffic()
	r := s.newRun(&l, warmup)
	end := time.Time{}
	if !deadline.IsZero() {
		end = deadline.Add(-s.stagesTime(deadline))
	}
	p := s.pace(config, &l, r, end)
	s.Progress(config, 0, s.Pairs)
	kernels := func() []recording.Kernel { return nil }
	if s.Profile {
		if kernels, err = s.timeKernels(); err != nil {
			return fmt.Errorf("bench: %s: %w", config, err)
		}
	}
	sampling := startSampler(meter)
	p.live = s.startLive(meter, end, s.Pairs)
	err = phase(ctx, "measure", func(ctx context.Context) (err error) {
		if r.Open != nil {
			r.Batches, err = l.asTheyArrive(ctx, r, end)
		} else {
			r.Batches, err = l.run(ctx)
		}
		return err
	})
	p.live.stop()
	r.Samples = sampling.stop()
	r.Kernels = kernels()
	r.Elapsed = elapsed(r.Batches)
	r.TimeBound = err == nil && p.scored+p.missed < s.Pairs
	s.traffic().since(before, r.Served)
	if err := s.keep(ctx, config, r, p, err); err != nil {
		return err
	}
	if s.Stages {
		return s.timeStages(ctx, l, &s.rec.Runs[len(s.rec.Runs)-1], deadline)
	}
	return nil
}

// warmUpConfiguration warms the engine up with l, in a share of the time until the deadline.
func (s *session) warmUpConfiguration(ctx context.Context, config string, l loop, deadline time.Time) (warmup recording.Warmup, err error) {
	if s.Rate > 0 { // whose callers are as many as it takes, and not all at once
		l.callers = min(l.callers, warmUpCallers)
	}
	limit := warmUpLongest
	if !deadline.IsZero() {
		limit = min(limit, time.Duration(warmUpShare*float64(time.Until(deadline))))
	}
	warmed := 0
	l.done = func(b recording.BatchSample) {
		warmed += b.Pairs
		s.Progress(config+": warm-up", warmed, 0)
	}
	err = phase(ctx, "warm-up", func(ctx context.Context) (err error) {
		warmup, err = warmUp(ctx, l, limit)
		return err
	})
	if err == nil && !warmup.Stable {
		s.note("%s: the rate was not steady within %.0f %% when the warm-up's time was over (batches until then: %d).",
			config, 100*stableWithin, warmup.Batches)
	}
	return warmup, err
}

// newRun is the run of a loop before its first batch.
func (s *session) newRun(l *loop, warmup recording.Warmup) *recording.Run {
	r := &recording.Run{Batch: l.batch, Concurrency: l.callers, Loop: "closed", Requested: s.Pairs, Warmup: warmup, Precision: s.sweep.precision, Length: s.sweep.length}
	if s.Rate > 0 {
		r.Loop, r.Rate, r.Open = "open", s.Rate, &recording.Open{Seed: arrivalSeed}
	}
	if s.Server != nil {
		r.Served = new(recording.Served)
	}
	return r
}

// pace is what a loop has come to.
type pace struct {
	scored, missed int // pairs
	ended          int // batches with scores
	spent          time.Duration
	live           *liveView // nil until it is started
}

// pace has the loop count what it does, record what is missed in r, and begin no batch that
// would end after end, unless that is zero.
func (s *session) pace(config string, l *loop, r *recording.Run, end time.Time) *pace {
	p := new(pace)
	l.done = func(b recording.BatchSample) {
		p.live.add(b)
		p.scored += b.Pairs
		p.spent += b.Latency
		p.ended++
		s.Progress(config, p.scored, s.Pairs)
	}
	if r.Served != nil {
		l.missed = func(b recording.BatchSample, err error) bool {
			p.missed += b.Pairs
			return noteMiss(r.Served, b, err)
		}
	}
	if !end.IsZero() {
		l.stop = func(at time.Time) bool {
			// A batch that would end too late at the pace so far is not begun. The
			// pace says nothing of that batch's own latency, so none is favoured.
			if p.ended > 0 {
				at = at.Add(p.spent / time.Duration(p.ended))
			}
			return !at.Before(end)
		}
	}
	return p
}

// keep puts a run into the recording, if there is anything in it, and notes how it ended;
// failure is the error that it ended with.
func (s *session) keep(ctx context.Context, config string, r *recording.Run, p *pace, failure error) error {
	if p.scored == 0 && failure == nil && r.Served != nil {
		return fmt.Errorf("bench: %s: none of %d requests brought scores: %s", config, len(r.Served.Missed), reasons(r.Served))
	}
	if p.scored > 0 {
		s.rec.Runs = append(s.rec.Runs, *r)
	}
	if failure != nil {
		return s.interrupted(ctx, config, p.scored, failure)
	}
	if r.TimeBound {
		s.note("%s: stopped by the time bound of %v (for the whole run) after %d of %d %s.", config, s.TimeBound, p.scored, s.Pairs, s.noun())
	}
	if served := float64(p.scored) / r.Elapsed.Seconds(); s.Rate > 0 && p.missed == 0 && served < overloaded*s.Rate {
		s.note("%s: %.1f %s/s were offered and %.1f served: the queue grew all the time, and latencies say how long the run was.", config, s.Rate, s.noun(), served)
	}
	return nil
}

// interrupted notes that ctx ended a configuration early, and returns err.
func (s *session) interrupted(ctx context.Context, config string, scored int, err error) error {
	if ctx.Err() != nil {
		s.note("%s: interrupted after %d of %d %s; what follows it was not measured.", config, scored, s.Pairs, s.noun())
	}
	return err
}

// asTheyArrive runs the open loop of a configuration. Batches arrive until end, unless it is
// zero, and at least one arrives. It records in r how many found all callers busy.
func (l *loop) asTheyArrive(ctx context.Context, r *recording.Run, end time.Time) ([]recording.BatchSample, error) {
	batches := (l.pairs + l.batch - 1) / l.batch
	length := longestArrivals
	if !end.IsZero() {
		length = time.Until(end)
	}
	due := newArrivals(r.Open.Seed, l.batch, r.Rate).until(length, batches)
	if len(due) == 0 {
		due = newArrivals(r.Open.Seed, l.batch, r.Rate).until(longestArrivals, 1)
	}
	c := crowd{loop: *l, due: due, most: l.callers, waits: true, strict: true}
	o, err := c.run(ctx)
	r.Open.Waited = o.waited
	return o.samples(), err
}
