package serve

import (
	"net/http"

	"github.com/minilm-metal/minilm-metal/engine"
)

type vllmRanks struct {
	ID      string   `json:"id"`
	Model   string   `json:"model"`
	Usage   usage    `json:"usage"`
	Results []result `json:"results"`
}

// vllmRerank ranks documents, and always repeats them. LiteLLM asks for no document where none
// are wanted, which vLLM does not know.
func vllmRerank(b *body) (question, encoder) {
	r := rankingOf(b, textField)
	r.echo = true
	id := vllmRanking(b, &r.question)
	b.ignore("return_documents", "rank_fields")
	return r.question, func(a *answer) reply {
		return asJSON(http.StatusOK, vllmRanks{id, a.model.Name, a.usage(), r.results(a, repeatObject)})
	}
}

// vllmNames are what vLLM calls the first and the second texts of pairs, in its order.
var vllmNames = [][2]string{{"queries", "documents"}, {"queries", "items"}, {"data_1", "data_2"}, {"text_1", "text_2"}}

type vllmScored struct {
	Index  int     `json:"index"`
	Object string  `json:"object"`
	Score  float32 `json:"score"`
}

// vllmScore scores pairs, and answers in their order. One text is paired with each of many; else
// there must be as many on both sides.
func vllmScore(b *body) (question, encoder) {
	first, second := vllmSides(b)
	one, _ := b.textOrTexts(first)
	other, single := b.textOrTexts(second)
	q := question{task: scoring, model: b.model(), single: single}
	switch {
	case len(one) == 0 || len(other) == 0: // which is a failure of its own
	case len(one) == 1:
		q.pairs = pairsOf(one[0], other)
	case len(one) != len(other):
		b.fail(about(second, badValue, "fields %q and %q: %d and %d texts, want one and any number, or as many of both", first, second, len(one), len(other)))
	default:
		q.pairs = make([]engine.Pair, len(one))
		for i := range one {
			q.pairs[i] = engine.Pair{Query: one[i], Passage: other[i]}
		}
	}
	id := vllmRanking(b, &q)
	return q, func(a *answer) reply {
		all := make([]vllmScored, len(q.pairs))
		for i := range all {
			all[i] = vllmScored{i, "score", a.score(i)}
		}
		return vllmReply(a, id, all)
	}
}

// vllmSides are the names of the body's two sides: the first two names that are both there.
func vllmSides(b *body) (first, second string) {
	for _, names := range vllmNames {
		if b.has(names[0]) && b.has(names[1]) {
			return names[0], names[1]
		}
	}
	for _, names := range vllmNames { // say what is missing
		if b.has(names[0]) || b.has(names[1]) {
			return names[0], names[1]
		}
	}
	last := vllmNames[len(vllmNames)-1]
	return last[0], last[1]
}
