package bench

import (
	"context"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// The loads of a scenario take turns, in rounds of about this length, and at least this
	// many: so a machine that slows down affects all loads alike. Shorter rounds pair the
	// compared loads better; in longer ones, callers that begin and end matter less.
	roundTime    = 10 * time.Second
	fewestRounds = 2
	// A load lasts at least this long, even if the time is over.
	shortestLoad = 50 * time.Millisecond
	// Before a load is measured, callers have this share of a round to begin or end, but at
	// most this long.
	settlePart    = 0.02
	settleLongest = 300 * time.Millisecond
	// This share of the time is for measuring the capacity, but at most this long.
	capacityShare   = 0.05
	capacityLongest = 3 * time.Second
)

// turns divides the time of a scenario into rounds.
type turns struct {
	end    time.Time
	rounds int
}

// newTurns begins a scenario that must end at the deadline. Without one, it takes as long
// as the default time bound.
func newTurns(deadline time.Time) turns {
	if deadline.IsZero() {
		deadline = time.Now().Add(DefaultTimeBound)
	}
	return turns{deadline, 0}
}

// capacityTime returns how long the capacity is measured.
func (t *turns) capacityTime() time.Duration {
	return max(shortestLoad, min(capacityLongest, time.Duration(capacityShare*float64(time.Until(t.end)))))
}

// cut sets the number of rounds.
func (t *turns) cut() { t.rounds = max(fewestRounds, int(time.Until(t.end)/roundTime)) }

// next returns the length of round r. ok is false if there is no such round, or no time for
// it; the first one always takes place.
func (t *turns) next(r int) (length time.Duration, ok bool) {
	left := time.Until(t.end)
	if r >= t.rounds || r > 0 && left < shortestLoad {
		return 0, false
	}
	return max(0, left) / time.Duration(t.rounds-r), true
}

// settle returns how long callers have to begin or to end.
func settle(round time.Duration) time.Duration {
	return min(settleLongest, time.Duration(settlePart*float64(round)))
}

// part returns a share of a round.
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

// sleepFor waits for d. It returns false if ctx is over.
func sleepFor(ctx context.Context, d time.Duration) bool { return sleepUntil(ctx, time.Now().Add(d)) }

// interruptedScenario notes that ctx ended a scenario early, and returns err.
func (s *session) interruptedScenario(ctx context.Context, name string, rounds int, err error) error {
	if ctx.Err() != nil {
		s.note("%s: interrupted after %d whole rounds; what was measured of the next is left out.", name, rounds)
	}
	return err
}
