package serve

import (
	"net/http"

	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// teiEmbed makes a vector of each text.
func teiEmbed(b *body) (question, encoder) {
	q := question{task: embedding, model: b.model(), prompt: b.optional("prompt_name")}
	q.texts, q.single = b.textOrTexts("inputs")
	q.dimensions = b.count("dimensions", 1, 0)
	q.long = !b.flag("normalize", true)
	teiCut(b, &q)
	return q, func(a *answer) reply {
		all := make([][]float32, len(q.texts))
		for i := range all {
			all[i] = a.row(i)
		}
		return asJSON(http.StatusOK, all)
	}
}

// teiSimilarity compares a sentence with others, by the cosine of their vectors.
func teiSimilarity(b *body) (question, encoder) {
	q := question{task: embedding, model: b.model()}
	v, ok := b.required("inputs")
	var source value
	if ok {
		if source, ok = v.need("source_sentence"); ok {
			q.texts = append(q.texts, source.text())
		}
		if sentences, ok := v.need("sentences"); ok {
			sentences.each("an array of strings", func(e value) { q.texts = append(q.texts, e.text()) })
		}
	}
	if p, ok := b.field("parameters"); ok {
		inner := p.object()
		teiCut(inner, &q)
		q.prompt = inner.optional("prompt_name")
		b.fail(inner.failed)
	}
	if len(q.texts) == 1 {
		q.texts = nil // a sentence to be compared with none
	}
	return q, func(a *answer) reply {
		all := make([]float32, len(q.texts)-1)
		for i := range all {
			all[i] = vectors.Cosine.Of(a.row(0), a.row(i+1))
		}
		return asJSON(http.StatusOK, all)
	}
}
