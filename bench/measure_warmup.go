package bench

import (
	"context"
	"math"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// stableWithin is how near the rates of two windows in a row must be.
	stableWithin = 0.05
	// A warm-up window is at least this long and at least this many batches of
	// each caller: one batch says little where batches differ in length, and
	// with several callers completions come in clumps.
	windowTime    = 200 * time.Millisecond
	windowBatches = 2
)

// warmUp runs l in a closed loop until its rate is steady, for about
// limit at most. The text comes from the middle of the workload, which the
// measurement, starting at its head, reaches last.
func warmUp(ctx context.Context, l loop, limit time.Duration) (recording.Warmup, error) {
	begun := time.Now()
	w := recording.Warmup{}
	steady := steadiness{batches: windowBatches * l.callers}
	l.from, l.pairs = len(l.work.pairs)/2, math.MaxInt/2
	l.stop = func(at time.Time) bool { return w.Stable || at.Sub(begun) >= limit }
	done := l.done
	l.done = func(s recording.BatchSample) {
		w.Batches++
		w.Stable = w.Stable || steady.add(s.Start+s.Latency, s.Tokens)
		if done != nil {
			done(s)
		}
	}
	_, err := l.run(ctx)
	w.Time = time.Since(begun)
	return w, err
}

// steadiness compares the token rate of each window with that of the one
// before it. Tokens, not pairs: lengths differ much from batch to batch, the
// work in a token little.
type steadiness struct {
	batches int // the least in a window

	count, tokens int           // of the window so far
	since         time.Duration // its start
	previous      float64       // tokens/s of the last window; 0: none yet
}

// add counts a batch that ended at end, and says whether the window that it
// completes, if it does, has the rate of the window before it.
func (s *steadiness) add(end time.Duration, tokens int) bool {
	s.count++
	s.tokens += tokens
	length := end - s.since
	if s.count < s.batches || length < windowTime {
		return false
	}
	rate := float64(s.tokens) / length.Seconds()
	stable := s.previous > 0 && math.Abs(rate-s.previous) <= stableWithin*s.previous
	*s = steadiness{batches: s.batches, since: end, previous: rate}
	return stable
}
