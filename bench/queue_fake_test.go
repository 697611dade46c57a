package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

// queued is a fake with a queue: it computes one pair at a time, and each call in turn has
// one computed, first come first served. A call that is cancelled returns at once.
type queued struct {
	*fake
	server     chan struct{}        // has an element while a pair is computed
	each       time.Duration        // a pair
	service    func() time.Duration // a pair's, in place of each; nil: each
	limit      int                  // pairs that may wait; 0: any number
	passes     *passCount
	waiting    int
	background int // calls that were to give way
}

func newQueued(f *fake, each time.Duration) *queued {
	return &queued{fake: f, server: make(chan struct{}, 1), each: each, passes: new(passCount)}
}

// newQueue is a lab whose engine has a queue, and computes a pair in 10 ms.
func newQueue(t *testing.T, pairs int, bound time.Duration) (*lab, *queued) {
	t.Helper()
	l := newLab(t, pairs)
	q := newQueued(l.measured, 10*time.Millisecond)
	l.options.passes, l.options.TimeBound, l.options.Batches = q.passes, bound, nil
	return l, q
}

func (l *lab) runQueued(ctx context.Context, q *queued) (*recording.Recording, error) {
	return run(ctx, l.options, func(device, _ string) (scorer, error) {
		if device == "reference" {
			l.reference.service = nil
			return l.reference, nil
		}
		// A channel belongs to the bubble that it is made in.
		q.server = make(chan struct{}, 1)
		return q, nil
	})
}

func (q *queued) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	if q.fail != nil {
		if err := q.fail(pairs); err != nil {
			return dst, engine.CallStats{}, err
		}
	}
	called, counted := time.Now(), min(len(pairs), countedPairs)
	q.mu.Lock()
	if q.limit > 0 && q.waiting >= q.limit {
		defer q.mu.Unlock()
		return dst, engine.CallStats{}, &engine.OverloadError{Pairs: q.waiting}
	}
	q.waiting += counted
	if strings.Contains(fmt.Sprint(ctx), "backgroundKey") { // the key is the engine's own
		q.background++
	}
	q.mu.Unlock()
	arrived := func() {
		q.mu.Lock()
		q.waiting -= counted
		counted = 0
		q.mu.Unlock()
	}
	defer arrived()
	stats := engine.CallStats{}
	for i, p := range pairs {
		select {
		case q.server <- struct{}{}:
		case <-ctx.Done():
			return dst, stats, context.Cause(ctx)
		}
		if i == 0 {
			arrived()
			stats.Queue = time.Since(called)
		}
		tokens := len(strings.Fields(p.Query)) + len(strings.Fields(p.Passage)) + 3
		ended, each := make(chan struct{}), q.each
		if q.service != nil {
			each = q.service()
		}
		time.AfterFunc(each, func() {
			q.passes.add(engine.PassStats{Pairs: 1, Tokens: tokens})
			<-q.server
			close(ended)
		})
		select {
		case <-ended:
		case <-ctx.Done(): // the pass goes on
			return dst, stats, context.Cause(ctx)
		}
		stats.Tokens += tokens
		dst = append(dst, fakeScore(p))
	}
	stats.Infer = time.Since(called) - stats.Queue
	return dst, stats, nil
}
