package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// Pair is a query and a passage to be scored.
type Pair struct{ Query, Passage string }

// PairError is an error about one pair of a call. The other pairs are scored.
type PairError struct {
	Index int // of the pair in the call
	Err   error
}

func (e *PairError) Error() string { return fmt.Sprintf("pair %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *PairError) Unwrap() error { return e.Err }

// Score scores pairs, appends the scores to dst in the pairs' order, and returns the
// extended slice. The higher the score, the better the passage answers the query; it is the raw
// logit, unless the engine has the option Sigmoid, or the call SigmoidScores.
//
// If the model's output for a pair is not a number, or the pair is too long and may not be
// cut (ErrTooLong), its score is NaN and the error holds a *PairError for it. On any other
// error Score returns dst unchanged. Such errors are the cause of ctx, when it is over
// (Score returns at once); ErrClosed; ErrOverloaded; ErrHardware; ErrModel, if weights can
// no longer be read; and ErrPrompt.
//
// The checkpoint's default prompt, if it has one, is put before each query, as in
// sentence-transformers. [Prompt] and [PromptName] ask for another.
//
// pairs must not change until Score returns. After that, the engine reads and writes
// nothing of the caller's, also after an error.
func (e *Engine) Score(ctx context.Context, dst []float32, pairs []Pair, opts ...CallOption) ([]float32, error) {
	c := e.newCall(&methodScore, opts)
	c.pairs = pairs
	return e.answer(ctx, dst, c)
}

// ScoreTokens is Score for pairs that are tokens already. It neither cuts them nor adds
// special tokens. A token id outside the vocabulary is an error that names it; a sequence
// longer than the model's positions is ErrTooLong. b must not change until ScoreTokens
// returns. Of the options, those about scores and stats apply.
func (e *Engine) ScoreTokens(ctx context.Context, dst []float32, b *model.Batch, opts ...CallOption) ([]float32, error) {
	if b == nil {
		return dst, e.ended(errors.New("engine: nil batch"))
	}
	c := e.newCall(&methodScoreTokens, opts)
	c.tokens = b
	return e.answer(ctx, dst, c)
}

// answer makes a new call, which appends its results to dst. answer and await are kept small, so
// that the stack of a waiting caller need not grow.
func (e *Engine) answer(ctx context.Context, dst []float32, c *call) ([]float32, error) {
	err := e.begin(ctx, dst, c)
	if err == nil && c.count > 0 {
		err = e.await(c)
	}
	return e.conclude(c, dst, err)
}

// begin starts a call that appends to dst, and puts it into the queue.
func (e *Engine) begin(ctx context.Context, dst []float32, c *call) error {
	c.came = time.Now()
	if err := c.prepare(e, ctx); err != nil {
		return err
	}
	c.count = len(c.pairs) + len(c.texts)
	if c.tokens != nil {
		if err := c.tokens.Validate(&e.info.Config); err != nil {
			return err
		}
		c.count = c.tokens.Len()
	}
	c.ctx, c.task = task(ctx, "score")
	c.scores = slices.Grow(dst, c.count*e.width)[:len(dst)+c.count*e.width]
	c.dst, c.left = c.scores[len(dst):], c.count
	if all := c.options.lengths; all != nil {
		*all = slices.Grow(*all, c.count)[:c.count]
		c.lengths = *all
	}
	if c.count == 0 {
		return nil
	}
	return e.submit(c)
}

// conclude ends a call, which may have failed, and returns what answer returns.
func (e *Engine) conclude(c *call, dst []float32, err error) ([]float32, error) {
	stats, lengths := c.options.stats, c.options.lengths
	if c.task != nil {
		c.task.End()
	}
	computed := time.Time{}
	if err == nil {
		scores := c.scores[len(dst):]
		dst, err = c.scores, e.finish(scores, c)
		if stats != nil {
			computed = c.ended
		}
	} else if lengths != nil {
		*lengths = (*lengths)[:0]
	}
	e.reuse(c)
	err = e.ended(err)
	if !computed.IsZero() { // the call's own figure counts to its very end
		stats.Deliver = time.Since(computed)
	}
	return dst, err
}

// Tokenize appends the tokens of pairs to b, truncated as Score truncates them. It does not
// wait for other calls, and works on a closed engine. On an error b is unchanged: a nil
// batch, an unknown prompt (ErrPrompt), or a pair that is too long and may not be cut
// (*PairError). An Embedder takes only the queries, as its texts.
func (e *Engine) Tokenize(b *model.Batch, pairs []Pair, opts ...CallOption) error {
	if b == nil {
		return errors.New("engine: nil batch")
	}
	o := &noOptions // this path allocates nothing
	if len(opts) > 0 {
		o = new(callOptions)
		o.apply(opts)
	}
	var how reading
	if err := how.set(e, &methodTokenize, o); err != nil {
		return err
	}
	how.single = e.options.purpose == embedding
	ids, starts := len(b.IDs), len(b.Start)
	for i, p := range pairs {
		if err := how.append(b, p); err != nil {
			b.IDs, b.Types, b.Start = b.IDs[:ids], b.Types[:ids], b.Start[:starts]
			return &PairError{i, err}
		}
		b.End()
	}
	return nil
}
