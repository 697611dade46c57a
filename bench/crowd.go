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
func (c *crowd) run(ctx context.Context) (outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &assembly{crowd: c, begun: time.Now(), calls: ctx, cancel: cancel, places: make(chan struct{}, cmp.Or(c.most, recording.MostUnderWay))}
	if c.until > 0 {
		given, stop := context.WithDeadlineCause(ctx, a.begun.Add(c.until), errUnfinished)
		defer stop()
		a.calls = given
	}
	for i, due := range c.due {
		if !sleepUntil(ctx, a.begun.Add(due)) {
			break
		}
		a.offered++
		if a.place(due) {
			a.wg.Go(func() { a.call(start{i, a.begun.Add(due)}) })
		}
	}
	a.wg.Wait()
	slices.SortStableFunc(a.answers, func(a, b answer) int {
		return cmp.Compare(a.Start+a.Latency, b.Start+b.Latency)
	})
	return a.outcome, context.Cause(ctx)
}

// assembly is a crowd that is under way. Its answers and what is idle are for who holds mu;
// the rest of the outcome is run's.
type assembly struct {
	*crowd
	outcome
	begun  time.Time
	calls  context.Context // of the calls, which ends before run's if they are given up
	cancel context.CancelCauseFunc
	places chan struct{} // as many as calls under way
	wg     sync.WaitGroup

	mu   sync.Mutex
	idle []*callMemory
}

// place finds a place for the call that was due, or counts it as one that has none.
func (a *assembly) place(due time.Duration) bool {
	select {
	case a.places <- struct{}{}:
		return true
	default:
	}
	if !a.waits {
		a.unsent++
		return false
	}
	a.waited++
	select {
	case a.places <- struct{}{}:
		return true
	case <-a.calls.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	late := time.Since(a.begun.Add(due))
	a.answers = append(a.answers, answer{recording.BatchSample{Start: due, Latency: late, Queue: late, Late: late, Pairs: a.batch}, context.Cause(a.calls)})
	return false
}

// call makes a call that has a place, which it gives back.
func (a *assembly) call(s start) {
	m := a.memory()
	sample, err := a.crowd.call(a.calls, a.begun, s, m)
	<-a.places
	a.mu.Lock()
	defer a.mu.Unlock()
	a.idle = append(a.idle, m)
	a.answers = append(a.answers, answer{sample, err})
	switch {
	case err != nil && a.calls.Err() == nil && a.crowd.missed != nil && a.crowd.missed(sample, err):
	case err != nil && a.strict:
		a.cancel(fmt.Errorf("bench: batch=%d, open loop: batch %d: %w", a.batch, s.batch, err))
	case err == nil && a.done != nil:
		a.done(sample)
	}
}

// memory is what an earlier call has left, or new.
func (a *assembly) memory() *callMemory {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := len(a.idle) - 1; last >= 0 {
		m := a.idle[last]
		a.idle = a.idle[:last]
		return m
	}
	return new(callMemory)
}
