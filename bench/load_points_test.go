package bench

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/load"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
)

// newLoad is a lab whose engine computes 100 pairs/s, one at a time.
func newLoad(t *testing.T, bound time.Duration, o LoadOptions) (*lab, *queued) {
	l, q := newQueue(t, 400, bound)
	l.options.Load = &o
	return l, q
}

// The search finds the largest load whose P95 keeps the bound, and confirms it with other
// arrivals. Of a queue with a fixed service of 10 ms, waits of more than 90 ms are 5 % at
// 86 % of the capacity or so.
func TestMeasureKnee(t *testing.T) {
	l, q := newLoad(t, 1000*time.Second, LoadOptions{SLO: 100 * time.Millisecond})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 1000*time.Second {
			t.Errorf("took %v of 1000 s", took)
		}
		if err := rec.Validate(); err != nil || math.Abs(rec.Load.Capacity-100) > 1 || len(rec.Load.Points) < load.UsualSteps {
			t.Fatalf("%v: %+v", err, rec.Load)
		}
		r := report.Derive(rec)
		k := r.Load.Knee
		if k == nil || k.AtLeast || k.Rate < 75 || k.Rate > 92 || math.Abs(k.Good/k.Rate-0.97) > 0.04 {
			t.Fatalf("knee %+v", k)
		}
		for _, p := range r.Load.Points {
			if p.Holds && (*p.P95Upper > 100 || p.Attained < 0.95*p.Offered) || !p.Holds && p.Why == "" {
				t.Errorf("%+v", p)
			}
		}
		text := rendered(t, r)
		for _, want := range []string{"## Load and Goodput", "confirmed by 3 seeds; goodput", "| Purpose | Asked (pairs/s) |", `see "Load and Goodput" below`} {
			if !strings.Contains(text, want) {
				t.Errorf("the report lacks %q:\n%s", want, text)
			}
		}
	})
}

// A server that is slow for a second of every twenty has its slow requests together. A point with
// too few of them to tell is measured again with more, and says nothing against a load.
func TestKneeInClumps(t *testing.T) {
	l, q := newLoad(t, 1000*time.Second, LoadOptions{SLO: time.Second})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		q.service = func() time.Duration {
			if time.Since(begun)%(20*time.Second) < time.Second {
				return 2 * q.each
			}
			return q.each
		}
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 1000*time.Second {
			t.Errorf("took %v of 1000 s", took)
		}
		f := report.Derive(rec).Load
		again := 0
		for i, p := range f.Points[1:] {
			if before := f.Points[i]; before.TooFew() && p.Rate == before.Rate && p.Seed == before.Seed && p.Requests > before.Requests {
				again++
			}
		}
		if k := f.Knee; again == 0 || k == nil || k.Rate < 80 { // 45 without
			t.Errorf("%d points again, knee %+v", again, k)
		}
	})
}

// Where no load keeps the bound, there is no knee, and the report says so.
func TestNoKnee(t *testing.T) {
	l, q := newLoad(t, 200*time.Second, LoadOptions{SLO: 5 * time.Millisecond})
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		r := report.Derive(rec)
		if len(rec.Load.Points) != 1 || r.Load.Knee != nil || *r.Load.Points[0].Good != 0 || r.Load.Points[0].Slow != r.Load.Points[0].Requests {
			t.Errorf("%+v", r.Load)
		}
		if text := rendered(t, r); !strings.Contains(text, "**Knee:** none: even 30 % of the capacity does not hold") {
			t.Errorf("%s", text)
		}
	})
}

// A ramp goes beyond the capacity, where it is saturated, and what is not ended when a
// point's patience is over is missed.
func TestRamp(t *testing.T) {
	l, q := newLoad(t, 400*time.Second, LoadOptions{Ramp: true, Batch: 2})
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.runQueued(t.Context(), q)
		if err != nil || rec.Validate() != nil || len(rec.Load.Points) != len(load.Ramp) {
			t.Fatalf("%v, %v: %+v", err, rec.Validate(), rec)
		}
		r := report.Derive(rec)
		for i, p := range r.Load.Points {
			share := load.Ramp[i]
			if p.Purpose != recording.PurposeRamp || math.Abs(p.Rate-100*share) > 1 || p.Good != nil || share < 0.85 && !p.Holds || share > 1.1 && (!p.Saturated || p.Missed == 0) {
				t.Errorf("at %v of the capacity: %+v", share, p)
			}
		}
		if r.Load.Knee != nil || r.Load.Misses["unfinished"] == 0 || len(r.Load.Misses) != 1 {
			t.Errorf("%+v", r.Load)
		}
	})
}

// Errors are misses, by their kind, and are in no latency.
func TestLoadCountsMisses(t *testing.T) {
	l, q := newLoad(t, 200*time.Second, LoadOptions{SLO: time.Second})
	synctest.Test(t, func(t *testing.T) {
		points := false
		l.options.Progress = func(stage string, _, _ int) { points = points || strings.HasSuffix(stage, "(search)") }
		q.fail = func(pairs []engine.Pair) error {
			if points && first(pairs)%10 == 7 {
				return errors.New("lost")
			}
			return nil
		}
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		f := report.Derive(rec).Load
		p := f.Points[0]
		if good := *p.Good / p.Offered; math.Abs(good-0.9) > 0.02 || p.Holds || p.P95 != nil || p.P50 == nil || f.Misses["lost"] == 0 || math.Abs(float64(p.Missed)/float64(p.Requests)-0.1) > 0.02 {
			t.Errorf("%+v: good %v of what was offered", p, good)
		}
	})
}

func TestLoadInterrupted(t *testing.T) {
	for after, kept := range map[time.Duration]bool{15 * time.Second: false, 100 * time.Second: true} {
		l, q := newLoad(t, 200*time.Second, LoadOptions{SLO: 100 * time.Millisecond})
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			rec, err := l.runQueued(ctx, q)
			if !errors.Is(err, context.DeadlineExceeded) || (rec != nil) != kept || kept && (len(rec.Load.Points) == 0 || !noted(rec, "load: interrupted after")) {
				t.Errorf("after %v: %v, %+v", after, err, rec)
			}
		})
	}
}

// A search that there is no time for says how far it came.
func TestLoadOutOfTime(t *testing.T) {
	l, q := newLoad(t, 20*time.Second, LoadOptions{SLO: 100 * time.Millisecond})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.runQueued(t.Context(), q)
		if err != nil || time.Since(begun) > 21*time.Second || report.Derive(rec).Load.Knee != nil {
			t.Errorf("%v after %v: %+v", err, time.Since(begun), rec)
		}
	})
}

func TestLoadOptions(t *testing.T) {
	mix := MixOptions{}
	for want, o := range map[string]Options{
		"neither a bound":       {Load: &LoadOptions{}},
		"at most -1ns":          {Load: &LoadOptions{SLO: -1}},
		"requests of -1 pairs":  {Load: &LoadOptions{Ramp: true, Batch: -1}},
		"want the points alone": {Load: &LoadOptions{Ramp: true}, Mix: &mix},
	} {
		if err := o.scenarioDefaults(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
