package serve

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine"
)

// answer is what the engine says to a question, before a dialect encodes it.
type answer struct {
	model *served
	// values are the results in the question's order, width of them for each item: a score, a
	// vector, or the probabilities of the labels.
	values []float32
	width  int
	// best are the indices of the pairs in the order of their scores, best first, as many as the
	// question wants. Equal scores keep their order. They are compared as logits, of which
	// fewer are equal in float32 than of their sigmoids.
	best  []int
	scale scale // of the scores: sigmoid or raw
	stats engine.CallStats
}

// score is that of a pair.
func (a *answer) score(i int) float32 { return a.values[i] }

// row is what one item has.
func (a *answer) row(i int) []float32 { return a.values[i*a.width:][:a.width] }

// retryOverload is when a client that was refused should ask again.
const retryOverload = time.Second

// run has the engine answer a question.
func (h *Handler) run(x *exchange, q *question) (*answer, *failure) {
	if q.items() == 0 {
		return nil, failed(noItems, "the list of texts is empty")
	}
	m, f := h.choose(q)
	if f != nil {
		return nil, f
	}
	x.facts.task, x.facts.single, x.facts.items = q.task, q.single, q.items()
	if !m.can(q) {
		return nil, failed(wrongModel, "model %q is %s, and this path needs %s", m.Name, tasks[m.does], tasks[q.task])
	}
	a := &answer{model: m, width: 1}
	var err error
	switch q.task {
	case scoring:
		err = m.score(x.r.Context(), q, a)
	}
	if err != nil {
		return nil, whyNot(x.r.Context(), err)
	}
	x.facts.asked, x.facts.model, x.facts.stats, x.facts.length = true, m.Name, a.stats, q.characters()
	return a, nil
}

// characters counts those of all texts, the query once for each pair: what the model reads.
func (q *question) characters() (n int) {
	for i := range q.pairs {
		n += utf8.RuneCountInString(q.pairs[i].Query) + utf8.RuneCountInString(q.pairs[i].Passage)
	}
	for _, t := range q.texts {
		n += utf8.RuneCountInString(t)
	}
	for i := range q.sequences {
		n += utf8.RuneCountInString(q.sequences[i].first) + utf8.RuneCountInString(q.sequences[i].second)
	}
	return n
}

// score scores pairs.
func (m *served) score(ctx context.Context, q *question, a *answer) (err error) {
	if a.values, a.stats, err = m.Engine.ScoreStats(ctx, nil, q.pairs); err != nil {
		return err
	}
	a.best = ranked(a.values, q.top)
	if a.scale = q.scale; a.scale == sigmoid {
		for i, v := range a.values {
			a.values[i] = sigmoidOf(v)
		}
	}
	return nil
}

// sigmoidOf is that of a logit, in float64 as the engine computes it.
func sigmoidOf(logit float32) float32 { return float32(1 / (1 + math.Exp(-float64(logit)))) }

// ranked returns the indices of the best scores, best first; all, if top is 0.
func ranked(scores []float32, top int) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	if top > 0 && top < len(order) {
		order = order[:top]
	}
	return order
}

// whyNot makes a failure of the engine's error.
func whyNot(ctx context.Context, err error) *failure {
	f := failed(internal, "an internal error, which the server's log describes")
	switch {
	case ctx.Err() != nil:
		f = failed(cancelled, "the client has gone")
	case errors.Is(err, engine.ErrOverloaded):
		f = failed(overloaded, "the server is overloaded: %v", err)
		f.retry = retryOverload
	case errors.Is(err, engine.ErrClosed):
		f = failed(notReady, "the server is about to end")
		f.retry = retryOverload
	case errors.Is(err, engine.ErrTooLong):
		f = failed(tooLong, "%v", err)
	case errors.Is(err, engine.ErrPrompt):
		f = about("prompt_name", invalid, "%v", err)
	case errors.Is(err, engine.ErrHardware):
		f = failed(deviceFailed, "the device failed")
	case errors.Is(err, engine.ErrModel):
		f = failed(badResult, "the model's output is not a number")
	}
	f.cause = err
	return f
}
