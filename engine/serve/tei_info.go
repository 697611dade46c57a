package serve

import (
	"cmp"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
)

// teiModel has null for what is not known here, as text-embeddings-inference has.
type teiModel struct {
	ID          string  `json:"model_id"`
	SHA         *string `json:"model_sha"`
	Type        string  `json:"model_dtype"`
	Name        string  `json:"served_model_name"`
	Kind        any     `json:"model_type"`
	Requests    int     `json:"max_concurrent_requests"`
	Length      int     `json:"max_input_length"`
	Tokens      int     `json:"max_batch_tokens"`
	Passes      int     `json:"max_batch_requests"`
	Items       int     `json:"max_client_batch_size"`
	Truncates   bool    `json:"auto_truncate"`
	Tokenizers  int     `json:"tokenization_workers"`
	Version     string  `json:"version"`
	Commit      string  `json:"sha"`
	DockerLabel *string `json:"docker_label"`
	// Models are all that are served, for the page. text-embeddings-inference has no such field.
	Models []modelFacts `json:"models"`
}

type teiLabels struct {
	Names map[string]string `json:"id2label"`
	IDs   map[string]int    `json:"label2id"`
}

type teiPooling struct {
	Pooling string `json:"pooling"`
}

// teiInfo describes the default model. The first key of model_type says what it is for.
func teiInfo(h *Handler, x *exchange) (reply, *failure) {
	m, f := h.inPath(x.r)
	if f != nil {
		return reply{}, f
	}
	version, commit := build()
	return asJSON(http.StatusOK, teiModel{
		ID: m.Name, Type: dtype(m.info.Precision), Name: m.Name, Kind: m.teiKind(),
		Requests: h.options.requests, Length: m.info.MaxLength, Tokens: max(m.info.TokenBudget, m.info.MaxLength), Passes: m.info.Workers,
		Items: h.options.items, Truncates: !h.options.uncut, Tokenizers: m.info.Workers, Version: version, Commit: commit, Models: h.modelFacts(),
	}), nil
}

func (m *served) teiKind() any {
	if m.does == embedding {
		return map[string]teiPooling{"embedding": {m.pooling()}}
	}
	l := teiLabels{map[string]string{}, map[string]int{}}
	for i, name := range m.labels() {
		l.Names[strconv.Itoa(i)], l.IDs[name] = name, i
	}
	if m.does == classifying {
		return map[string]teiLabels{"classifier": l}
	}
	return map[string]teiLabels{"reranker": l}
}

// pooling is how the model pools, as Info's first module has it after the colon: mean, cls, max.
func (m *served) pooling() string {
	for _, module := range m.info.Modules {
		if _, how, found := strings.Cut(module, "pooling: "); found {
			how, _, _ = strings.Cut(how, ",")
			return how
		}
	}
	return ""
}

// dtype is what Python's libraries call a precision.
func dtype(precision string) string {
	switch precision {
	case "f32":
		return "float32"
	case "f64":
		return "float64"
	case "f16":
		return "float16"
	case "bf16":
		return "bfloat16"
	}
	return precision
}

const unknown = "unknown"

// build is the program's version, and the commit it was built from where that is known.
func build() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown, unknown
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return cmp.Or(info.Main.Version, unknown), cmp.Or(commit, unknown)
}
