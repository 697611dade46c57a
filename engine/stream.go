package engine

import (
	"context"
	"iter"

	"github.com/minilm-metal/minilm-metal/model"
)

// Tokens is a pair as tokens: ids, and for each the number of the text that it belongs
// to, 0 for the query and 1 for the passage.
type Tokens struct{ IDs, Types []int32 }

// Stream scores pairs as they come, and yields their scores in that order as soon as
// they are known. It holds about a thousand pairs at a time, however many there are.
//
// An error that is a *PairError is of one pair, whose score is NaN, and the next pair
// follows; any other is the last that is yielded.
//
// pairs is ranged over by a goroutine of its own, so that waiting for a pair keeps no
// score back. When the caller leaves the loop, that goroutine ends at the next pair.
func (e *Engine) Stream(ctx context.Context, pairs iter.Seq[Pair]) iter.Seq2[float32, error] {
	return func(yield func(float32, error) bool) {
		for p := range pairs {
			s, err := e.Score(ctx, nil, []Pair{p})
			if err != nil {
				yield(0, err)
				return
			}
			if !yield(s[0], nil) {
				return
			}
		}
	}
}

// StreamTokens is Stream for pairs that are tokens already.
func (e *Engine) StreamTokens(ctx context.Context, pairs iter.Seq[Tokens]) iter.Seq2[float32, error] {
	return func(yield func(float32, error) bool) {
		for p := range pairs {
			var b model.Batch
			b.Append(p.IDs, p.Types)
			s, err := e.ScoreTokens(ctx, nil, &b)
			if err != nil {
				yield(0, err)
				return
			}
			if !yield(s[0], nil) {
				return
			}
		}
	}
}
