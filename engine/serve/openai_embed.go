package serve

import (
	"encoding/base64"
	"net/http"
)

type openAIVector struct {
	Object    string `json:"object"`
	Index     int    `json:"index"`
	Embedding any    `json:"embedding"` // numbers, or base64 of their bytes
}

type openAIVectors struct {
	Object string         `json:"object"`
	Data   []openAIVector `json:"data"`
	Model  string         `json:"model"`
	Usage  usage          `json:"usage"`
}

// openAIEmbed makes a vector of each text. Texts that are too long are cut.
func openAIEmbed(b *body) (question, encoder) {
	q, encode := vectorsOf(b, 1)
	b.ignore("user")
	return q, func(a *answer) reply {
		return asJSON(http.StatusOK, openAIVectors{"list", encode(a), a.model.Name, a.usage()})
	}
}

// vectorsOf reads what is to be embedded, and returns what makes the data of a reply. The
// dimensions are at least least; 0 are all that the model has.
func vectorsOf(b *body, least int) (question, func(*answer) []openAIVector) {
	q := question{task: embedding, model: modelOrDefault(b)}
	if v, ok := b.required("input"); ok {
		q.texts, q.ids, q.single = inputOf(v)
	}
	q.dimensions = b.count("dimensions", least, 0)
	binary := b.choice("encoding_format", "float", "base64") == "base64"
	return q, func(a *answer) []openAIVector {
		all := make([]openAIVector, q.items())
		for i := range all {
			all[i] = openAIVector{"embedding", i, a.row(i)}
			if binary {
				all[i].Embedding = base64.StdEncoding.EncodeToString(oipFloats(a.row(i)))
			}
		}
		return all
	}
}

// inputOf reads a text, texts, token ids, or several lists of them.
func inputOf(v value) (texts []string, ids [][]int32, single bool) {
	const want = "a string, or an array of strings, of token ids, or of arrays of token ids"
	if v.is('"') {
		return []string{v.text()}, nil, true
	}
	first := v.first()
	if first != '"' && first != '[' && first != ']' {
		return nil, [][]int32{v.ids()}, true
	}
	v.each(want, func(e value) {
		switch {
		case !e.is(first):
			e.wrong("what the elements before it are")
		case first == '"':
			texts = append(texts, e.text())
		default:
			ids = append(ids, e.ids())
		}
	})
	return texts, ids, false
}
