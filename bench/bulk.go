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

// passCount adds up what the engine's passes have computed. This is needed because a call
// of a hundred thousand pairs reports nothing before it ends, and it does not end during a
// load.
type passCount struct{ pairs, tokens atomic.Int64 }

func (c *passCount) add(s engine.PassStats) {
	c.pairs.Add(int64(s.Pairs))
	c.tokens.Add(int64(s.Tokens))
}

// amount is a number of pairs, and of their tokens.
type amount struct{ pairs, tokens int64 }

func (c *passCount) amount() amount { return amount{c.pairs.Load(), c.tokens.Load()} }

// less returns a minus b, but not less than 0.
func (a amount) less(b amount) amount {
	return amount{max(0, a.pairs-b.pairs), max(0, a.tokens-b.tokens)}
}

// amountOf adds up the pairs and tokens of batches.
func amountOf(list []recording.BatchSample) (a amount) {
	for _, b := range list {
		a.pairs += int64(b.Pairs)
		a.tokens += int64(b.Tokens)
	}
	return a
}

// bulk is a group of callers that always have more to score than there is time for.
type bulk struct {
	engine     scorer
	background bool
	text       [][]engine.Pair // for each caller
}

// newBulk makes the callers' text. Each begins at another place in the workload.
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

// start makes the callers call one after the other, until stop is called, which cancels the
// calls under way and waits for them. The returned context is also over if one of the
// callers fails, because measurements beside a bulk that is missing would mean nothing.
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
				if err == nil {
					err = checkValues(b.engine, len(scores), len(pairs))
				}
				if err != nil { // an error is expected if ctx was cancelled
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
