package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// crowd is an open loop. Calls arrive at times that were fixed before the first of them,
// however busy the engine is, and each has a goroutine of its own, so that it reaches the
// engine when it is due. Latency counts from the time when the call was due and not from
// when it was made, which would forgive the engine exactly when it is slow.
type crowd struct {
	loop                   // its callers and stop are not used
	due    []time.Duration // when calls arrive, since the start
	most   int             // largest number under way at once; 0: recording.MostUnderWay
	waits  bool            // a call beyond most waits until another ends, and is late; if not set, it is not made
	strict bool            // the first error ends the whole crowd
	until  time.Duration   // time since the start at which calls still under way are given up; 0: never
}

// errUnfinished is the error of a call that was given up.
var errUnfinished = errors.New("unfinished")

// answer is how one call ended: with a complete sample, or with an error and the time that
// it took.
type answer struct {
	recording.BatchSample
	err error
}

// outcome says what happened to the calls of a crowd.
type outcome struct {
	offered int      // calls that arrived
	unsent  int      // calls among them that were not made because too many were under way
	waited  int      // calls among them that were made late for that reason
	answers []answer // to all calls that were made, in the order in which they ended
}

// samples returns the samples of the calls that were scored.
func (o *outcome) samples() (list []recording.BatchSample) {
	for _, a := range o.answers {
		if a.err == nil {
			list = append(list, a.BatchSample)
		}
	}
	return list
}

// run makes the calls and waits for all of them. Its error is that of ctx, or, if the crowd
// is strict, the first error of a call.
func (c *crowd) run(ctx context.Context) (o outcome, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		idle   []*callMemory
		places = make(chan struct{}, cmp.Or(c.most, recording.MostUnderWay))
		begun  = time.Now()
		calls  = ctx
	)
	if c.until > 0 {
		given, stop := context.WithDeadlineCause(ctx, begun.Add(c.until), errUnfinished)
		defer stop()
		calls = given
	}
	memory := func() *callMemory {
		mu.Lock()
		defer mu.Unlock()
		if last := len(idle) - 1; last >= 0 {
			m := idle[last]
			idle = idle[:last]
			return m
		}
		return new(callMemory)
	}
	call := func(s start) {
		m := memory()
		sample, err := c.call(calls, begun, s, m)
		<-places
		mu.Lock()
		defer mu.Unlock()
		idle = append(idle, m)
		o.answers = append(o.answers, answer{sample, err})
		switch {
		case err != nil && calls.Err() == nil && c.missed != nil && c.missed(sample, err):
		case err != nil && c.strict:
			cancel(fmt.Errorf("bench: batch=%d, open loop: batch %d: %w", c.batch, s.batch, err))
		case err == nil && c.done != nil:
			c.done(sample)
		}
	}
	for i, due := range c.due {
		if !sleepUntil(ctx, begun.Add(due)) {
			break
		}
		o.offered++
		select {
		case places <- struct{}{}:
		default:
			if !c.waits {
				o.unsent++
				continue
			}
			o.waited++
			select {
			case places <- struct{}{}:
			case <-calls.Done():
				mu.Lock()
				late := time.Since(begun.Add(due))
				o.answers = append(o.answers, answer{recording.BatchSample{Start: due, Latency: late, Queue: late, Late: late, Pairs: c.batch}, context.Cause(calls)})
				mu.Unlock()
				continue
			}
		}
		wg.Go(func() { call(start{i, begun.Add(due)}) })
	}
	wg.Wait()
	slices.SortStableFunc(o.answers, func(a, b answer) int {
		return cmp.Compare(a.Start+a.Latency, b.Start+b.Latency)
	})
	return o, context.Cause(ctx)
}
