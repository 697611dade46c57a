package engine

import "time"

// interruptions limits how much time urgent passes take from passes that are already under
// way: at most half, averaged over a while. Occasional one-pair calls never reach the
// limit, and callers that make one such call after another cannot stop everybody else.
//
// The limit works by credit. As time passes, credit grows by the same amount, up to
// mostCredit; an urgent pass spends the time that it took.
type interruptions struct {
	credit time.Duration
	until  time.Time // credit has been added up to this time
}

// mostCredit is the time of some dozens of one-pair passes.
const mostCredit = 250 * time.Millisecond

// allowed reports whether an urgent pass may begin.
func (i *interruptions) allowed(now time.Time) bool {
	i.credit = min(i.credit+now.Sub(i.until), mostCredit)
	i.until = now
	return i.credit > 0
}

// took subtracts the duration of an urgent pass, twice: that time itself earns no credit.
func (i *interruptions) took(d time.Duration) { i.credit -= 2 * d }
