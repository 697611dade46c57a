package serve

import "net/http"

// teiToken has null for the place of a special token, as text-embeddings-inference has.
type teiToken struct {
	ID      int32  `json:"id"`
	Text    string `json:"text"`
	Special bool   `json:"special"`
	Start   *int   `json:"start"`
	Stop    *int   `json:"stop"`
}

// teiTokenize gives the tokens of each text, and where they are from, in bytes.
func teiTokenize(b *body) (question, encoder) {
	q := question{task: tokenizing, model: b.model(), prompt: b.optional("prompt_name")}
	q.texts, q.single = b.textOrTexts("inputs")
	q.bare = !b.flag("add_special_tokens", true)
	return q, func(a *answer) reply {
		all := make([][]teiToken, len(a.tokens))
		for i, tokens := range a.tokens {
			all[i] = make([]teiToken, len(tokens))
			for k := range tokens {
				t := &tokens[k]
				all[i][k] = teiToken{ID: t.id, Text: t.text, Special: t.special}
				if !t.special {
					all[i][k].Start, all[i][k].Stop = &t.start, &t.stop
				}
			}
		}
		return asJSON(http.StatusOK, all)
	}
}

// teiDecode makes a text of the ids of tokens, or several.
func teiDecode(b *body) (question, encoder) {
	q := question{task: detokenizing, model: b.model()}
	if v, ok := b.required("ids"); ok {
		q.ids, q.single = teiIDs(v)
	}
	q.bare = b.flag("skip_special_tokens", true)
	return q, func(a *answer) reply { return asJSON(http.StatusOK, a.texts) }
}

// teiIDs reads an array of ids, or an array of such arrays.
func teiIDs(v value) (all [][]int32, single bool) {
	const want = "an array of token ids, or of such arrays"
	if first := v.first(); first != '[' && first != ']' {
		return [][]int32{v.ids()}, true
	}
	v.each(want, func(e value) {
		if !e.is('[') {
			e.wrong(want)
			return
		}
		all = append(all, e.ids())
	})
	return all, false
}
