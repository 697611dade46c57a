package serve

import (
	"net/http"
	"strings"
	"time"
)

// ranking is what a body asks that has documents to be ranked for a query: the form that Cohere
// began, and to which Jina, vLLM and Infinity have added fields.
type ranking struct {
	question
	documents []document
	echo      bool // the documents are to be repeated
	query     string
}

// document is a text. One that came as an object has the object's strings, too.
type document struct {
	text   string
	object map[string]string
}

// textField is the field of a document's text, where it is an object.
const textField = "text"

// rankingOf reads the fields that all of these dialects have. Of a document that is an object,
// the texts of the fields are ranked, one after the other.
func rankingOf(b *body, fields ...string) ranking {
	r := ranking{question: question{task: scoring, model: modelOrDefault(b)}, query: b.text("query")}
	r.top = b.count("top_n", 0, 0) // as in vLLM, 0 is all
	v, ok := b.required("documents")
	switch {
	case !ok:
	case v.is('"'): // vLLM takes a single one
		r.documents = []document{{text: v.text()}}
	default:
		v.each("an array of strings", func(e value) { r.documents = append(r.documents, documentOf(e, fields)) })
	}
	texts := make([]string, len(r.documents))
	for i := range texts {
		texts[i] = r.documents[i].text
	}
	r.pairs = pairsOf(r.query, texts)
	return r
}

// anyModel is the name that Infinity's clients send where their caller has named no model.
const anyModel = "default/not-specified"

// modelOrDefault is the name of the model that the body asks for; "" for none.
func modelOrDefault(b *body) string {
	if name := b.model(); name != anyModel {
		return name
	}
	return ""
}

// documentOf reads a text, or an object. It must have one of the fields at least. Errors do not
// name fields that a client has chosen.
func documentOf(v value, fields []string) document {
	if !v.is('{') {
		return document{text: v.text()}
	}
	object := v.strings()
	var texts []string
	for _, name := range fields {
		if text, has := object[name]; has {
			texts = append(texts, text)
		}
	}
	switch {
	case texts != nil:
	case len(fields) > 1 || fields[0] != textField:
		v.b.fail(about(v.place(), missingField, "field %q: an object in which no field of rank_fields is a string", v.place()))
	default:
		if m, has := v.need(textField); has {
			m.text()
		}
	}
	return document{strings.Join(texts, "\n"), object}
}

// result is a document's rank. A Document that is not to be repeated is nil.
type result struct {
	Index    int     `json:"index"`
	Score    float32 `json:"relevance_score"`
	Document any     `json:"document,omitempty"`
}

// results are the best documents, best first. repeat makes what is repeated of a document.
func (r *ranking) results(a *answer, repeat func(*document) any) []result {
	all := make([]result, len(a.best))
	for k, i := range a.best {
		all[k] = result{Index: i, Score: a.score(i)}
		if r.echo {
			all[k].Document = repeat(&r.documents[i])
		}
	}
	return all
}

// repeatObject repeats a document as an object, and repeatText as a text.
func repeatObject(d *document) any {
	if d.object != nil {
		return d.object
	}
	return map[string]string{textField: d.text}
}

func repeatText(d *document) any { return d.text }

// usage counts the tokens that the model read.
type usage struct {
	Prompt int `json:"prompt_tokens"`
	Total  int `json:"total_tokens"`
}

func (a *answer) usage() usage { return usage{a.stats.Tokens, a.stats.Tokens} }

// rankingReply has what any of these dialects' clients looks for.
type rankingReply struct {
	ID      string      `json:"id"`
	Object  string      `json:"object"`
	Created int64       `json:"created"`
	Model   string      `json:"model"`
	Results []result    `json:"results"`
	Usage   usage       `json:"usage"`
	Meta    *cohereMeta `json:"meta,omitempty"`
}

func (r *ranking) reply(a *answer, repeat func(*document) any) rankingReply {
	return rankingReply{
		ID: newID(), Object: "rerank", Created: time.Now().Unix(), Model: a.model.Name,
		Results: r.results(a, repeat), Usage: a.usage(),
	}
}

// statusOf is the status of a failure in dialects whose clients ask again after any status of
// 500 and more: they should after a device's failure.
func statusOf(f *failure) int {
	if f.kind == deviceFailed {
		return http.StatusInternalServerError
	}
	return statuses[f.kind]
}

// no422 is 400 in place of 422: that of dialects that have one status for all that is wrong with a body.
func no422(status int) int {
	if status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return status
}
