package serve

import (
	"testing"
	"time"
)

// Speed is that of times when pairs waited: what was not asked for says nothing.
func TestSpeed(t *testing.T) {
	var s speed
	now := time.Unix(1000, 0)
	after := func(d time.Duration, pairs int64, waiting bool) {
		now = now.Add(d)
		s.note(now, pairs, waiting)
	}
	want := func(when string, pairs int, wait time.Duration) {
		t.Helper()
		if got := s.wait(pairs); got != wait {
			t.Errorf("%s: %d pairs take %v, want %v", when, pairs, got, wait)
		}
	}
	want("nothing is known", 1000, time.Second)
	after(0, 0, false)
	after(time.Hour, 10, false)
	want("nobody has waited", 1000, time.Second)
	after(time.Hour, 20, true)
	want("from now on some wait", 1000, time.Second)
	after(100*time.Millisecond, 30, true)
	want("too short to tell", 1000, time.Second)
	after(900*time.Millisecond, 120, true)
	want("100 in a second", 1000, 10*time.Second)
	want("few", 5, time.Second)
	want("very many", 1_000_000, 30*time.Second)
	after(time.Second, 170, false) // the queue ran empty: 50 is what was asked for
	after(time.Hour, 171, true)
	want("nobody waited", 1000, 10*time.Second)
	// Measurements lose weight with age: 200 a second for a long time.
	for range 50 {
		now = now.Add(time.Second)
		s.note(now, s.pairs+200, true)
	}
	if got := s.wait(1000); got < 4990*time.Millisecond || got > 5010*time.Millisecond {
		t.Errorf("200 a second: 1000 pairs take %v, want 5s", got)
	}
}
