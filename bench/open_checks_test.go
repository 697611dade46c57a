package bench

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/load"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

// arrive runs an open loop of one-pair calls that nothing bounds, and returns its calls in
// the order in which they were due.
func arrive(t *testing.T, e scorer, seed uint64, rate float64, n int) []recording.BatchSample {
	t.Helper()
	c := crowd{loop: loop{engine: e, work: numbered(100), batch: 1, pairs: math.MaxInt / 2}, due: newArrivals(seed, 1, rate).until(math.MaxInt64, n), waits: true, strict: true}
	o, err := c.run(t.Context())
	if err != nil || o.waited > 0 || len(o.answers) != n {
		t.Fatalf("%v: %d answers of %d, %d waited", err, len(o.answers), n, o.waited)
	}
	list := o.samples()
	slices.SortFunc(list, func(a, b recording.BatchSample) int { return int(a.Start - b.Start) })
	return list
}

// The gaps of the calls that were made are exponential (Kolmogorov and Smirnov, p > 0.001),
// and none says anything of the next.
func TestGapsOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, rate = 20_000, 250.0
		list := arrive(t, newFake(nil), 3, rate, n)
		gaps := make([]float64, n)
		last := time.Duration(0)
		for i, s := range list {
			gaps[i] = (s.Start - last).Seconds()
			last = s.Start
		}
		mean, product, square := 1/rate, 0.0, 0.0
		for i, g := range gaps {
			square += (g - mean) * (g - mean)
			if i > 0 {
				product += (gaps[i-1] - mean) * (g - mean)
			}
		}
		if r, most := product/square, 3.3/math.Sqrt(n); math.Abs(r) >= most {
			t.Errorf("correlation of neighbouring gaps %.5f, want below %.5f", r, most)
		}
		slices.Sort(gaps)
		distance := 0.0
		for i, g := range gaps {
			f := 1 - math.Exp(-g*rate)
			distance = max(distance, f-float64(i)/n, float64(i+1)/n-f)
		}
		// The distance that is exceeded by chance once in a thousand.
		if most := math.Sqrt(-math.Log(0.001/2)/2) / math.Sqrt(n); distance >= most {
			t.Errorf("gaps are %.5f from exponential, want below %.5f", distance, most)
		}
	})
}

// The number of arrivals scatters as a Poisson count does, from seed to seed: it is not made
// to be what was asked for.
func TestCountsOverSeeds(t *testing.T) {
	const seeds, mean = 200, 100.0
	sum, square := 0.0, 0.0
	for seed := range uint64(seeds) {
		n := float64(len(newArrivals(seed, 1, 20).until(5*time.Second, math.MaxInt)))
		sum += n
		square += (n - mean) * (n - mean)
	}
	if ratio := square / seeds / mean; ratio < 0.7 || ratio > 1.4 {
		t.Errorf("variance over mean %.2f", ratio)
	}
	if got := sum / seeds; math.Abs(got-mean) > 3 {
		t.Errorf("%.1f arrivals on average, want %v", got, mean)
	}
}

// When calls are due is the same however slow the engine is.
func TestDueIsTheSame(t *testing.T) {
	var want []time.Duration
	for _, service := range []time.Duration{0, time.Millisecond, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var due []time.Duration
			for _, s := range arrive(t, newFake(func([]engine.Pair) time.Duration { return service }), 5, 40, 500) {
				due = append(due, s.Start)
			}
			if want == nil {
				want = due
			}
			if !slices.Equal(due, want) {
				t.Errorf("with a service of %v calls were due at other times", service)
			}
		})
	}
}

// stalling is an engine that answers nothing for a second.
type stalling struct {
	*fake
	from, to time.Time
}

func (f *stalling) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error) {
	if now := time.Now(); !now.Before(f.from) && now.Before(f.to) {
		time.Sleep(time.Until(f.to))
	}
	return f.fake.ScoreStats(ctx, dst, pairs, opts...)
}

// Each call that was due in a stall has waited for the rest of it, at least, with callers
// without number and with one who is in the stall himself.
func TestStall(t *testing.T) {
	for _, callers := range []int{1, 0} {
		synctest.Test(t, func(t *testing.T) {
			const ms = time.Millisecond
			begun := time.Now()
			f := &stalling{newFake(func([]engine.Pair) time.Duration { return ms }), begun.Add(4 * time.Second), begun.Add(5 * time.Second)}
			c := crowd{loop: loop{engine: f, work: numbered(100), batch: 1, pairs: math.MaxInt / 2}, due: newArrivals(1, 1, 100).until(10*time.Second, math.MaxInt), most: callers, waits: true}
			o, err := c.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			within := 0
			for _, s := range o.samples() {
				if left := 5*time.Second - s.Start; s.Start >= 4*time.Second && left > 0 {
					within++
					if s.Latency < left {
						t.Errorf("due at %v, latency %v: the stall lasted for %v more", s.Start, s.Latency, left)
					}
				}
			}
			if within < 70 || (o.waited > 0) != (callers > 0) {
				t.Errorf("%d callers: %d calls in the stall, %d waited", callers, within, o.waited)
			}
		})
	}
}

// Of a queue with Poisson arrivals, a fixed service and half its capacity the mean wait is
// half a service time (Pollaczek and Khinchin), and what is under way, counted on the way, is
// rate times mean latency (Little).
func TestQueueTheory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, rate, service = 40_000, 50.0, 10 * time.Millisecond
		q := newQueued(newFake(nil), service)
		var underWay atomic.Int64
		counted, looks := int64(0), int64(0)
		stop := make(chan struct{})
		go func() {
			tick := time.NewTicker(7 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					counted += underWay.Load()
					looks++
				case <-stop:
					return
				}
			}
		}()
		list := arrive(t, counting{q, &underWay}, 1, rate, n)
		close(stop)
		synctest.Wait()
		wait, latency := time.Duration(0), time.Duration(0)
		for _, s := range list {
			wait += s.Queue
			latency += s.Latency
		}
		if got := wait / n; math.Abs(float64(got)/float64(service/2)-1) > 0.1 {
			t.Errorf("mean wait %v, want %v", got, service/2)
		}
		seconds := elapsed(list).Seconds()
		want := n / seconds * (latency / n).Seconds()
		if got := float64(counted) / float64(looks); math.Abs(got/want-1) > 0.05 {
			t.Errorf("%.3f under way on average, want %.3f", got, want)
		}
	})
}

// counting is an engine that counts the calls that are under way.
type counting struct {
	scorer
	underWay *atomic.Int64
}

func (c counting) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error) {
	c.underWay.Add(1)
	defer c.underWay.Add(-1)
	return c.scorer.ScoreStats(ctx, dst, pairs, opts...)
}

// Twice what can be served is saturated; half of it is not.
func TestSaturation(t *testing.T) {
	for _, tt := range []struct {
		rate      float64
		saturated bool
	}{{200, true}, {50, false}} {
		synctest.Test(t, func(t *testing.T) {
			const length = 30 * time.Second
			q := newQueued(newFake(nil), 10*time.Millisecond)
			c := crowd{loop: loop{engine: q, work: numbered(100), batch: 1, pairs: math.MaxInt / 2}, due: newArrivals(1, 1, tt.rate).until(length, math.MaxInt), waits: true, until: length + time.Second}
			o, err := c.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p := load.Judge(&recording.LoadPoint{Purpose: recording.PurposeSearch, Rate: tt.rate, Length: length, Answered: o.samples(), Missed: o.missed()}, 1, 100*time.Millisecond)
			if p.Saturated != tt.saturated || p.Holds == tt.saturated {
				t.Errorf("%v pairs/s: %+v", tt.rate, p)
			}
			if tt.saturated && (p.Growth < 2000 || p.Why != "saturated: what is under way grows" || math.Abs(p.Attained-100) > 2) {
				t.Errorf("%v pairs/s: %+v", tt.rate, p)
			}
			if k := load.KneeOf([]load.Point{p, p, p}); tt.saturated && k != nil {
				t.Errorf("knee %+v", k)
			}
		})
	}
}
