package serve

import (
	"encoding/base64"
	"net/http"
	"time"
)

// openAI is OpenAI's embeddings and list of models.
func openAI() *dialect {
	return &dialect{name: "openai", word: openAIFailure, keys: []string{"Api-Key"}, routes: []route{ // Azure's clients send that header
		{method: "POST", path: "/v1/embeddings", mark: "input", ask: openAIEmbed},
		{method: "GET", path: "/v1/models", plain: openAIModels},
		{method: "GET", path: "/v1/models/{model}", plain: openAIModel},
	}}
}

// openAICodes are the words that OpenAI has for failures.
var openAICodes = map[kind]string{
	unauthorized: "invalid_api_key", noModel: "model_not_found", overloaded: "rate_limit_exceeded",
	missingField: "missing_required_parameter", wrongType: "invalid_type", badValue: "invalid_value",
	unknownField: "unknown_parameter", noItems: "empty_array", tooManyItems: "array_above_max_length",
	tooLong: "context_length_exceeded",
}

// openAIFailure has status 400 for all that is wrong with a body.
func openAIFailure(f *failure) reply {
	status := known(f)
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	e := errorObject{Message: f.message, Type: "invalid_request_error", Param: f.field}
	switch {
	case status == http.StatusTooManyRequests:
		e.Type = "requests"
	case status >= http.StatusInternalServerError:
		e.Type = "server_error"
	}
	if code := openAICodes[f.kind]; code != "" {
		e.Code = code
	}
	return asJSON(status, wrapped{e})
}

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
	var flat []int32
	v.each(want, func(e value) {
		switch {
		case e.is('"') && flat == nil && ids == nil:
			texts = append(texts, e.text())
		case e.is('[') && flat == nil && texts == nil:
			ids = append(ids, e.ids())
		case texts == nil && ids == nil:
			flat = append(flat, e.id())
		default:
			e.wrong("what the elements before it are")
		}
	})
	if flat != nil {
		return nil, [][]int32{flat}, true
	}
	return texts, ids, false
}

type openAIInfo struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Owner   string `json:"owned_by"`
	Root    string `json:"root"`
	Length  int    `json:"max_model_len"` // vLLM's, as root is
}

func (m *served) openAI() openAIInfo {
	return openAIInfo{m.Name, "model", m.since, ownName, m.Name, m.info.MaxLength}
}

// list is a list as OpenAI and Infinity have it.
type list struct {
	Object string `json:"object"`
	Data   any    `json:"data"`
}

func listOf(all any) list { return list{"list", all} }

func openAIModels(h *Handler, _ *exchange) (reply, *failure) {
	var all []openAIInfo
	for _, m := range *h.models.Load() {
		all = append(all, m.openAI())
	}
	return asJSON(http.StatusOK, listOf(all)), nil
}

func openAIModel(h *Handler, x *exchange) (reply, *failure) {
	m, f := h.inPath(x.r)
	if f != nil {
		return reply{}, f
	}
	return asJSON(http.StatusOK, m.openAI()), nil
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

// vllmEmbed is OpenAI's embedding as vLLM has it: nothing is cut unless that is asked for, and
// use_activation: false leaves vectors as long as they are.
func vllmEmbed(b *body) (question, encoder) {
	q, encode := vectorsOf(b, 1)
	id := "embd-" + vllmShared(b, &q)
	q.long = !b.flag("use_activation", true)
	b.choice("embed_dtype", "float32")
	b.choice("endianness", "native", "little")
	return q, func(a *answer) reply { return vllmReply(a, id, encode(a)) }
}
