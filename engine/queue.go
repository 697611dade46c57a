package engine

import (
	"container/heap"
	"sync/atomic"
)

// queue holds the calls that have pairs in no pass yet, and says whose pair is next.
//
// It shares the device fairly between calls, by tokens. Each call has a virtual start
// time, that of its next pair, and the call whose start is the earliest has its turn; a
// pair moves its call's start on by its tokens over the call's weight. Virtual time is
// that of WF²Q+ (Bennett and Zhang 1997, "Hierarchical packet fair queueing algorithms"):
// it goes on by the tokens that are taken over the weights of all calls that wait, and is
// never behind the start of a call that has its turn. A call that comes begins at the
// virtual time of then. So whoever has had the least goes first, which brings small calls
// to their end first; and nobody starves, since those that come later start later.
//
// Where WF²Q+ orders those that may start by when they would end, the order here is that
// of starts, as in start-time fair queueing (Goyal, Vin and Cheng 1996): how many tokens
// a pair has is known only when it is taken.
//
// The lock of who owns it is the engine's.
type queue struct {
	// small calls fit into one pass and are urgent to somebody, large are the others.
	small, large line
	virtual      float64 // in tokens
	weight       float64 // of all calls that wait
	pairs        int     // that wait
	counted      [2]int  // of them, at most mostCounted of a call: what MaxQueue limits, and of Background calls
	arrivals     uint64
	average      float64 // tokens in a pair, of those taken lately
	// hurried is the number of small calls, for those who look up from a pass without
	// the lock.
	hurried atomic.Int64
}

const (
	// mostCounted is how many pairs of one call count for MaxQueue.
	mostCounted = 32
	// backgroundWeight is the weight of a call of Background, where others' is 1.
	backgroundWeight = 1.0 / 16
	// usualTokens is taken for a pair's before any was seen.
	usualTokens = 64
)

// place is a call's in the queue.
type place struct {
	start   float64 // virtual, of the next pair
	weight  float64
	arrival uint64 // decides between equal starts
	index   int    // in its line; -1: not there
	small   bool
	waiting int // pairs
}

// kind is 1 for calls of Background, 0 for the others.
func (p *place) kind() int {
	if p.weight < 1 {
		return 1
	}
	return 0
}

// put makes pairs of a call wait, more of them where some do already.
func (q *queue) put(c *call, pairs int) {
	if pairs == 0 {
		return
	}
	if c.waiting == 0 {
		c.start = max(c.start, q.virtual)
		c.arrival = q.arrivals
		q.arrivals++
		q.weight += c.weight
		heap.Push(q.line(c), c)
		q.hurried.Store(int64(len(q.small)))
	}
	q.count(c, pairs)
}

// next returns the call that has its turn, among small ones, large ones or both; nil if
// none waits.
func (q *queue) next(small, large bool) *call {
	var c *call
	if small && len(q.small) > 0 {
		c = q.small[0]
	}
	if large && len(q.large) > 0 && (c == nil || before(q.large[0], c)) {
		c = q.large[0]
	}
	return c
}

// took says that a pair of c, which had its turn, waits no more.
func (q *queue) took(c *call) {
	q.virtual = max(q.virtual, c.start)
	q.count(c, -1)
	if c.waiting == 0 {
		q.leave(c)
	}
}

// charge says how many tokens a pair had that was taken.
func (q *queue) charge(c *call, tokens int) {
	n := float64(tokens)
	q.average += (n - q.average) / 64
	weight := q.weight
	if c.waiting == 0 {
		weight += c.weight // it did when the pair was taken
	}
	q.virtual += n / weight
	c.start += n / c.weight
	if c.waiting > 0 {
		heap.Fix(q.line(c), c.index)
	}
}

// drop takes what waits of a call out of the queue.
func (q *queue) drop(c *call) {
	if c.waiting > 0 {
		q.count(c, -c.waiting)
		q.leave(c)
	}
}

// calls is how many wait.
func (q *queue) calls() int { return len(q.small) + len(q.large) }

// tokens is about how many wait.
func (q *queue) tokens() int { return int(float64(q.pairs) * q.average) }

func (q *queue) line(c *call) *line {
	if c.small {
		return &q.small
	}
	return &q.large
}

func (q *queue) leave(c *call) {
	heap.Remove(q.line(c), c.index)
	q.hurried.Store(int64(len(q.small)))
	if q.weight -= c.weight; q.calls() == 0 {
		q.weight = 0 // without what rounding has left
	}
}

// count adds to the pairs of c that wait.
func (q *queue) count(c *call, pairs int) {
	counted := &q.counted[c.kind()]
	*counted -= min(c.waiting, mostCounted)
	c.waiting += pairs
	*counted += min(c.waiting, mostCounted)
	q.pairs += pairs
}

// line is calls as a heap, the earliest start first.
type line []*call

func before(a, b *call) bool {
	if a.start != b.start {
		return a.start < b.start
	}
	return a.arrival < b.arrival
}

func (l line) Len() int           { return len(l) }
func (l line) Less(i, j int) bool { return before(l[i], l[j]) }

func (l line) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].index, l[j].index = i, j
}

func (l *line) Push(x any) {
	c := x.(*call)
	c.index = len(*l)
	*l = append(*l, c)
}

func (l *line) Pop() any {
	last := len(*l) - 1
	c := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	c.index = -1
	if cap(*l) > 1024 && last < cap(*l)/4 { // after a burst, its memory goes
		*l = append(make(line, 0, cap(*l)/2), *l...)
	}
	return c
}
