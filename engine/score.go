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
// logit, unless the engine has the option Sigmoid.
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
	return e.score(ctx, dst, pairs, nil, opts, nil)
}

// ScoreStats is Score, and also returns what the call cost. If it returns no scores, the
// stats are zero.
func (e *Engine) ScoreStats(ctx context.Context, dst []float32, pairs []Pair, opts ...CallOption) ([]float32, CallStats, error) {
	var stats CallStats
	dst, err := e.score(ctx, dst, pairs, nil, opts, &stats)
	return dst, stats, err
}

// ScoreTokens is Score for pairs that are tokens already. It neither cuts them nor adds
// special tokens. A token id outside the vocabulary is an error that names it; a sequence
// longer than the model's positions is ErrTooLong. b must not change until ScoreTokens
// returns.
func (e *Engine) ScoreTokens(ctx context.Context, dst []float32, b *model.Batch) ([]float32, error) {
	if b == nil {
		return dst, e.ended(errors.New("engine: nil batch"))
	}
	if err := b.Validate(&e.info.Config); err != nil {
		return dst, e.ended(err)
	}
	return e.score(ctx, dst, nil, b, nil, nil)
}

// score scores tokens, or pairs if tokens is nil. stats may be nil. score and await are
// kept small, so that the stack of a waiting caller need not grow.
func (e *Engine) score(ctx context.Context, dst []float32, pairs []Pair, tokens *model.Batch, opts []CallOption, stats *CallStats) ([]float32, error) {
	if err := e.need(scoring); err != nil {
		return dst, e.ended(err)
	}
	c, err := e.begin(ctx, dst, pairs, nil, tokens, opts)
	if err == nil && c.count > 0 {
		err = e.await(c)
	}
	return e.conclude(c, dst, err, stats)
}

// begin starts a call that appends to dst, and puts it into the queue.
func (e *Engine) begin(ctx context.Context, dst []float32, pairs []Pair, texts []string, tokens *model.Batch, opts []CallOption) (*call, error) {
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
	c.pairs, c.texts, c.single, c.prompt, c.tokens, c.count = pairs, texts, texts != nil, prompt, tokens, len(pairs)+len(texts)
	if tokens != nil {
		c.count = tokens.Len()
	}
	c.ctx, c.task = task(ctx, "score")
	c.scores = slices.Grow(dst, c.count*e.width)[:len(dst)+c.count*e.width]
	c.dst, c.left = c.scores[len(dst):], c.count
	if c.count == 0 {
		return c, nil
	}
	return c, e.submit(c)
}

// conclude ends a call, which may be nil or failed, and returns what score returns.
func (e *Engine) conclude(c *call, dst []float32, err error, stats *CallStats) ([]float32, error) {
	if c == nil {
		return dst, e.ended(err)
	}
	if c.task != nil {
		c.task.End()
	}
	computed := time.Time{}
	if err == nil {
		scores := c.scores[len(dst):]
		dst, err = c.scores, e.finish(scores, c.bad, c.single)
		if stats != nil {
			*stats, computed = c.stats, c.ended
		}
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
	prompt, err := e.prompts.of(opts)
	if err != nil {
		return err
	}
	ids, starts := len(b.IDs), len(b.Start)
	for i, p := range pairs {
		if err := e.appendTokens(b, prompt, p, e.options.purpose == embedding); err != nil {
			b.IDs, b.Types, b.Start = b.IDs[:ids], b.Types[:ids], b.Start[:starts]
			return &PairError{i, tooLong{err}}
		}
		b.End()
	}
	return nil
}

// appendTokens appends a pair's tokens to b, or those of the query alone, as a single text.
func (e *Engine) appendTokens(b *model.Batch, prompt string, p Pair, single bool) (err error) {
	if single {
		b.IDs, b.Types, err = e.tokenizer.AppendText(b.IDs, b.Types, prompt+p.Query)
	} else {
		b.IDs, b.Types, err = e.tokenizer.AppendPair(b.IDs, b.Types, prompt+p.Query, p.Passage)
	}
	return err
}

// tooLong is the tokenizer's error about a pair with too many tokens, made an ErrTooLong.
type tooLong struct{ error }

func (e tooLong) Error() string { return plain(e.error.Error()) }

func (e tooLong) Is(target error) bool { return target == ErrTooLong }

func (e tooLong) Unwrap() error { return e.error }
