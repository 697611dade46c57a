package serve

import "net/http"

// cohere is Cohere's rerank, of both versions, as its library for Python reads it at 5.21.1, and on
// paths that others have, too, what their clients need beside: without a dialect that is pinned,
// documents to be ranked are its own. Scores are sigmoids, and documents are repeated where
// return_documents asks for them. As Cohere's, an empty list has status 400 (labring/FastGPT#961),
// and a field that is not known, where that is refused, 422 (HKUDS/LightRAG#1813).
func cohere() *dialect {
	d := &dialect{name: "cohere", word: cohereFailure}
	for _, version := range []string{"", "1", "2"} {
		path := "/rerank"
		if version != "" {
			path = "/v" + version + path
		}
		d.routes = append(d.routes, route{method: "POST", path: path, mark: "documents", ask: cohereRerank(version)})
	}
	return d
}

// cohereError is what the clients of any of these dialects find an error in: Cohere's message,
// Jina's detail, vLLM's and Infinity's object.
type cohereError struct {
	ID      string      `json:"id"`
	Message string      `json:"message"`
	Detail  string      `json:"detail"`
	Error   errorObject `json:"error"`
}

func cohereFailure(f *failure) reply {
	status := statusOf(f)
	return asJSON(status, cohereError{newID(), f.message, f.message, vllmError(f, status)})
}

// cohereMeta says under which version of the API an answer was given, and what it would have
// cost.
type cohereMeta struct {
	Version *cohereVersion `json:"api_version,omitempty"`
	Billed  cohereBilled   `json:"billed_units"`
}

type cohereVersion struct {
	Version string `json:"version"`
}

type cohereBilled struct {
	Units int `json:"search_units"`
}

// A search unit is a query with up to 100 documents, as Cohere's pricing has it.
const unitDocuments = 100

// cohereRerank ranks documents. A document is a text or, as in version 1, an object, of which
// rank_fields names the fields that count. Where the model reads fewer tokens than
// max_tokens_per_doc, documents are cut to these.
func cohereRerank(version string) func(*body) (question, encoder) {
	return func(b *body) (question, encoder) {
		r := rankingOf(b, rankFields(b)...)
		r.echo = b.flag("return_documents", false)
		r.second = b.count("max_tokens_per_doc", 0, 0)
		b.ignore("max_chunks_per_doc", "priority") // texts are not divided, and requests take turns
		others(b, &r.question)
		meta := cohereMeta{Billed: cohereBilled{(len(r.documents) + unitDocuments - 1) / unitDocuments}}
		if version != "" {
			meta.Version = &cohereVersion{version}
		}
		return r.question, func(a *answer) reply {
			p := r.reply(a, repeatObject)
			p.Meta = &meta
			return asJSON(http.StatusOK, p)
		}
	}
}

// rankFields are the names of a document's fields that count, where it is an object. None may be
// there twice, and there are few: else a short body would make texts of any length.
func rankFields(b *body) []string {
	const name = "rank_fields"
	v, ok := b.field(name)
	if !ok {
		return []string{textField}
	}
	names, at := v.texts(), map[string]int{}
	if len(names) > mostFields {
		b.fail(about(name, tooManyItems, "field %q has %d elements, want at most %d", name, len(names), mostFields))
	}
	for i, n := range names {
		if first, twice := at[n]; twice {
			b.fail(about(name, badValue, "field %q: elements %d and %d are the same", name, first, i))
		}
		at[n] = i
	}
	if len(names) == 0 || b.failed != nil {
		return []string{textField}
	}
	return names
}

// others reads the fields by which clients of vLLM and Infinity ask for raw scores and for
// shorter texts.
func others(b *body, q *question) {
	if b.flag("raw_scores", false) || !b.flag("use_activation", true) {
		q.scale = raw
	}
	if n := vllmMost(b); n > 0 {
		q.most = n
	}
	q.side = b.side("truncation_side", "right", "left")
	q.first = b.count("max_tokens_per_query", 0, 0)
	b.ignore("user")
}
