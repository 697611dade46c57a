package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Every call is made when it is due, however many are under way, and every answer is kept.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		f := newFake(func([]engine.Pair) time.Duration { return time.Minute }) // longer than all arrivals
		f.fail = func(pairs []engine.Pair) error {
			if first(pairs)%10 == 4 {
				return broken
			}
			return nil
		}
		c := crowd{loop: loop{engine: f, work: numbered(400), batch: 2, pairs: 1 << 20}, due: newArrivals(9, 2, 20).until(20*time.Second, 1<<20)}
		o, err := c.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var due []time.Duration
		for at, a := time.Duration(0), newArrivals(9, 2, 20); ; {
			if at = a.next(); at >= 20*time.Second {
				break
			}
			due = append(due, at)
		}
		if o.offered != len(due) || len(o.answers) != len(due) || o.unsent != 0 || len(due) < 150 {
			t.Fatalf("%d offered, %d answers, %d not sent, want %d", o.offered, len(o.answers), o.unsent, len(due))
		}
		seen := map[time.Duration]bool{}
		failed := 0
		for _, a := range o.answers {
			seen[a.Start] = true
			switch {
			case errors.Is(a.err, broken):
				failed++
				if a.Latency != 0 || a.Late != 0 || a.Pairs != 2 {
					t.Errorf("%+v", a)
				}
			case a.err != nil || a.Latency != time.Minute || a.Late != 0:
				t.Errorf("%+v", a)
			}
		}
		for _, at := range due {
			if !seen[at] {
				t.Errorf("no call was made at %v", at)
			}
		}
		if f.most < len(due)-failed || failed < 20 {
			t.Errorf("%d calls were under way at most, %d failed: of %d", f.most, failed, len(due))
		}
	})
}

func TestCrowdEnds(t *testing.T) {
	second := func([]engine.Pair) time.Duration { return time.Second }
	t.Run("after so many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := crowd{loop: loop{engine: newFake(second), work: numbered(9), batch: 1, pairs: 1 << 20}, due: newArrivals(1, 1, 20).until(time.Hour, 7)}
			if o, err := c.run(t.Context()); err != nil || o.offered != 7 || len(o.answers) != 7 {
				t.Errorf("%v: %d offered, %d answers", err, o.offered, len(o.answers))
			}
		})
	})
	t.Run("when it is cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			begun := time.Now()
			c := crowd{loop: loop{engine: newFake(second), work: numbered(9), batch: 1, pairs: 1 << 20}, due: newArrivals(1, 1, 20).until(time.Hour, 1<<20)}
			o, err := c.run(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 10*time.Second || o.offered != len(o.answers) {
				t.Errorf("%v after %v: %d offered, %d answers", err, time.Since(begun), o.offered, len(o.answers))
			}
		})
	})
}
