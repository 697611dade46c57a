package serve

import (
	"net/http"
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
	status := no422(statusOf(f))
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
