package bench

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
)

// An engine that computes 100 pairs/s and lets 8 wait.
func newOverload(t *testing.T, bound time.Duration) (*lab, *queued) {
	l, q := newQueue(t, 400, bound)
	q.limit = 8
	l.options.MaxQueue, l.options.Overload = 8, &OverloadOptions{}
	return l, q
}

// Every call of a flood is accounted for, the engine's rate stays, and what is let in waits no
// longer than the queue is long.
func TestMeasureOverload(t *testing.T) {
	const ms = time.Millisecond
	l, q := newOverload(t, 100*time.Second)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 98*time.Second || took > 101*time.Second {
			t.Errorf("took %v of 100 s", took)
		}
		v := rec.Overload
		if err := rec.Validate(); err != nil || v.Batch != 1 || v.MaxQueue != 8 || v.Callers != 8 || v.Factor != 3 {
			t.Fatalf("%v: %+v", err, v)
		}
		if math.Abs(v.Capacity-100) > 1 || v.Rate != 3*v.Capacity {
			t.Errorf("capacity %v, rate %v, want 100 and three times that", v.Capacity, v.Rate)
		}
		for i, p := range v.Phases {
			want := recording.LoadQueue
			if i%2 != 0 {
				want = recording.LoadFlood
			}
			if p.Round != i/2 || p.Load != want {
				t.Errorf("phase %d: %s of round %d", i, p.Load, p.Round)
			}
			for _, s := range p.Accepted {
				if s.Latency > 90*ms || s.Queue+s.Infer != s.Latency {
					t.Errorf("%s: %+v waited for more than the 8 that may", p.Load, s)
				}
			}
			for _, d := range p.Refused {
				if d != 0 { // as soon as it is asked
					t.Errorf("refused after %v", d)
				}
			}
			if p.Load == recording.LoadQueue && len(p.Refused) > 0 {
				t.Errorf("%d calls of a queue that has room are refused", len(p.Refused))
			}
		}
		f := report.Derive(rec).Overload
		if f.Offered != f.Accepted+f.Refused || math.Abs(float64(f.Refused)/float64(f.Offered)-2.0/3) > 0.02 {
			t.Errorf("%d offered, %d accepted, %d refused: want a third and two", f.Offered, f.Accepted, f.Refused)
		}
		if math.Abs(*f.FloodRate-100) > 1 || math.Abs(*f.QueueRate-100) > 1 || f.Queue.P50 != 80 || f.Flood.P99 > 90 || *f.Ratio.P99 > 1.2 {
			t.Errorf("%+v", f)
		}
	})
}

// Calls that fail are counted apart and named; few kinds of names are kept.
func TestOverloadFailures(t *testing.T) {
	l, q := newOverload(t, 60*time.Second)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		q.fail = func(pairs []engine.Pair) error {
			q.mu.Lock()
			defer q.mu.Unlock()
			if time.Since(begun) > 25*time.Second && first(pairs)%10 == 7 && q.waiting > 7 { // in floods alone
				return errors.New("lost in the\n" + strings.Repeat("dark ", 100))
			}
			return nil
		}
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		f := report.Derive(rec).Overload
		if err := rec.Validate(); err != nil || f.Failed == 0 || f.Offered != f.Accepted+f.Refused+f.Failed || len(f.Failures) != 1 {
			t.Fatalf("%v: %+v", err, f)
		}
		if text := rendered(t, report.Derive(rec)); !strings.Contains(text, `with "lost in the dark dark`) {
			t.Errorf("%s", text)
		}
	})
	o := outcome{offered: 60}
	for i := range 60 {
		o.answers = append(o.answers, answer{err: errors.New(strings.Repeat("x", 1+i%20))})
	}
	if p := o.sorted(); len(p.Failed) != mostFailures+1 || p.Failures() != 60 || p.Failed["others"] != 60-3*mostFailures {
		t.Errorf("%v", p.Failed)
	}
}

// A queue without an end is found out: the bench keeps so many calls and says that it
// does not send the others.
func TestOverloadWithoutLimit(t *testing.T) {
	l, q := newOverload(t, 20*time.Second)
	q.limit = 0
	l.options.Overload.Factor = 1e4
	synctest.Test(t, func(t *testing.T) {
		rec, err := l.runQueued(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		f := report.Derive(rec).Overload
		if err := rec.Validate(); err != nil || f.Unsent == 0 || f.Refused != 0 || f.Offered != f.Accepted+f.Unsent || f.Accepted < recording.MostUnderWay {
			t.Errorf("%v: %+v", err, f)
		}
		if text := rendered(t, report.Derive(rec)); !strings.Contains(text, "16384 calls were under way, and the bench keeps no more") {
			t.Errorf("%s", text)
		}
	})
}

func TestOverloadBatches(t *testing.T) {
	for _, tt := range []struct{ batch, queue, callers int }{{4, 8, 2}, {4, 3, 1}, {40, 128, 4}} {
		l, q := newOverload(t, 60*time.Second)
		synctest.Test(t, func(t *testing.T) {
			l.options.MaxQueue, q.limit, l.options.Overload.Batch = tt.queue, tt.queue, tt.batch
			rec, err := l.runQueued(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if v := rec.Overload; v.Callers != tt.callers || v.Batch != tt.batch || rec.Validate() != nil {
				t.Errorf("%+v: %d callers, batch %d", tt, v.Callers, v.Batch)
			}
		})
	}
}

func TestOverloadInterrupted(t *testing.T) {
	l, q := newOverload(t, 100*time.Second)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		begun := time.Now()
		rec, err := l.runQueued(ctx, q)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 60*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if rec == nil || len(rec.Overload.Phases) == 0 || len(rec.Overload.Phases)%2 != 0 || !noted(rec, "overload: interrupted after") {
			t.Errorf("%+v", rec)
		}
	})
}

func TestScenarioOptions(t *testing.T) {
	mix, overload := MixOptions{}, OverloadOptions{}
	for want, o := range map[string]Options{
		"a mix and an overload":    {Mix: &mix, Overload: &overload},
		"a queue of -1":            {MaxQueue: -1},
		"or an open loop":          {Mix: &mix, Rate: 3},
		"a profile":                {Overload: &overload, Profile: true},
		"-1 bulk callers":          {Mix: &MixOptions{BulkCallers: -1}},
		"5000 bulk callers":        {Mix: &MixOptions{BulkCallers: 5000}},
		"bulk calls of -1 pairs":   {Mix: &MixOptions{BulkPairs: -1}},
		"1e+300 small calls":       {Mix: &MixOptions{Rate: 1e300}},
		"NaN small calls":          {Mix: &MixOptions{Rate: math.NaN()}},
		"alone count for 64":       {Mix: &MixOptions{BulkCallers: 2}, MaxQueue: 64},
		"alone count for 32":       {Mix: &MixOptions{BulkCallers: 2, Background: true}, MaxQueue: 32},
		"-1 times the capacity":    {Overload: &OverloadOptions{Factor: -1}},
		"+Inf times the capacity":  {Overload: &OverloadOptions{Factor: math.Inf(1)}},
		"with calls of -1 pairs":   {Overload: &OverloadOptions{Batch: -1}},
		"calls of 1000000 pairs, ": {Overload: &OverloadOptions{Batch: 1000000}},
	} {
		if err := o.scenarioDefaults(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	o := Options{Overload: &overload}
	if err := o.scenarioDefaults(); err != nil || *o.Overload != (OverloadOptions{Factor: 3, Batch: 1}) || o.MaxQueue != 64 || overload != (OverloadOptions{}) {
		t.Errorf("%v: %+v, queue %d; the caller's own %+v", err, o.Overload, o.MaxQueue, overload)
	}
}
