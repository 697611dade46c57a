package engine

import (
	"cmp"
	"context"
	"slices"
)

// Result is one passage of Rank.
type Result struct {
	Index int `json:"index"` // of the passage, in the slice that Rank was given
	// Score is NaN where the model gives none, which encoding/json refuses to write; Rank
	// says so in its error.
	Score   float32 `json:"score"`
	Passage string  `json:"passage,omitempty"` // "" without WithPassages
}

// RankOption sets one thing about a call of Rank; every CallOption does, too. nil sets
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

// TopK has Rank return the k best passages; k < 1, or more than there are, is all of them,
// the default. Every passage gets a score all the same.
func TopK(k int) RankOption { return rankOption(func(o *rankOptions) { o.topK = k }) }

// WithPassages has each Result carry its passage, for those who hand results on without the
// slice that they are of.
func WithPassages() RankOption { return rankOption(func(o *rankOptions) { o.passages = true }) }

// Rank scores every passage against query and returns them best first, a Result each, or
// the TopK. Passages with equal scores keep their order; those whose score is not a number
// come last, and the error has a *PairError for each, as in Score. On any other error there
// are no results. No passages are no error.
//
// Prompts, the limits, the context's end and concurrent use are as in Score. The passages must not
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
	scores, err := e.Score(ctx, make([]float32, 0, len(pairs)), pairs, o.call...)
	results := make([]Result, len(scores))
	for i, score := range scores {
		results[i] = Result{Index: i, Score: score}
	}
	// cmp.Compare puts NaN below every number.
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(b.Score, a.Score) })
	if o.topK > 0 && o.topK < len(results) {
		// A copy: what is left out shall not stay in memory with the best few.
		results = slices.Clone(results[:o.topK])
	}
	if o.passages {
		for i := range results {
			results[i].Passage = passages[results[i].Index]
		}
	}
	return results, err
}
