package serve

import (
	"math"
	"sync"
	"time"
)

// speed is how many pairs an engine computes in a second while others wait: what it can do, and
// not what it is asked for. It is measured between notes, where pairs waited at each of them.
type speed struct {
	mu        sync.Mutex
	at        time.Time // of the first note of this stretch
	pairs     int64     // computed until then
	waited    bool      // at every note of this stretch
	perSecond float64   // 0: not known
}

const (
	// stretch is the least time over which speed is measured: some passes.
	stretch = 250 * time.Millisecond
	// remembered is how fast old measurements lose their weight.
	remembered = 2 * time.Second
)

// note says how many pairs the engine has computed so far, and whether some wait.
func (s *speed) note(now time.Time, pairs int64, waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waited = s.waited && waiting; !s.waited {
		s.at, s.pairs, s.waited = now, pairs, waiting
		return
	}
	d := now.Sub(s.at)
	if d < stretch {
		return
	}
	is := float64(pairs-s.pairs) / d.Seconds()
	if s.perSecond == 0 {
		s.perSecond = is
	} else {
		s.perSecond += (is - s.perSecond) * (1 - math.Exp(-d.Seconds()/remembered.Seconds()))
	}
	s.at, s.pairs = now, pairs
}

// Retry-After is between these, so that neither a client asks at once again nor one gives up
// after a moment's stall.
const (
	soonest = time.Second
	latest  = 30 * time.Second
)

// wait is how long so many pairs take.
func (s *speed) wait(pairs int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perSecond <= 0 {
		return soonest
	}
	seconds := min(float64(pairs)/s.perSecond, latest.Seconds())
	return max(soonest, time.Duration(seconds*float64(time.Second)))
}

// note notes how far the model's engine is.
func (m *served) note() {
	s := m.Engine.Stats()
	m.speed.note(time.Now(), s.Pairs, s.WaitingPairs > 0)
}

// wait is how long the engine needs for what waits now.
func (m *served) wait() time.Duration { return m.speed.wait(m.Engine.Stats().WaitingPairs) }

// wait is the longest of all models': which of them a request that is refused would have asked is
// not known, because its body was not read.
func (h *Handler) wait() time.Duration {
	longest := soonest
	for _, m := range *h.models.Load() {
		longest = max(longest, m.wait())
	}
	return longest
}
