package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// Pair is what gets a score.
type Pair struct{ Query, Passage string }

// Result is one passage of Rank.
type Result struct {
	Index int // of the passage, in the slice that Rank was given
	Score float32
}

// PairError is an error about one pair of a call. The other pairs have their
// scores.
type PairError struct {
	Index int // of the pair in the call
	Err   error
}

func (e *PairError) Error() string { return fmt.Sprintf("pair %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *PairError) Unwrap() error { return e.Err }

// Score appends the pairs' scores to dst, in their order, and returns the
// extended slice. Where the model gives some pair a score that is not a
// number, that score is NaN and the error holds a *PairError for it; on any
// other error dst comes back as it was.
func (e *Engine) Score(ctx context.Context, dst []float32, pairs []Pair) ([]float32, error) {
	dst, _, err := e.ScoreStats(ctx, dst, pairs)
	return dst, err
}

// ScoreStats is Score, and says what the call cost, its batches together.
func (e *Engine) ScoreStats(ctx context.Context, dst []float32, pairs []Pair) (_ []float32, total BatchStats, err error) {
	if err := e.enter(); err != nil {
		return dst, total, err
	}
	defer func() { e.leave(err) }()
	ctx, ended := task(ctx, "score")
	defer ended()
	scores := slices.Grow(dst, len(pairs))
	batch := batches.Get().(*model.Batch)
	defer batches.Put(batch)
	for next := 0; next < len(pairs); {
		batch.Reset()
		begun := time.Now()
		region := e.tokenizing.begin(ctx)
		for next < len(pairs) && batch.Tokens() < e.batchTokens() {
			e.Tokenize(batch, pairs[next:next+1])
			next++
		}
		region.End()
		pprof.SetGoroutineLabels(ctx)
		stats := BatchStats{Tokenize: time.Since(begun)}
		scores, err = e.scoreBatch(ctx, scores, batch, &stats)
		if err != nil {
			return dst, total, err
		}
		total.add(stats)
	}
	return scores, total, e.finish(scores[len(dst):])
}

// ScoreTokens is Score for pairs that are tokens already.
func (e *Engine) ScoreTokens(ctx context.Context, dst []float32, b *model.Batch) (_ []float32, err error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	defer func() { e.leave(err) }()
	if err := b.Validate(&e.info.Config); err != nil {
		return dst, err
	}
	ctx, ended := task(ctx, "score")
	defer ended()
	scores, err := e.scoreBatch(ctx, dst, b, &BatchStats{})
	if err != nil {
		return dst, err
	}
	return scores, e.finish(scores[len(dst):])
}

// Tokenize appends the pairs, truncated as Score would, to b.
func (e *Engine) Tokenize(b *model.Batch, pairs []Pair) {
	for _, p := range pairs {
		b.IDs, b.Types = e.tokenizer.AppendPair(b.IDs, b.Types, p.Query, p.Passage)
		b.End()
	}
}

// RankOption sets one thing about a call of Rank.
type RankOption func(*rankOptions)

type rankOptions struct{ topK int }

// TopK keeps the k best passages; k < 1 keeps all.
func TopK(k int) RankOption { return func(o *rankOptions) { o.topK = k } }

// Rank scores every passage against query and returns them best first.
// Passages with equal scores keep their order; those whose score is not a
// number come last, and the error says which they are, as in Score.
func (e *Engine) Rank(ctx context.Context, query string, passages []string, opts ...RankOption) ([]Result, error) {
	var o rankOptions
	for _, opt := range opts {
		opt(&o)
	}
	pairs := make([]Pair, len(passages))
	for i, passage := range passages {
		pairs[i] = Pair{query, passage}
	}
	scores, err := e.Score(ctx, make([]float32, 0, len(pairs)), pairs)
	results := make([]Result, len(scores))
	for i, score := range scores {
		results[i] = Result{i, score}
	}
	// cmp.Compare puts NaN below every number.
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(b.Score, a.Score) })
	if o.topK > 0 && o.topK < len(results) {
		results = results[:o.topK]
	}
	return results, err
}

// batches is memory for tokens, between calls.
var batches = sync.Pool{New: func() any { return new(model.Batch) }}

// batchTokens is how many tokens make a batch full: a budget for each pass.
func (e *Engine) batchTokens() int { return e.options.tokenBudget * e.device.Passes() }

// scoreBatch appends the logits of b's sequences to dst: it cuts b into shards
// and gives each a pass of its own as passes become free.
func (e *Engine) scoreBatch(ctx context.Context, dst []float32, b *model.Batch, stats *BatchStats) ([]float32, error) {
	if b.Len() == 0 {
		return dst, ctx.Err()
	}
	n := len(dst)
	dst = slices.Grow(dst, b.Len())[:n+b.Len()]
	queued := time.Now()
	var (
		begun time.Time
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = err
		}
	}
	for lo, hi := range e.shards(b) {
		region := trace.StartRegion(ctx, "queue")
		err := e.acquire(ctx)
		region.End()
		if err != nil {
			fail(err)
			break
		}
		if begun.IsZero() {
			begun = time.Now()
		}
		wg.Go(func() {
			defer func() { <-e.slots }()
			defer e.forward.begin(ctx).End()
			var shard model.Batch
			b.Slice(&shard, lo, hi)
			if err := e.pass(&shard, dst[n+lo:n+hi]); err != nil {
				fail(err)
			}
		})
	}
	wg.Wait()
	if first != nil {
		return dst[:n], first
	}
	stats.Pairs, stats.Tokens, stats.Padded = b.Len(), b.Tokens(), b.Len()*b.Longest()
	stats.Queue, stats.Infer = begun.Sub(queued), time.Since(begun)
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		stats.FLOPs += e.info.Config.FLOPs(hi - lo)
	}
	e.mu.Lock()
	e.stats.Batches++
	e.stats.Total.add(*stats)
	e.mu.Unlock()
	e.options.observe(*stats)
	return dst, nil
}

// shards yields ranges of sequences, equal in tokens as far as whole sequences
// allow: at least one for each pass, and as many more as the budget asks for.
func (e *Engine) shards(b *model.Batch) func(yield func(lo, hi int) bool) {
	budget := e.options.tokenBudget
	count := max(e.device.Passes(), (b.Tokens()+budget-1)/budget)
	return func(yield func(lo, hi int) bool) {
		lo := 0
		for i := 1; i <= count && lo < b.Len(); i++ {
			// The sequence in the middle of which the i-th part ends goes to
			// the side where more of it lies.
			end := int32(b.Tokens() * i / count)
			hi := lo + 1
			for hi < b.Len() && b.Start[hi]+(b.Start[hi+1]-b.Start[hi])/2 < end {
				hi++
			}
			if i == count {
				hi = b.Len()
			}
			if !yield(lo, hi) {
				return
			}
			lo = hi
		}
	}
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

// pass scores one shard. A panic below becomes an error: the caller's program
// is not ours to end.
func (e *Engine) pass(shard *model.Batch, scores []float32) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e.options.logger.Error("panic in a pass", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("engine: internal error: %v", r)
		}
	}()
	err = e.weights.Guard(func() error { return model.Score(e.device, &e.info.Config, shard, scores) })
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	return nil
}

// finish turns logits into scores and reports those that are not numbers.
func (e *Engine) finish(scores []float32) error {
	var errs []error
	for i, x := range scores {
		if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
			scores[i] = float32(math.NaN())
			errs = append(errs, &PairError{i, fmt.Errorf("%w: the score is %v", ErrModel, x)})
		} else if e.options.sigmoid {
			scores[i] = float32(1 / (1 + math.Exp(-v)))
		}
	}
	return errors.Join(errs...)
}
