package serve

import "net/http"

// teiName is the name of the dialect whose words are used where it is not known yet which one a
// request speaks.
const teiName = "tei"

// tei is text-embeddings-inference, version 1.9.
func tei() *dialect {
	return &dialect{name: teiName, word: teiFailure, routes: []route{
		{method: "POST", path: "/rerank", mark: "texts", ask: teiRerank},
		{method: "POST", path: "/", ask: teiRoot},
		{method: "POST", path: "/invocations", ask: teiRoot},
		{method: "GET", path: "/health", plain: teiHealth, open: true},
		{method: "GET", path: "/ping", plain: teiHealth, open: true},
	}}
}

// teiErrors are the failures that have JSON, by their error_type. All others are found before
// its handlers see the body, and are plain text.
var teiErrors = map[kind]string{
	invalid: "Validation", tooManyItems: "Validation", tooLong: "Validation", noModel: "Validation",
	noItems: "Empty", overloaded: "Overloaded", notReady: "Unhealthy",
	wrongModel: "Backend", badResult: "Backend", deviceFailed: "Backend", internal: "Backend",
}

func teiFailure(f *failure) reply {
	status := statuses[f.kind]
	if f.kind == noModel {
		status = http.StatusUnprocessableEntity
	}
	if f.kind == unauthorized {
		return reply{status: status}
	}
	if is := teiErrors[f.kind]; is != "" {
		return asJSON(status, teiError{f.message, is})
	}
	return asText(status, f.message)
}

type teiError struct {
	Error string `json:"error"`
	Type  string `json:"error_type"`
}

// teiHealth says whether requests may come.
func teiHealth(h *Handler, x *exchange) (reply, *failure) {
	if f := h.takesMore(x); f != nil {
		return reply{}, f
	}
	return reply{status: http.StatusOK}, nil
}

// teiRoot is what the model is for.
func teiRoot(b *body) (question, encoder) { return teiRerank(b) }

// teiCut reads how long texts are cut.
func teiCut(b *body, q *question) {
	q.uncut = !b.flag("truncate", true)
	q.side = b.side("truncation_direction", "Right", "right", "Left", "left")
}

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
