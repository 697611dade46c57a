package serve

import (
	"fmt"
	"net/http"
)

// teiName is the name of the dialect whose words are used where it is not known yet which one a
// request speaks.
const teiName = "tei"

// tei is text-embeddings-inference, version 1.9.
func tei() *dialect {
	return &dialect{name: teiName, word: teiFailure, routes: []route{
		{method: "POST", path: "/rerank", mark: "texts", ask: teiRerank},
		{method: "POST", path: "/", ask: teiRoot},
		{method: "POST", path: "/invocations", ask: teiRoot}, // SageMaker's
		{method: "POST", path: "/predict", ask: teiPredict},
		{method: "POST", path: "/embed", ask: teiEmbed},
		{method: "POST", path: "/embed_all", plain: teiNone("vectors of each token")},
		{method: "POST", path: "/embed_sparse", plain: teiNone("sparse vectors")},
		{method: "POST", path: "/similarity", ask: teiSimilarity},
		{method: "POST", path: "/tokenize", ask: teiTokenize},
		{method: "POST", path: "/decode", ask: teiDecode},
		{method: "GET", path: "/info", plain: teiInfo},
		{method: "GET", path: "/health", plain: teiHealth, open: true},
		{method: "GET", path: "/ping", plain: teiHealth, open: true},
	}}
}

// teiErrors are the failures that have JSON, by their error_type. All others are found before
// its handlers see the body, and are plain text.
var teiErrors = map[kind]string{
	invalid: "Validation", tooManyItems: "Validation", tooLong: "Validation", noModel: "Validation",
	noItems: "Empty", overloaded: "Overloaded", outOfTime: "Overloaded", notReady: "Unhealthy",
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
	message := f.message
	if f.kind == tooLong && f.limit > 0 {
		message = fmt.Sprintf("Input validation error: `inputs` must have less than %d tokens. Given: %d", f.limit, f.tokens)
	}
	if is := teiErrors[f.kind]; is != "" {
		return asJSON(status, teiError{message, is})
	}
	return asText(status, message)
}

type teiError struct {
	Error string `json:"error"`
	Type  string `json:"error_type"`
}

// teiHealth says whether requests may come.
func teiHealth(h *Handler, x *exchange) (reply, *failure) {
	if f := h.takesMore(); f != nil {
		return reply{}, f
	}
	return reply{status: http.StatusOK}, nil
}

// teiRoot is what the default model is for.
func teiRoot(b *body) (question, encoder) {
	switch b.does {
	case embedding:
		return teiEmbed(b)
	case classifying:
		return teiPredict(b)
	}
	return teiRerank(b)
}

// teiNone answers a path of models that there are none of here, as text-embeddings-inference
// does where its model is another.
func teiNone(what string) func(*Handler, *exchange) (reply, *failure) {
	return func(*Handler, *exchange) (reply, *failure) {
		return reply{}, failed(wrongModel, "no model here makes %s", what)
	}
}

// teiCut reads how texts that are too long are cut.
func teiCut(b *body, q *question) {
	q.uncut = !b.flag("truncate", !b.uncut)
	q.side = b.side("truncation_direction", "Right", "right", "Left", "left")
}
