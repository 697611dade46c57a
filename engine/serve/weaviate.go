package serve

import (
	"net/http"

	"github.com/minilm-metal/minilm-metal/engine"
)

// weaviate is the container that Weaviate's module reranker-transformers asks. The module sends
// no Content-Type, reads an error only where it is a string, and begins with /.well-known/ready
// and /meta.
func weaviate() *dialect {
	return &dialect{name: "weaviate", word: weaviateFailure, routes: []route{
		{method: "POST", path: "/rerank", mark: "property", beside: "documents", ask: weaviateRerank},
		{method: "GET", path: "/.well-known/live", plain: weaviateLive, open: true},
		{method: "GET", path: "/.well-known/ready", plain: weaviateReady, open: true},
		{method: "GET", path: "/meta", plain: weaviateMeta},
	}}
}

func weaviateFailure(f *failure) reply {
	return asJSON(statuses[f.kind], errorText{f.message})
}

// errorText is an error that is a string.
type errorText struct {
	Error string `json:"error"`
}

func weaviateLive(*Handler, *exchange) (reply, *failure) {
	return reply{status: http.StatusNoContent}, nil
}

func weaviateReady(h *Handler, x *exchange) (reply, *failure) {
	if f := h.takesMore(); f != nil {
		return reply{}, f
	}
	return reply{status: http.StatusNoContent}, nil
}

// weaviateMeta describes the default model. Weaviate takes any object, and shows it as the
// module's.
func weaviateMeta(h *Handler, x *exchange) (reply, *failure) {
	m, f := h.inPath(x.r)
	if f != nil {
		return reply{}, f
	}
	version, _ := build()
	return asJSON(http.StatusOK, map[string]any{
		"model": m.Name, "device": m.info.Device, "precision": m.info.Precision,
		"max_length": m.info.MaxLength, "version": version,
	}), nil
}

type weaviateScore struct {
	Document string  `json:"document"`
	Score    float32 `json:"score"`
}

type weaviateScores struct {
	Query  string          `json:"query"`
	Scores []weaviateScore `json:"scores"`
}

type weaviateProperty struct {
	Query    string  `json:"query"`
	Property string  `json:"property"`
	Score    float32 `json:"score"`
}

// weaviateRerank scores documents for a query, or a property alone where there are none. The
// scores are raw, and in the documents' order.
func weaviateRerank(b *body) (question, encoder) {
	q := question{task: scoring, model: b.model(), scale: raw}
	query, property := b.text("query"), b.optional("property")
	if _, many := b.field("documents"); many {
		documents := b.texts("documents")
		q.pairs = pairsOf(query, documents)
		return q, func(a *answer) reply {
			all := weaviateScores{query, make([]weaviateScore, len(documents))}
			for i, d := range documents {
				all.Scores[i] = weaviateScore{d, a.score(i)}
			}
			return asJSON(http.StatusOK, all)
		}
	}
	q.single, q.pairs = true, []engine.Pair{{Query: query, Passage: property}}
	return q, func(a *answer) reply {
		return asJSON(http.StatusOK, weaviateProperty{query, property, a.score(0)})
	}
}
