package engine

import "time"

// interruptions bounds what urgent passes take from those that they go before: not more
// than half of the time, over a while. One-pair calls now and then never notice the bound,
// and callers that make one after the other cannot stop everybody else.
//
// Time earns credit at its own pace, up to mostCredit, and an urgent pass spends what it
// takes.
type interruptions struct {
	credit time.Duration
	until  time.Time // credit has been earned until then
}

// mostCredit is some dozens of one-pair passes.
const mostCredit = 250 * time.Millisecond

// allowed says whether an urgent pass may begin.
func (i *interruptions) allowed(now time.Time) bool {
	i.credit = min(i.credit+now.Sub(i.until), mostCredit)
	i.until = now
	return i.credit > 0
}

// took says how long an urgent pass has been. That time earns nothing.
func (i *interruptions) took(d time.Duration) { i.credit -= 2 * d }
