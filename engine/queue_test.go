package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// waiting returns a call that is nowhere yet.
func waiting(weight float64, small bool) *call {
	return &call{place: place{weight: weight, small: small, index: -1}}
}

// takePair lets the call that has its turn have a pair of some tokens taken.
func takePair(q *queue, tokens func(*call) int) *call {
	c := q.next(true, true)
	if c != nil {
		q.took(c)
		q.charge(c, tokens(c))
	}
	return c
}

// Calls share by tokens, not by pairs, and by their weights.
func TestQueueIsFair(t *testing.T) {
	var q queue
	lengths, weights := []int{10, 500, 87, 87}, []float64{1, 1, 1, backgroundWeight}
	had, of := make([]int, len(lengths)), map[*call]int{}
	for i, w := range weights {
		c := waiting(w, false)
		of[c] = i
		q.put(c, 1e6)
	}
	for range 20000 {
		c := takePair(&q, func(c *call) int { return lengths[of[c]] })
		had[of[c]] += lengths[of[c]]
		for i := range had {
			for j := range had {
				// Never further apart than a pair of each.
				if apart := float64(had[i])/weights[i] - float64(had[j])/weights[j]; apart > float64(lengths[i])/weights[i]+float64(lengths[j])/weights[j] {
					t.Fatalf("calls had %v tokens", had)
				}
			}
		}
	}
}

// Whoever comes waits for no more than a longest pair of each of the others.
func TestQueueNewcomersGoFirst(t *testing.T) {
	var q queue
	for range 8 {
		q.put(waiting(1, false), 1e5)
	}
	const longest = 500
	r := rand.New(rand.NewPCG(1, 1))
	ahead := 0
	tokens := func(*call) int {
		n := 1 + r.IntN(longest)
		ahead += n
		return n
	}
	for range 1000 {
		for range r.IntN(50) {
			takePair(&q, tokens)
		}
		small := waiting(1, true)
		q.put(small, 1)
		for ahead = 0; takePair(&q, tokens) != small; {
		}
		if ahead > (8+1)*longest {
			t.Fatalf("%d tokens went before a call of one pair, and with it", ahead)
		}
	}
}

// Small calls without end do not starve a large one: it has its share beside those that
// wait with it.
func TestQueueStarvesNobody(t *testing.T) {
	for _, callers := range []int{1, 8, 100} {
		for _, weight := range []float64{1, backgroundWeight} {
			var q queue
			large := waiting(weight, false)
			q.put(large, 1e6)
			all, its := 0, 0
			for range callers {
				q.put(waiting(1, true), 1)
			}
			for range 100000 {
				c := takePair(&q, func(*call) int { return 87 })
				all++
				if c == large {
					its++
				} else {
					q.put(waiting(1, true), 1) // his next
				}
			}
			if share, want := float64(its)/float64(all), weight/(float64(callers)+weight); share < want/2 || share > want*2 {
				t.Errorf("%d callers, weight %g: the large call has %.4f of all, its share is %.4f", callers, weight, share, want)
			}
		}
	}
}

// Whatever is put, taken and dropped, the queue's sums are those of what waits, every pair
// is taken once, and an empty queue is as a new one.
func TestQueueKeepsItsBooks(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var q queue
		all, left := []*call{}, map[*call]int{}
		check := func() {
			pairs, counted, weight := 0, [2]int{}, 0.0
			for c, n := range left {
				if c.waiting != n {
					t.Fatalf("a call has %d pairs that wait, want %d", c.waiting, n)
				}
				if n > 0 {
					pairs, weight = pairs+n, weight+c.weight
					counted[c.kind()] += min(n, mostCounted)
				}
				if in := c.index >= 0; in != (n > 0) || in && (*q.line(c))[c.index] != c {
					t.Fatalf("a call of %d pairs is at place %d", n, c.index)
				}
			}
			if q.pairs != pairs || q.counted != counted || math.Abs(q.weight-weight) > 1e-9 || int(q.hurried.Load()) != len(q.small) {
				t.Fatalf("%d pairs, %d counted, weight %g, %d hurried: want %d, %d, %g, %d", q.pairs, q.counted, q.weight, q.hurried.Load(), pairs, counted, weight, len(q.small))
			}
			for _, l := range []line{q.small, q.large} {
				for i := range l {
					if i > 0 && before(l[i], l[(i-1)/2]) {
						t.Fatal("a heap is out of order")
					}
				}
			}
		}
		for range 2000 {
			switch r.IntN(5) {
			case 0:
				c := waiting([]float64{1, backgroundWeight}[r.IntN(2)], r.IntN(2) == 0)
				all = append(all, c)
				left[c] = r.IntN(100)
				q.put(c, left[c])
			case 1:
				if len(all) > 0 { // a stream's next
					c := all[r.IntN(len(all))]
					left[c]++
					q.put(c, 1)
				}
			case 2:
				if len(all) > 0 {
					c := all[r.IntN(len(all))]
					left[c] = 0
					q.drop(c)
				}
			default:
				small := r.IntN(2) == 0
				if c := q.next(true, !small); c != nil {
					earliest := slices.MinFunc(append(slices.Clone(q.small), q.large...), func(a, b *call) int {
						if before(a, b) {
							return -1
						}
						return 1
					})
					if !small && c != earliest {
						t.Fatal("somebody else had his turn")
					}
					left[c]--
					q.took(c)
					if r.IntN(4) > 0 { // another runner may take before this one has charged
						q.charge(c, 1+r.IntN(500))
					}
				}
			}
			check()
		}
		for c := range left {
			q.drop(c)
			left[c] = 0
		}
		check()
		if q.weight != 0 || q.next(true, true) != nil {
			t.Fatalf("an empty queue has weight %g", q.weight)
		}
	}
}

// The memory of a burst goes with it.
func TestQueueShrinks(t *testing.T) {
	var q queue
	for range 100000 {
		q.put(waiting(1, true), 1)
	}
	for takePair(&q, func(*call) int { return 9 }) != nil {
	}
	if n := cap(q.small); n > 2048 {
		t.Errorf("room for %d calls is left", n)
	}
}
