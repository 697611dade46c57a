package bench

import (
	"context"
	"math"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// stableWithin is the largest relative difference between the rates of two consecutive
	// windows of a steady warm-up.
	stableWithin = 0.05
	// A window of the warm-up has at least this length and at least this many batches of
	// each caller. One batch says little if batches differ in length, and with several
	// callers batches end in groups.
	windowTime    = 200 * time.Millisecond
	windowBatches = 2
)

// warmUp runs l in a closed loop until its rate is steady, but for about limit at most. It
// takes text from the middle of the workload, which the measurement, beginning at its head,
// reaches last.
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
	if _, far := l.engine.(*served); far {
		l.missed = l.hopeful()
	}
	_, err := l.run(ctx)
	w.Time = time.Since(begun)
	return w, err
}

// steadiness compares the token rate of each window with that of the window before. It
// counts tokens and not pairs, because pairs differ much in length, but the work for a
// token hardly varies.
type steadiness struct {
	batches int // the fewest in a window

	count, tokens int           // in the current window
	since         time.Duration // start of the current window
	previous      float64       // tokens/s of the last window; 0 if there is none yet
}

// add counts a batch that ended at end. It returns true if this batch completes a window
// that has the same rate as the window before.
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
