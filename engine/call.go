package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"runtime/trace"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// call is one call's batches on their way, and memory that later calls reuse: a
// call like the ones before allocates nothing.
type call struct {
	e      *Engine
	text   model.Batch // tokens of the call's own pairs
	shards []*shard
	ctx    context.Context
	wg     sync.WaitGroup

	mu    sync.Mutex
	first error
	took  model.PassTime // all passes together
}

// shard is a part of a batch that one pass scores. Its functions are made once.
type shard struct {
	call   *call
	batch  model.Batch
	scores []float32
	run    func()
	pass   func() error
}

func (e *Engine) newCall() *call {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.idle); n > 0 {
		c := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return c
	}
	return &call{e: e}
}

// free gives the call's memory back.
func (c *call) free() {
	c.text.Reset()
	c.ctx, c.first = nil, nil
	for _, s := range c.shards { // what is the caller's is not kept alive
		s.scores, s.batch.IDs, s.batch.Types = nil, nil, nil
	}
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	c.e.idle = append(c.e.idle, c)
}

// roundTokens is the budget of all passes together.
func (e *Engine) roundTokens() int { return e.mostTokens * e.device.Passes() }

// batchTokens is how many tokens make a batch full. There is a wait for the last
// shard at the end of each, so that a few rounds are better than one.
func (e *Engine) batchTokens() int { return 4 * e.roundTokens() }

// score appends the logits of b's sequences to dst: it cuts b into shards and
// gives each a pass of its own as passes become free.
func (c *call) score(ctx context.Context, dst []float32, b *model.Batch, stats *CallStats) ([]float32, error) {
	if b.Len() == 0 {
		return dst, ctx.Err()
	}
	e, n := c.e, len(dst)
	dst = slices.Grow(dst, b.Len())[:n+b.Len()]
	c.ctx, c.first, c.took = ctx, nil, model.PassTime{}
	queued := time.Now()
	begun, count := queued, e.shardCount(b)
	for i, lo := 0, 0; i < count && lo < b.Len(); i++ {
		hi := cut(b, lo, i, count)
		region := trace.StartRegion(ctx, "queue")
		err := e.acquire(ctx)
		region.End()
		if err != nil {
			c.fail(err)
			break
		}
		if i == 0 {
			begun = time.Now()
		}
		s := c.shard(i)
		b.Slice(&s.batch, lo, hi)
		s.scores = dst[n+lo : n+hi]
		c.wg.Add(1)
		go s.run()
		lo = hi
	}
	c.wg.Wait()
	if c.first != nil {
		return dst[:n], c.first
	}
	stats.Pairs, stats.Tokens, stats.Padded = b.Len(), b.Tokens(), b.Len()*b.Longest()
	stats.Queue, stats.Infer = begun.Sub(queued), time.Since(begun)
	stats.GPU, stats.GPUWait = c.took.Busy, c.took.Wait
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		stats.FLOPs += e.info.Config.FLOPs(hi - lo)
	}
	stats.Passes = 1
	e.mu.Lock()
	e.stats.Passes++
	e.stats.Total.add(*stats)
	e.mu.Unlock()
	e.options.observe(PassStats{Calls: 1, Pairs: stats.Pairs, Tokens: stats.Tokens, Padded: stats.Padded, FLOPs: stats.FLOPs, Tokenize: stats.Tokenize, Infer: stats.Infer})
	return dst, nil
}

// fail keeps the first error.
func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = err
	}
}

// shard returns the i-th shard's memory.
func (c *call) shard(i int) *shard {
	if i == len(c.shards) {
		s := &shard{call: c}
		s.pass = func() error {
			took, err := c.e.timed(&s.batch, s.scores)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.took.Busy += took.Busy
			c.took.Wait += took.Wait
			return err
		}
		s.run = func() {
			defer c.wg.Done()
			defer func() { <-c.e.slots }()
			defer c.e.forward.begin(c.ctx).End()
			if err := c.e.guarded(s.pass); err != nil {
				c.fail(err)
			}
		}
		c.shards = append(c.shards, s)
	}
	return c.shards[i]
}

// shardCount returns how many shards b makes: as many for each pass, so that they
// end together, and as many as the budget asks for, but none that is too small to be
// worth a pass.
func (e *Engine) shardCount(b *model.Batch) int {
	passes, round := e.device.Passes(), e.roundTokens()
	count := passes * max(1, (b.Tokens()+round-1)/round)
	return min(count, max(1, b.Tokens()/e.fewestTokens))
}

// cut returns where the i-th of count shards ends, which begins at sequence lo.
// They are equal in tokens as far as whole sequences allow.
func cut(b *model.Batch, lo, i, count int) int {
	if i == count-1 {
		return b.Len()
	}
	// The sequence in the middle of which the part ends goes to the side where
	// more of it lies.
	end := int32(b.Tokens() * (i + 1) / count)
	hi := lo + 1
	for hi < b.Len() && b.Start[hi]+(b.Start[hi+1]-b.Start[hi])/2 < end {
		hi++
	}
	return hi
}

// acquire waits for a free pass.
func (e *Engine) acquire(ctx context.Context) error {
	// Where both could go on, being cancelled comes first.
	select {
	case <-e.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
	}
	select {
	case <-e.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	case e.slots <- struct{}{}:
		return nil
	}
}

// guarded runs a pass. A panic below becomes an error: the caller's program is not
// ours to end.
func (e *Engine) guarded(pass func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e.options.logger.Error("panic in a pass", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("engine: internal error: %v", r)
		}
	}()
	switch err = e.weights.Guard(pass); {
	case err == nil:
		return nil
	case errors.Is(err, model.ErrHardware):
		return fmt.Errorf("%w: %w", ErrHardware, err)
	default:
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
}

// timed scores a batch, and says what it cost where the device knows.
func (e *Engine) timed(b *model.Batch, scores []float32) (took model.PassTime, err error) {
	p, err := e.device.Begin(b)
	if err != nil {
		return took, err
	}
	defer p.End()
	if err := model.Forward(p, e.info.Config.Layers, scores); err != nil {
		return took, err
	}
	if timed, ok := p.(model.TimedPass); ok {
		took = timed.PassTime()
	}
	return took, nil
}
