package bench

import (
	"context"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// A scenario's loads take turns, in rounds of about this length and so many at least:
	// a machine that slows down does so to all loads alike. Shorter ones pair better what is
	// compared, longer ones have less of callers that come and go.
	roundTime    = 10 * time.Second
	fewestRounds = 2
	// A load lasts so long at least, even where the time is over.
	shortestLoad = 50 * time.Millisecond
	// Callers that begin or end have this share of a round to do so before a load is
	// measured, that long at most.
	settlePart    = 0.02
	settleLongest = 300 * time.Millisecond
	// This share of the time goes into finding the capacity, that long at most.
	capacityShare   = 0.05
	capacityLongest = 3 * time.Second
)

// turns shares out the time of a scenario.
type turns struct {
	end    time.Time
	rounds int
}

// newTurns begins a scenario that must end at the deadline; with none, it is as long as the
// default time bound.
func newTurns(deadline time.Time) turns {
	if deadline.IsZero() {
		deadline = time.Now().Add(DefaultTimeBound)
	}
	return turns{deadline, 0}
}

// capacityTime is how long the capacity is measured.
func (t *turns) capacityTime() time.Duration {
	return max(shortestLoad, min(capacityLongest, time.Duration(capacityShare*float64(time.Until(t.end)))))
}

// cut decides how many rounds there will be.
func (t *turns) cut() { t.rounds = max(fewestRounds, int(time.Until(t.end)/roundTime)) }

// next returns the length of round r, and false when there is none, or no time for it. The
// first always is.
func (t *turns) next(r int) (length time.Duration, ok bool) {
	left := time.Until(t.end)
	if r >= t.rounds || r > 0 && left < shortestLoad {
		return 0, false
	}
	return max(0, left) / time.Duration(t.rounds-r), true
}

// settle is how long callers have to begin or to end.
func settle(round time.Duration) time.Duration {
	return min(settleLongest, time.Duration(settlePart*float64(round)))
}

// part is a share of a round.
func part(round time.Duration, share float64) time.Duration {
	return max(shortestLoad, time.Duration(share*float64(round)))
}

// warmUpScenario warms the engine up with l.
func (s *session) warmUpScenario(ctx context.Context, name string, l loop, t *turns) (recording.Warmup, error) {
	warmed := 0
	l.done = func(b recording.BatchSample) {
		warmed += b.Pairs
		s.Progress(name+": warm-up", warmed, 0)
	}
	w, err := warmUp(ctx, l, min(warmUpLongest, time.Duration(warmUpShare*float64(time.Until(t.end)))))
	if err == nil && !w.Stable {
		s.note("%s: the rate was not steady within %.0f %% when the warm-up's time was over (batches until then: %d).",
			name, 100*stableWithin, w.Batches)
	}
	return w, err
}

// sleepFor waits, and says whether ctx is still good then.
func sleepFor(ctx context.Context, d time.Duration) bool { return sleepUntil(ctx, time.Now().Add(d)) }

// interruptedScenario notes that ctx ended a scenario early, and returns err.
func (s *session) interruptedScenario(ctx context.Context, name string, rounds int, err error) error {
	if ctx.Err() != nil {
		s.note("%s: interrupted after %d whole rounds; what was measured of the next is left out.", name, rounds)
	}
	return err
}
