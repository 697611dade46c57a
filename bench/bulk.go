package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

// passCount adds up what the passes of an engine computed. A call of a hundred thousand
// pairs tells nothing until it ends, which it does not in the time of a load.
type passCount struct{ pairs, tokens atomic.Int64 }

func (c *passCount) add(s engine.PassStats) {
	c.pairs.Add(int64(s.Pairs))
	c.tokens.Add(int64(s.Tokens))
}

// amount is some pairs and their tokens.
type amount struct{ pairs, tokens int64 }

func (c *passCount) amount() amount { return amount{c.pairs.Load(), c.tokens.Load()} }

// less is a less b, and nothing less than nothing.
func (a amount) less(b amount) amount {
	return amount{max(0, a.pairs-b.pairs), max(0, a.tokens-b.tokens)}
}

// amountOf is what the batches had.
func amountOf(list []recording.BatchSample) (a amount) {
	for _, b := range list {
		a.pairs += int64(b.Pairs)
		a.tokens += int64(b.Tokens)
	}
	return a
}

// bulk is callers that always have more to score than there is time for.
type bulk struct {
	engine     scorer
	background bool
	text       [][]engine.Pair // of each caller
}

// newBulk makes the callers' text, each from a place of its own in the workload.
func newBulk(e scorer, work *workload, o *MixOptions) *bulk {
	b := &bulk{engine: e, background: o.Background}
	for i := range o.BulkCallers {
		from := i * len(work.pairs) / o.BulkCallers
		pairs, _, _ := work.batch(make([]engine.Pair, 0, o.BulkPairs), from, from+o.BulkPairs)
		b.text = append(b.text, pairs)
	}
	return b
}

var errBulkOver = errors.New("bench: the bulk is over")

// start has the callers make one call after the other, until stop is called, which cancels
// those under way and waits for them. The context that it returns is over too when one of
// them fails: what is measured beside a bulk that is not there says nothing.
func (b *bulk) start(ctx context.Context) (_ context.Context, stop func() error) {
	ctx, cancel := context.WithCancelCause(ctx)
	calls := ctx
	if b.background {
		calls = engine.Background(ctx)
	}
	var wg sync.WaitGroup
	for i, pairs := range b.text {
		wg.Go(func() {
			var scores []float32
			var err error
			for ctx.Err() == nil {
				scores, _, err = b.engine.ScoreStats(calls, scores[:0], pairs)
				if err == nil && len(scores) != len(pairs) {
					err = fmt.Errorf("%d scores for %d pairs", len(scores), len(pairs))
				}
				if err != nil { // which is no news if ctx was cancelled
					cancel(fmt.Errorf("bench: bulk caller %d: %w", i, err))
				}
			}
		})
	}
	return ctx, func() error {
		cancel(errBulkOver)
		wg.Wait()
		if err := context.Cause(ctx); err != errBulkOver {
			return err
		}
		return nil
	}
}
