package bench

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// crowd is an open loop in which each call has a goroutine of its own. A loop has a fixed
// number of callers, and an arrival that finds all of them busy waits where the engine
// cannot see it. So an engine that refuses calls which it cannot serve would never receive
// them.
type crowd struct {
	loop                 // its callers, pairs, stop and done are not used
	length time.Duration // calls that would arrive later are not made
	most   int           // the most arrivals
}

// answer says how one call ended: with a complete sample, or with an error and the time
// that it took.
type answer struct {
	recording.BatchSample
	err error
}

// outcome says what happened to the calls of a crowd.
type outcome struct {
	offered int      // calls that arrived
	unsent  int      // of these, how many were not made because recording.MostUnderWay were under way
	answers []answer // to the others, in the order in which they ended
}

// run makes the calls and waits for all of them. The error is ctx's.
func (c *crowd) run(ctx context.Context) (o outcome, err error) {
	var (
		mu       sync.Mutex
		wg       sync.WaitGroup
		underWay int
		begun    = time.Now()
	)
	for i := range c.most {
		due := c.arrivals.next()
		if due >= c.length || !sleepUntil(ctx, begun.Add(due)) {
			break
		}
		o.offered++
		mu.Lock()
		full := underWay == recording.MostUnderWay
		if !full {
			underWay++
		}
		mu.Unlock()
		if full {
			o.unsent++
			continue
		}
		wg.Go(func() {
			sample, err := c.call(ctx, begun, start{i, begun.Add(due)}, new(callMemory))
			mu.Lock()
			defer mu.Unlock()
			underWay--
			o.answers = append(o.answers, answer{sample, err})
		})
	}
	wg.Wait()
	slices.SortStableFunc(o.answers, func(a, b answer) int {
		return cmp.Compare(a.Start+a.Latency, b.Start+b.Latency)
	})
	return o, context.Cause(ctx)
}
