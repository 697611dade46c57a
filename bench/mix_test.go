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
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// An engine that serves callers by turns, one pair each: the small calls wait for the pair
// that is computed, and a caller who comes back at once has half of it.
func TestMeasureMix(t *testing.T) {
	const ms = time.Millisecond
	for _, callers := range []int{1, 3} {
		l, q := newQueue(t, 400, 200*time.Second)
		synctest.Test(t, func(t *testing.T) {
			l.options.Mix = &MixOptions{BulkCallers: callers, BulkPairs: 5000, Background: callers == 3}
			begun := time.Now()
			rec, err := l.runQueued(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took < 195*time.Second || took > 201*time.Second {
				t.Errorf("took %v of 200 s", took)
			}
			m := rec.Mix
			if err := rec.Validate(); err != nil || len(rec.Runs) != 0 || m.BulkCallers != callers || m.BulkPairs != 5000 || m.Background != (callers == 3) {
				t.Fatalf("%v: %+v", err, m)
			}
			if (q.background > 0) != m.Background {
				t.Errorf("%d calls in the background", q.background)
			}
			if math.Abs(m.Rate-3) > 0.06 { // 3 % of 100 pairs/s
				t.Errorf("%v small calls a second, want 3", m.Rate)
			}
			if len(m.Phases)%5 != 0 || len(m.Phases) < 5*7 || m.Phases[2].Load != recording.LoadBulk || m.Phases[7].Load != recording.LoadBoth {
				t.Fatalf("%d phases", len(m.Phases))
			}
			alone := map[int][]recording.BatchSample{}
			for i, p := range m.Phases {
				if p.Round != i/5 {
					t.Errorf("phase %d is of round %d", i, p.Round)
				}
				least, most := 10*ms, 10*ms
				switch p.Load {
				case recording.LoadSmall:
					alone[p.Round] = p.Small
					most = 30 * ms // where one comes upon another
				case recording.LoadBoth:
					most = time.Duration(callers+1)*10*ms + 30*ms
					due := newArrivals(arrivalSeed+uint64(p.Round), 1, m.Rate)
					for j, s := range p.Small {
						if was := alone[p.Round]; len(was) != len(p.Small) || s.Start != due.next() || s.Start != was[j].Start || s.Tokens != was[j].Tokens {
							t.Fatalf("round %d: call %d of %d is not that of the %d alone: %+v", p.Round, j, len(p.Small), len(was), s)
						}
					}
				case recording.LoadClosed:
					least, most = time.Duration(callers+1)*10*ms, time.Duration(callers+2)*10*ms
				}
				for _, s := range p.Small {
					if p.Load == recording.LoadClosed && s.Start == 0 {
						least -= 10 * ms // the first comes in the middle of a pair
					} else if p.Load == recording.LoadClosed {
						least = time.Duration(callers+1) * 10 * ms
					}
					if s.Latency < least || s.Latency > most || s.Pairs != 1 || s.Queue+s.Infer != s.Latency {
						t.Errorf("%s: %+v, want a latency of %v to %v", p.Load, s, least, most)
					}
				}
				if p.Load == recording.LoadSmall || p.Load == recording.LoadAlone {
					if p.BulkPairs != 0 {
						t.Errorf("%d pairs of no bulk", p.BulkPairs)
					}
					continue
				}
				// Every 10 ms a pair is computed: what is not of the small calls is the bulk's.
				if all := p.BulkPairs + int64(len(p.Small)); math.Abs(float64(all)-p.Length.Seconds()*100) > 2 || p.BulkTokens < 4*p.BulkPairs {
					t.Errorf("%s: %d pairs in %v", p.Load, all, p.Length)
				}
			}
			f := report.Derive(rec).Mix
			if share := 1 - 1/float64(callers+1); math.Abs(*f.BulkClosedRatio-share) > 0.05 || *f.BulkBesideRatio < 0.93 || *f.BulkBesideRatio > 1 {
				t.Errorf("the bulk has %v beside the small calls and %v beside the closed loop, want 0.97 and %v", *f.BulkBesideRatio, *f.BulkClosedRatio, share)
			}
			if f.Alone.P50 != 10 || f.Beside.P50 <= 10 || *f.BesideRatio.Max < 1 || f.Rounds != len(f.ByRound) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// A rate that is asked for is taken, and none that cannot be served.
func TestMixRate(t *testing.T) {
	l, q := newQueue(t, 400, 45*time.Second)
	synctest.Test(t, func(t *testing.T) {
		l.options.Mix = &MixOptions{Rate: 12.5}
		rec, err := l.runQueued(t.Context(), q)
		if err != nil || rec.Mix.Rate != 12.5 || rec.Mix.BulkPairs != DefaultBulkPairs || rec.Mix.BulkCallers != DefaultBulkCallers {
			t.Errorf("%v: %+v", err, rec)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l.options.Mix = &MixOptions{Rate: 1e5}
		rec, err := l.runQueued(t.Context(), q)
		if rec != nil || err == nil || !strings.Contains(err.Error(), "100000.0 a second are more than can be served") {
			t.Errorf("%v: %+v", err, rec)
		}
	})
}

// Whole rounds are kept, and nothing of one that is not.
func TestMixInterrupted(t *testing.T) {
	l, q := newQueue(t, 400, 100*time.Second)
	for _, tt := range []struct {
		after  time.Duration
		rounds int
	}{{10 * time.Second, 0}, {35 * time.Second, 2}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.after)
			defer cancel()
			l.options.Mix = &MixOptions{}
			begun := time.Now()
			rec, err := l.runQueued(ctx, q)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > tt.after+20*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
			switch {
			case tt.rounds == 0:
				if rec != nil {
					t.Errorf("a recording of nothing: %+v", rec.Mix)
				}
			case rec == nil || len(rec.Mix.Phases) != 5*tt.rounds || !noted(rec, "interrupted after 2 whole rounds"):
				t.Errorf("%+v", rec)
			}
		})
	}
}

// A call that fails ends the measurement with its error, of whichever side it is.
func TestMixFailures(t *testing.T) {
	broken := errors.New("broken")
	for want, breaks := range map[string]func(pairs []engine.Pair) bool{
		"mix: a small call: broken":                func(p []engine.Pair) bool { return len(p) == 1 && first(p) == 3 },
		"batch=1, concurrency=1: batch 31: broken": func(p []engine.Pair) bool { return len(p) == 1 && first(p) == 31 },
		"bulk caller 1: broken":                    func(p []engine.Pair) bool { return len(p) == 500 && first(p) == 200 },
	} {
		l, q := newQueue(t, 400, 100*time.Second)
		synctest.Test(t, func(t *testing.T) {
			q.fail = func(pairs []engine.Pair) error {
				if breaks(pairs) {
					return broken
				}
				return nil
			}
			l.options.Mix = &MixOptions{BulkCallers: 2, BulkPairs: 500}
			rec, err := l.runQueued(t.Context(), q)
			if rec != nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), want) || !q.closed {
				t.Errorf("%v, want %q; %+v", err, want, rec)
			}
		})
	}
	l, q := newQueue(t, 400, 100*time.Second)
	synctest.Test(t, func(t *testing.T) {
		l.options.passes = new(passCount) // which nobody adds to
		l.options.Mix = &MixOptions{}
		if _, err := l.runQueued(t.Context(), q); err == nil || !strings.Contains(err.Error(), "the bulk had no pass in") {
			t.Errorf("error %v", err)
		}
	})
}

// No accuracy, no mix.
func TestMixRefusesWrongScores(t *testing.T) {
	l, q := newQueue(t, 100, 50*time.Second)
	l.reference.scatter = 5
	synctest.Test(t, func(t *testing.T) {
		l.options.Mix = &MixOptions{}
		rec, err := l.runQueued(t.Context(), q)
		if !errors.Is(err, ErrInaccurate) || rec == nil || rec.Mix != nil || !noted(rec, "nothing was timed") {
			t.Errorf("%v: %+v", err, rec)
		}
	})
}

// The whole way with the real engine, whose passes are what counts the bulk.
func TestScenariosOfTheEngine(t *testing.T) {
	files, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 32, Heads: 4, Intermediate: 64, Vocab: 3000})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Device: "cpu", Model: Checkpoint{Files: files, ID: "tiny", Synthetic: true}, Pairs: 60, Workers: 2,
		TimeBound: time.Second, Mix: &MixOptions{BulkCallers: 2, BulkPairs: 3000}}
	r, err := Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	bulk, small := int64(0), 0
	for _, p := range r.Mix.Phases {
		bulk += p.BulkPairs
		small += len(p.Small)
	}
	if f := report.Derive(r).Mix; bulk == 0 || small == 0 || f.Rounds < 1 || f.Closed.N == 0 {
		t.Errorf("%d pairs of the bulk, %d small calls: %+v", bulk, small, f)
	}
	o.Mix, o.Overload, o.TimeBound = nil, &OverloadOptions{}, time.Second
	if r, err = Measure(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	if v := report.Derive(r).Overload; v.Accepted == 0 || v.Queue.N == 0 || v.Failed != 0 || v.MaxQueue != DefaultMaxQueue || v.Callers != DefaultMaxQueue {
		t.Errorf("%+v", v)
	}
}
