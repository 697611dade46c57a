package engine

import (
	"container/heap"
	"sync/atomic"
)

// queue holds the calls that still have pairs in no pass, and decides whose pair is next.
//
// It shares the device fairly, by tokens. Each call has a virtual start time, which belongs
// to its next pair; the call with the earliest start has its turn. Taking a pair moves its
// call's start forward by the pair's tokens, divided by the call's weight. Virtual time is
// that of WF²Q+ (Bennett and Zhang 1997, "Hierarchical packet fair queueing algorithms"):
// it moves forward by the tokens taken, divided by the weights of all waiting calls, and is
// never behind the start of the call that has its turn. A new call starts at the current
// virtual time. So the call that has received least goes first, which finishes small calls
// early; and no call starves, because those that come later start later.
//
// WF²Q+ orders the calls that may start by when they would end. Here they are ordered by
// their start, as in start-time fair queueing (Goyal, Vin and Cheng 1996), because the
// tokens of a pair are known only when it is taken.
//
// One-pair calls, a few a second, on two cores of Zen 4: latency in ms, median and 99th
// percentile, of 121 to 132 calls, so that the latter is nearly the worst. ("Before" is without
// this queue, of 10 to 65 calls.)
//
//	                  alone        beside one call of 100,000 pairs   beside eight
//	float32           15.8, 28.3   11.4, 24.6                         12.0, 22.1
//	before, float32   17.6, 30.3   94, 176                            737, 775
//	int8              5.8, 10.5    3.6, 7.3                           3.5, 9.6
//	before, int8      7.1, 14.5    28, 59                             219, 241
//
// Alone, each call finds sleeping cores and cold caches; calls that follow one another without a
// pause take 9 and 3.3 ms. "minilm-metal bench --mix" and "--overload" measure this on any machine.
//
// The engine's lock guards the queue.
type queue struct {
	// small holds calls that fit into one pass and that a caller waits for; large all
	// others.
	small, large line
	virtual      float64 // in tokens
	weight       float64 // sum over all waiting calls
	pairs        int     // number of waiting pairs
	counted      [2]int  // of them those that count for MaxQueue, at most mostCounted a call: of normal calls, of Background calls
	arrivals     uint64
	average      float64 // tokens in a pair, averaged over those taken lately
	// hurried is the number of waiting small calls. A pass under way reads it without the
	// lock, to see whether it should pause.
	hurried atomic.Int64
}

const (
	// mostCounted is how many pairs of one call are counted for MaxQueue.
	mostCounted = 32
	// backgroundWeight is the weight of a Background call; a normal call has 1.
	backgroundWeight = 1.0 / 16
	// usualTokens is the assumed length of a pair before any was seen.
	usualTokens = 64
)

// place is a call's position in the queue.
type place struct {
	start   float64 // virtual start time of the next pair
	weight  float64
	arrival uint64 // order of arrival, for equal starts
	index   int    // in its line's heap; -1 if it is in none
	small   bool
	waiting int // number of waiting pairs
}

// kind is the call's index in counted: 1 for Background, else 0.
func (p *place) kind() int {
	if p.weight < 1 {
		return 1
	}
	return 0
}

// put adds pairs of a call to the queue. The call may have some in it already.
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

// next returns the call that has its turn among the small calls, the large ones or both;
// nil if none waits.
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

// took removes one pair of c, whose turn it was.
func (q *queue) took(c *call) {
	q.virtual = max(q.virtual, c.start)
	q.count(c, -1)
	if c.waiting == 0 {
		q.leave(c)
	}
}

// charge moves virtual time and c's start by the tokens of a pair that was taken.
func (q *queue) charge(c *call, tokens int) {
	n := float64(tokens)
	q.average += (n - q.average) / 64
	weight := q.weight
	if c.waiting == 0 {
		weight += c.weight // c was waiting when its pair was taken
	}
	q.virtual += n / weight
	c.start += n / c.weight
	if c.waiting > 0 {
		heap.Fix(q.line(c), c.index)
	}
}

// drop removes all waiting pairs of a call.
func (q *queue) drop(c *call) {
	if c.waiting > 0 {
		q.count(c, -c.waiting)
		q.leave(c)
	}
}

// calls returns how many calls wait.
func (q *queue) calls() int { return len(q.small) + len(q.large) }

// tokens estimates how many tokens wait.
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
		q.weight = 0 // not what rounding errors left of the sum
	}
}

// count adds to the number of c's waiting pairs.
func (q *queue) count(c *call, pairs int) {
	counted := &q.counted[c.kind()]
	*counted -= min(c.waiting, mostCounted)
	c.waiting += pairs
	*counted += min(c.waiting, mostCounted)
	q.pairs += pairs
}

// line is a heap of calls, the earliest start first.
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
	if cap(*l) > 1024 && last < cap(*l)/4 { // give back the memory that a burst of calls needed
		*l = append(make(line, 0, cap(*l)/2), *l...)
	}
	return c
}
