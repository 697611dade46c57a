package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// Pair is what gets a score.
type Pair struct{ Query, Passage string }

// PairError is an error about one pair of a call. The other pairs have their
// scores.
type PairError struct {
	Index int // of the pair in the call
	Err   error
}

func (e *PairError) Error() string { return fmt.Sprintf("pair %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *PairError) Unwrap() error { return e.Err }

// Score appends the pairs' scores, logits unless the engine has Sigmoid, to dst, in their
// order, and returns the extended slice. Where the model gives some pair a score that is
// not a number, or a pair is too long and not to be cut (ErrTooLong), its score is NaN and
// the error holds a *PairError for it. On any other error dst comes back as it was: the
// cause of ctx, which returns at once when it is over; ErrClosed; ErrOverloaded;
// ErrHardware; ErrModel, where weights cannot be read; or ErrPrompt.
//
// The default prompt of the checkpoint, if it has one, is put before each query, as in
// sentence-transformers; [Prompt] and [PromptName] ask for another one.
//
// pairs must not change until Score returns. Afterwards nothing of the caller's is read
// or written any more, however it returned.
func (e *Engine) Score(ctx context.Context, dst []float32, pairs []Pair, opts ...CallOption) ([]float32, error) {
	return e.score(ctx, dst, pairs, nil, opts, nil)
}

// ScoreStats is Score, and says what the call cost, as far as it returns scores.
func (e *Engine) ScoreStats(ctx context.Context, dst []float32, pairs []Pair, opts ...CallOption) ([]float32, CallStats, error) {
	var stats CallStats
	dst, err := e.score(ctx, dst, pairs, nil, opts, &stats)
	return dst, stats, err
}

// ScoreTokens is Score for pairs that are tokens already, and are taken as they are. Tokens
// that the model has not got are an error that names the first, and sequences beyond its
// positions ErrTooLong. The batch must not change until it returns.
func (e *Engine) ScoreTokens(ctx context.Context, dst []float32, b *model.Batch) ([]float32, error) {
	if b == nil {
		return dst, e.ended(errors.New("engine: nil batch"))
	}
	if err := b.Validate(&e.info.Config); err != nil {
		return dst, e.ended(err)
	}
	return e.score(ctx, dst, nil, b, nil, nil)
}

// score has pairs or, where they are not nil, tokens scored; stats may be nil. It and
// await have small frames, so that the stack of a caller who waits need not grow.
func (e *Engine) score(ctx context.Context, dst []float32, pairs []Pair, tokens *model.Batch, opts []CallOption, stats *CallStats) ([]float32, error) {
	c, err := e.begin(ctx, dst, pairs, tokens, opts)
	if err == nil && c.count > 0 {
		err = e.await(c)
	}
	return e.conclude(c, dst, err, stats)
}

// begin begins a call that appends to dst, and puts it into the queue.
func (e *Engine) begin(ctx context.Context, dst []float32, pairs []Pair, tokens *model.Batch, opts []CallOption) (*call, error) {
	came := time.Now()
	prompt, err := e.prompts.of(opts)
	if err != nil {
		return nil, err
	}
	c, err := e.newCall(ctx)
	if err != nil {
		return nil, err
	}
	c.came = came
	c.pairs, c.prompt, c.tokens, c.count = pairs, prompt, tokens, len(pairs)
	if tokens != nil {
		c.count = tokens.Len()
	}
	c.ctx, c.task = task(ctx, "score")
	c.scores = slices.Grow(dst, c.count)[:len(dst)+c.count]
	c.dst, c.left = c.scores[len(dst):], c.count
	if c.count == 0 {
		return c, nil
	}
	return c, e.submit(c)
}

// conclude ends what begin began, as far as it came, and returns what score does.
func (e *Engine) conclude(c *call, dst []float32, err error, stats *CallStats) ([]float32, error) {
	if c == nil {
		return dst, e.ended(err)
	}
	if c.task != nil {
		c.task.End()
	}
	if err == nil {
		scores := c.scores[len(dst):]
		dst, err = c.scores, e.finish(scores, c.bad)
		if stats != nil {
			*stats = c.stats
		}
	}
	e.reuse(c)
	return dst, e.ended(err)
}

// Tokenize appends the pairs' tokens, truncated as Score would, to b. It waits for
// nobody, and works on a closed engine too. A nil batch is an error, and so is a pair that
// is too long and not to be cut: a *PairError then, and b is as it was. So is a prompt that
// there is none of, ErrPrompt.
func (e *Engine) Tokenize(b *model.Batch, pairs []Pair, opts ...CallOption) error {
	if b == nil {
		return errors.New("engine: nil batch")
	}
	prompt, err := e.prompts.of(opts)
	if err != nil {
		return err
	}
	ids, starts := len(b.IDs), len(b.Start)
	for i, p := range pairs {
		var err error
		if b.IDs, b.Types, err = e.tokenizer.AppendPair(b.IDs, b.Types, prompt+p.Query, p.Passage); err != nil {
			b.IDs, b.Types, b.Start = b.IDs[:ids], b.Types[:ids], b.Start[:starts]
			return &PairError{i, tooLong{err}}
		}
		b.End()
	}
	return nil
}

// tooLong is the tokenizer's error about a pair that has too many tokens.
type tooLong struct{ error }

func (e tooLong) Error() string { return plain(e.error.Error()) }

func (e tooLong) Is(target error) bool { return target == ErrTooLong }

func (e tooLong) Unwrap() error { return e.error }

// finish turns logits into scores and reports those that are not numbers, and the bad
// pairs, which have none.
func (e *Engine) finish(scores []float32, bad map[int]error) error {
	var errs []error
	for i, logit := range scores {
		err := bad[i]
		if err != nil {
			scores[i] = float32(math.NaN())
		} else {
			scores[i], err = e.scoreOf(logit)
		}
		if err != nil {
			errs = append(errs, &PairError{i, err})
		}
	}
	return errors.Join(errs...)
}

// scoreOf turns a logit into the score, NaN where it is not a number.
func (e *Engine) scoreOf(logit float32) (float32, error) {
	v := float64(logit)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return float32(math.NaN()), modelErrorf("the score is %v", logit)
	case e.options.sigmoid:
		return float32(1 / (1 + math.Exp(-v))), nil
	}
	return logit, nil
}
