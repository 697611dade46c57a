package bench

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/report"
)

// looks keeps what a run shows.
type looks struct {
	mu    sync.Mutex
	seen  []*Live
	ended int
}

func (l *looks) hear(v *Live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v == nil {
		l.ended++
		return
	}
	l.seen = append(l.seen, v)
}

// A batch of four takes a second: that is what is shown twice a second, and how long it will
// go on.
func TestLive(t *testing.T) {
	l := newLab(t, 40)
	synctest.Test(t, func(t *testing.T) {
		var shown looks
		l.options.Live, l.options.TimeBound = shown.hear, -1
		if _, err := l.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(shown.seen); n < 18 || n > 20 || shown.ended != 1 {
			t.Fatalf("%d looks at 10 s, %d ends", n, shown.ended)
		}
		v := shown.seen[12] // after 6.5 s
		if v.Batches != 6 || v.P50 != time.Second || v.P95 != time.Second || v.Infer != time.Second || v.Late+v.Queue+v.Tokenize+v.Other != 0 || math.Abs(v.PairsPerSecond-4) > 0.01 {
			t.Errorf("%+v", v)
		}
		if v.Left < 3*time.Second || v.Left > 5*time.Second {
			t.Errorf("%v left of 3.5 s", v.Left)
		}
	})
}

// Scenarios are shown too, with the time that their bound leaves.
func TestLiveScenarios(t *testing.T) {
	for name, o := range map[string]func(*Options){
		"mix":      func(o *Options) { o.Mix = &MixOptions{} },
		"overload": func(o *Options) { o.Overload, o.MaxQueue = &OverloadOptions{}, 8 },
		"load":     func(o *Options) { o.Load = &LoadOptions{Ramp: true} },
	} {
		l, q := newQueue(t, 400, 60*time.Second)
		synctest.Test(t, func(t *testing.T) {
			var shown looks
			o(&l.options)
			l.options.Live, q.limit = shown.hear, l.options.MaxQueue
			if _, err := l.runQueued(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			if len(shown.seen) < 60 || shown.ended == 0 {
				t.Fatalf("%s: %d looks, %d ends", name, len(shown.seen), shown.ended)
			}
			served := 0
			for _, v := range shown.seen {
				if v.Left > 60*time.Second || v.P95 < v.P50 {
					t.Errorf("%s: %+v", name, v)
				}
				if v.PairsPerSecond > 0 {
					served++
				}
			}
			if served < len(shown.seen)/2 {
				t.Errorf("%s: %d of %d looks saw something", name, served, len(shown.seen))
			}
		})
	}
}

// What was interrupted says so at its head.
func TestCutShort(t *testing.T) {
	for after, cut := range map[time.Duration]bool{20 * time.Second: true, time.Hour: false} {
		l := newLab(t, 100)
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			l.options.TimeBound = -1
			rec, err := l.run(ctx)
			if rec == nil || errors.Is(err, context.DeadlineExceeded) != cut || rec.CutShort != cut {
				t.Fatalf("%v: %+v", err, rec)
			}
			text := rendered(t, report.Derive(rec))
			if strings.Contains(text[:strings.Index(text, "## Results")], "**Cut short:** the run was interrupted") != cut {
				t.Errorf("after %v:\n%.900s", after, text)
			}
		})
	}
}
