package serve

import (
	"net/http"
	"strconv"
)

// The inputs' names.
const (
	oipQuery     = "query"
	oipDocuments = "documents"
	oipTexts     = "text"
	oipSecond    = "text_pair"
)

var oipNames = []string{oipQuery, oipDocuments, oipTexts, oipSecond}

// oipOutput is a tensor of the reply. A binary one has its bytes after the JSON.
type oipOutput struct {
	Name       string         `json:"name"`
	Type       string         `json:"datatype"`
	Shape      []int          `json:"shape"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Data       []float32      `json:"data,omitzero"`
}

type oipAnswer struct {
	Model   string      `json:"model_name"`
	Version string      `json:"model_version"`
	ID      string      `json:"id,omitempty"`
	Outputs []oipOutput `json:"outputs"`
}

// oipInfer makes a question of the inputs that there are: a query and documents, or texts. The
// parameter raw_scores asks for logits, and truncate: false for a failure where a text is too
// long.
func oipInfer(b *body) (question, encoder) {
	id := b.optional("id")
	inputs := oipInputs(b)
	q := oipQuestion(b, inputs)
	q.model = b.value("model")
	binary := false
	if p, ok := b.field("parameters"); ok {
		inner := p.object()
		binary = inner.flag("binary_data_output", false)
		if inner.flag("raw_scores", false) {
			q.scale = raw
		}
		teiCut(inner, &q)
		b.fail(inner.failed)
	}
	name := [...]string{scoring: "scores", embedding: "embeddings", classifying: "probabilities"}[q.task]
	binary = oipAsked(b, name, binary)
	return q, func(a *answer) reply {
		out := oipOutput{Name: name, Type: oipFP32, Shape: []int{len(a.values) / a.width}, Data: a.values}
		if q.task != scoring {
			out.Shape = append(out.Shape, a.width)
		}
		return oipReply(oipAnswer{Model: a.model.Name, Version: onlyVersion, ID: id, Outputs: []oipOutput{out}}, binary)
	}
}

// oipQuestion makes a question of the inputs.
func oipQuestion(b *body, inputs map[string][]string) (q question) {
	query, ranks := inputs[oipQuery]
	documents, has := inputs[oipDocuments]
	texts, single := inputs[oipTexts]
	second, pairs := inputs[oipSecond]
	wrong := func(k kind, format string, args ...any) { b.fail(about("inputs", k, format, args...)) }
	switch {
	case ranks != has:
		wrong(missingField, "inputs: want both %q and %q", oipQuery, oipDocuments)
	case ranks == single:
		wrong(missingField, "inputs: want %q and %q of a reranker, or %q", oipQuery, oipDocuments, oipTexts)
	case ranks && len(query) != 1:
		wrong(badValue, "inputs: %q has %d elements, want 1", oipQuery, len(query))
	case pairs && len(second) != len(texts):
		wrong(badValue, "inputs: %d elements of %q, and %d of %q", len(texts), oipTexts, len(second), oipSecond)
	case ranks:
		q.task, q.pairs = scoring, pairsOf(query[0], documents)
	case pairs || b.does == classifying:
		q.task = classifying
		for i, t := range texts {
			s := sequence{first: t}
			if pairs {
				s.second, s.pair = second[i], true
			}
			q.sequences = append(q.sequences, s)
		}
	default:
		q.task, q.texts = embedding, texts
	}
	return q
}

// oipAsked reports whether the output is asked for as bytes. Outputs that there are not are
// failures.
func oipAsked(b *body, name string, binary bool) bool {
	outputs, ok := b.field("outputs")
	if !ok {
		return binary
	}
	outputs.each("an array of outputs", func(o value) {
		n, ok := o.need("name")
		if !ok {
			return
		}
		if is := n.text(); is != name && b.failed == nil {
			b.fail(about(n.name, badValue, "no output %.80q, want %q", is, name))
		}
		if p, ok := o.member("parameters"); ok {
			inner := p.object()
			binary = inner.flag("binary_data", binary)
			b.fail(inner.failed)
		}
	})
	return binary
}

// oipReply writes the answer as JSON, or as JSON and bytes.
func oipReply(a oipAnswer, binary bool) reply {
	if !binary {
		return asJSON(http.StatusOK, a)
	}
	out := &a.Outputs[0]
	bytes := oipFloats(out.Data)
	out.Data, out.Parameters = nil, map[string]any{"binary_data_size": len(bytes)}
	p := asJSON(http.StatusOK, a)
	p.headers = http.Header{oipPrefix: {strconv.Itoa(len(p.body))}}
	p.content, p.body = oipBinary, append(p.body, bytes...)
	return p
}
