package engine

import (
	"math/rand/v2"

	"github.com/minilm-metal/minilm-metal/model"
)

// madeUp returns the tests: pairs of random tokens, the same in every run, between the
// usual special tokens; for an embedder, texts. There are many short pairs, which make two
// thousand orders (0.6 % of them is a dozen), two pairs of about 300 tokens, and one of the
// maximum length.
func (e *Engine) madeUp() []*model.Batch {
	const shortPairs, shortest, longest = 64, 12, 36
	r := rand.New(rand.NewPCG(1, 1))
	short, long := new(model.Batch), new(model.Batch)
	for range shortPairs {
		e.makeUp(short, shortest+r.IntN(longest-shortest), r)
	}
	for _, n := range []int{280, 310, e.info.MaxLength} {
		e.makeUp(long, n, r)
	}
	return []*model.Batch{short, long}
}

// makeUp appends a pair of n tokens, or a text for an embedder, or of the maximum length if
// that is less. As in real text, words repeat, also between query and passage: with the
// probability repeated, a token is a copy of an earlier one (Simon 1955, "On a class of skew
// distribution functions"); otherwise it is random.
func (e *Engine) makeUp(b *model.Batch, n int, r *rand.Rand) {
	const (
		repeated     = 0.4
		longestQuery = 30
	)
	// Of no words: the special tokens.
	frame, types, _ := e.tokenizer.AppendPair(nil, nil, "", "")
	if e.options.purpose == embedding || frame == nil { // which has no room for a pair
		frame, types, _ = e.tokenizer.AppendText(nil, nil, "")
	}
	n = min(n, e.info.MaxLength)
	left := n - len(frame)
	var words []int32
	for i, id := range frame {
		b.IDs, b.Types = append(b.IDs, id), append(b.Types, types[i])
		count := left
		switch {
		case i+1 == len(frame):
			count = 0
		case i == 0 && len(frame) > 2:
			// A third of the tokens is the query, but not more than real queries have.
			count = min(left/3, longestQuery)
		}
		left -= max(count, 0)
		for range count {
			word := r.Int32N(int32(e.tokenizer.VocabSize()))
			if len(words) > 0 && r.Float64() < repeated {
				word = words[r.IntN(len(words))]
			}
			words = append(words, word)
			b.IDs, b.Types = append(b.IDs, word), append(b.Types, types[i])
		}
	}
	b.End()
}
