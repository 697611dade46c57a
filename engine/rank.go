package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/minilm-metal/minilm-metal/model"
)

// Result is one passage of Rank.
type Result struct {
	Index int `json:"index"` // of the passage, in the slice that Rank was given
	// Score is NaN if the model gives no number for this passage; Rank's error says so.
	// encoding/json cannot write NaN.
	Score   float32 `json:"score"`
	Passage string  `json:"passage,omitempty"` // "" without WithPassages
}

// RankOption sets one thing about a call of Rank. Every CallOption is one. nil sets
// nothing.
type RankOption interface{ rank(*rankOptions) }

type rankOptions struct {
	topK     int
	passages bool
	call     []CallOption
}

type rankOption func(*rankOptions)

func (f rankOption) rank(o *rankOptions) { f(o) }

func (f CallOption) rank(o *rankOptions) { o.call = append(o.call, f) }

// TopK makes Rank return only the k best passages. If k < 1, the default, or larger than
// their number, it returns all. All passages are scored in any case.
func TopK(k int) RankOption { return rankOption(func(o *rankOptions) { o.topK = k }) }

// WithPassages puts the text of the passage into each Result, for code that passes results
// on without the slice of passages.
func WithPassages() RankOption { return rankOption(func(o *rankOptions) { o.passages = true }) }

// Rank scores every passage against query and returns a Result for each, or for the TopK
// best, best first: by their logits, also where sigmoids of them are equal. Passages with equal
// logits keep their order. Passages whose score is
// not a number come last, and the error has a *PairError for each, as in Score. On any
// other error there are no results. An empty slice of passages is no error.
//
// Prompts, limits, the end of ctx and concurrent use are as in Score. The passages must not
// change before Rank returns.
func (e *Engine) Rank(ctx context.Context, query string, passages []string, opts ...RankOption) ([]Result, error) {
	var o rankOptions
	for _, opt := range opts {
		if opt != nil {
			opt.rank(&o)
		}
	}
	pairs := make([]Pair, len(passages))
	for i, passage := range passages {
		pairs[i] = Pair{query, passage}
	}
	var asked callOptions
	asked.apply(o.call)
	c := e.newCall(&methodRank, append(o.call, RawScores()))
	c.pairs = pairs
	scores, err := e.answer(ctx, make([]float32, 0, len(pairs)), c)
	results := make([]Result, len(scores))
	for i, score := range scores {
		results[i] = Result{Index: i, Score: score}
	}
	// cmp.Compare sorts NaN below all numbers.
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(b.Score, a.Score) })
	if !asked.raw(&e.options) {
		for i := range results {
			results[i].Score = model.SigmoidOf(results[i].Score)
		}
	}
	if o.topK > 0 && o.topK < len(results) {
		// A copy, so that the results left out do not stay in memory.
		results = slices.Clone(results[:o.topK])
	}
	if o.passages {
		for i := range results {
			results[i].Passage = passages[results[i].Index]
		}
	}
	return results, err
}
