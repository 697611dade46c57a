package serve

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// infinityName is the name of Infinity's dialect.
const infinityName = "infinity"

// infinity is Infinity's server without a prefix of its paths, as at 0523783 and as its client
// 0.0.78 reads it. On /rerank and /health, which others have too, it is reached only if it is
// pinned.
func infinity() *dialect {
	return &dialect{name: infinityName, word: infinityFailure, routes: []route{
		{method: "POST", path: "/rerank", ask: infinityRerank},
		{method: "POST", path: "/embeddings", ask: infinityEmbed},
		{method: "POST", path: "/classify", mark: "input", ask: infinityClassify},
		{method: "GET", path: "/models", plain: infinityModels},
		{method: "GET", path: "/health", plain: infinityHealth, open: true},
	}}
}

// infinityDetails are the failures that FastAPI finds in a body, by the type that they have
// there. Their status is 422, and Infinity's own client reads their details.
var infinityDetails = map[kind]string{
	badJSON: "json_invalid", missingField: "missing", wrongType: "type_error", badValue: "value_error",
	unknownField: "extra_forbidden", ambiguous: "value_error", invalid: "value_error",
	noItems: "too_short", tooManyItems: "too_long", tooLong: "value_error",
}

type infinityDetail struct {
	Where   []any  `json:"loc"`
	Message string `json:"msg"`
	Type    string `json:"type"`
}

type infinityInvalid struct {
	Detail []infinityDetail `json:"detail"`
}

// infinityBare are the failures that have their message alone, as FastAPI has it.
var infinityBare = map[kind]bool{unauthorized: true, tooLarge: true, mediaType: true, timedOut: true}

func infinityFailure(f *failure) reply {
	if is := infinityDetails[f.kind]; is != "" {
		return asJSON(http.StatusUnprocessableEntity, infinityInvalid{[]infinityDetail{{infinityPlace(f.field), f.message, is}}})
	}
	status := statusOf(f)
	if f.kind == noModel {
		status = http.StatusBadRequest
	}
	if infinityBare[f.kind] {
		return asJSON(status, jinaError{f.message})
	}
	return asJSON(status, wrapped{vllmError(f, status)})
}

// infinityPlace makes of documents[1].text what FastAPI has: body, documents, 1, text.
func infinityPlace(field string) []any {
	all := []any{"body"}
	for part := range strings.FieldsFuncSeq(field, func(r rune) bool { return strings.ContainsRune("[].", r) }) {
		if n, err := strconv.Atoi(part); err == nil {
			all = append(all, n)
		} else {
			all = append(all, part)
		}
	}
	return all
}

// infinityRerank ranks documents, which are repeated as texts. Other than in vLLM, top_n must
// not be 0.
func infinityRerank(b *body) (question, encoder) {
	r := rankingOf(b, textField)
	b.count("top_n", 1, 0)
	r.echo = b.flag("return_documents", false)
	if b.flag("raw_scores", false) {
		r.scale = raw
	}
	return r.question, func(a *answer) reply {
		p := r.reply(a, repeatText)
		p.ID = infinityID()
		return asJSON(http.StatusOK, p)
	}
}

func infinityID() string { return infinityName + "-" + newID() }

type infinityLabels struct {
	Object  string            `json:"object"`
	Data    [][]teiPrediction `json:"data"`
	Model   string            `json:"model"`
	Usage   usage             `json:"usage"`
	ID      string            `json:"id"`
	Created int64             `json:"created"`
}

// infinityClassify gives each label's probability of each text, the largest first.
func infinityClassify(b *body) (question, encoder) {
	q := question{task: classifying, model: modelOrDefault(b)}
	q.sequences, q.single = sequencesOf(b, "input")
	if b.flag("raw_scores", false) {
		q.scale = raw
	}
	return q, func(a *answer) reply {
		all := make([][]teiPrediction, len(q.sequences))
		for i := range all {
			all[i] = teiPredictions(a.model.labels(), a.row(i))
		}
		return asJSON(http.StatusOK, infinityLabels{"classify", all, a.model.Name, a.usage(), infinityID(), time.Now().Unix()})
	}
}

// sequencesOf reads single texts to be classified.
func sequencesOf(b *body, name string) (all []sequence, single bool) {
	texts, single := b.textOrTexts(name)
	for _, t := range texts {
		all = append(all, sequence{first: t})
	}
	return all, single
}

// infinityVectors has an id and a time beside.
type infinityVectors struct {
	openAIVectors
	ID      string `json:"id"`
	Created int64  `json:"created"`
}

// infinityEmbed is OpenAI's embedding under Infinity's path. Its client sends 0 dimensions for
// all.
func infinityEmbed(b *body) (question, encoder) {
	q, encode := vectorsOf(b, 0)
	b.choice("modality", "text")
	b.ignore("user")
	return q, func(a *answer) reply {
		return asJSON(http.StatusOK, infinityVectors{openAIVectors{"list", encode(a), a.model.Name, a.usage()}, infinityID(), time.Now().Unix()})
	}
}
