package bench

import (
	"math/rand/v2"
	"time"
)

// arrivals is a Poisson process: callers who do not depend on each other, as a server sees
// them. The times depend only on the seed and the rate, never on how long anything takes.
type arrivals struct {
	random *rand.Rand
	gap    float64 // mean time between two arrivals, in seconds
	at     float64 // the last arrival, in seconds since the start
}

// newArrivals returns the arrivals of batches of pairs pairs each, at a rate of
// pairsPerSecond.
func newArrivals(seed uint64, pairs int, pairsPerSecond float64) *arrivals {
	return &arrivals{
		random: rand.New(rand.NewPCG(seed, seed)),
		gap:    float64(pairs) / pairsPerSecond,
	}
}

// next returns the time of the next arrival since the start.
func (a *arrivals) next() time.Duration {
	a.at += float64(a.random.ExpFloat64() * a.gap) // the same times on every processor
	return time.Duration(a.at * float64(time.Second))
}

// until returns the arrivals within length, and at most most of them.
func (a *arrivals) until(length time.Duration, most int) (due []time.Duration) {
	for len(due) < most {
		at := a.next()
		if at >= length {
			break
		}
		due = append(due, at)
	}
	return due
}
