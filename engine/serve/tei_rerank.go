package serve

import (
	"cmp"
	"net/http"
	"slices"
)

type teiRank struct {
	Index int     `json:"index"`
	Text  *string `json:"text,omitempty"`
	Score float32 `json:"score"`
}

// teiRerank scores texts for a query, and answers best first.
func teiRerank(b *body) (question, encoder) {
	query, texts := b.text("query"), b.texts("texts")
	q := question{task: scoring, model: b.model(), pairs: pairsOf(query, texts)}
	if b.flag("raw_scores", false) {
		q.scale = raw
	}
	teiCut(b, &q)
	withText := b.flag("return_text", false)
	return q, func(a *answer) reply {
		all := make([]teiRank, len(a.best))
		for k, i := range a.best {
			all[k] = teiRank{Index: i, Score: a.score(i)}
			if withText {
				all[k].Text = &texts[i]
			}
		}
		return asJSON(http.StatusOK, all)
	}
}

type teiPrediction struct {
	Score float32 `json:"score"`
	Label string  `json:"label"`
}

// teiPredict gives each label's value of a text, of a pair of texts, or of a list of both; the
// largest first.
func teiPredict(b *body) (question, encoder) {
	q := question{task: classifying, model: b.model()}
	if v, ok := b.required("inputs"); ok {
		q.sequences, q.single = teiSequences(v)
	}
	if b.flag("raw_scores", false) {
		q.scale = raw
	}
	teiCut(b, &q)
	return q, func(a *answer) reply {
		all := make([][]teiPrediction, len(q.sequences))
		for i := range all {
			all[i] = teiPredictions(a.model.labels(), a.row(i))
		}
		if q.single {
			return asJSON(http.StatusOK, all[0])
		}
		return asJSON(http.StatusOK, all)
	}
}

func teiPredictions(labels []string, values []float32) []teiPrediction {
	all := make([]teiPrediction, len(values))
	for i, v := range values {
		all[i] = teiPrediction{v, labels[i]}
	}
	slices.SortStableFunc(all, func(a, b teiPrediction) int { return cmp.Compare(b.Score, a.Score) })
	return all
}

// teiSequences reads "a" or ["a"], a single text; ["a", "b"], a pair; and [["a"], ["a", "b"]], a
// list of such.
func teiSequences(v value) (all []sequence, single bool) {
	const want = "a string, a pair of strings, or a list of arrays of one or two strings"
	if v.is('"') {
		return []sequence{{first: v.text()}}, true
	}
	var flat []string
	v.each(want, func(e value) {
		switch {
		case e.is('"') && len(all) == 0:
			flat = append(flat, e.text())
		case e.is('[') && len(flat) == 0:
			var texts []string
			e.each("an array of one or two strings", func(t value) { texts = append(texts, t.text()) })
			all = append(all, e.sequence(texts))
		default:
			e.wrong(want)
		}
	})
	if len(all) > 0 || v.b.failed != nil {
		return all, false
	}
	return []sequence{v.sequence(flat)}, true
}

// sequence is one text, or two of them.
func (v value) sequence(texts []string) sequence {
	switch len(texts) {
	case 1:
		return sequence{first: texts[0]}
	case 2:
		return sequence{texts[0], texts[1], true}
	}
	place := v.place()
	v.b.fail(about(place, badValue, "field %q: %d strings, want one or two", place, len(texts)))
	return sequence{}
}
