package serve

import (
	"net/http"
	"time"
)

// vllmName is the name of vLLM's dialect.
const vllmName = "vllm"

// vllm is vLLM's reranking, scoring, classifying and embedding, as at 055e47c. Where others
// have the same path it is reached only if it is pinned; /score is its own. Other than they, it
// refuses a text that is too long, unless truncate_prompt_tokens says how to cut it, and its
// scores are what the checkpoint's files say.
func vllm() *dialect {
	d := &dialect{name: vllmName, word: vllmFailure, routes: []route{
		{method: "POST", path: "/v1/embeddings", ask: vllmEmbed},
		{method: "POST", path: "/classify", ask: vllmClassify},
	}}
	for _, path := range []string{"/rerank", "/v1/rerank", "/v2/rerank"} {
		d.routes = append(d.routes, route{method: "POST", path: path, ask: vllmRerank})
	}
	for _, path := range []string{"/score", "/v1/score"} {
		d.routes = append(d.routes, route{method: "POST", path: path, ask: vllmScore})
	}
	return d
}

// errorObject is an error as vLLM, Infinity and OpenAI have it. Code is a number for vLLM and
// Infinity, and a word for OpenAI.
type errorObject struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   string `json:"param,omitempty"`
	Code    any    `json:"code,omitempty"`
}

// vllmError names the type by the status, as vLLM does.
func vllmError(f *failure, status int) errorObject {
	is := http.StatusText(status)
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		is = "BadRequestError"
	case http.StatusNotFound:
		is = "NotFoundError"
	case http.StatusInternalServerError:
		is = "InternalServerError"
	}
	return errorObject{f.message, is, f.field, status}
}

type wrapped struct {
	Error errorObject `json:"error"`
}

func vllmFailure(f *failure) reply {
	status := no422(statusOf(f))
	return asJSON(status, wrapped{vllmError(f, status)})
}

// Values of truncate_prompt_tokens: -1 cuts texts to the model's maximum. Where the field is
// missing, which has a value here, too, none is cut.
const (
	vllmModels = -1
	vllmUncut  = -2
)

// fewest is the fewest tokens that texts can be cut to: the special ones that stand around a
// pair.
const fewest = 3

// vllmMost reads truncate_prompt_tokens, the most tokens of a pair or text.
func vllmMost(b *body) int {
	n := b.count("truncate_prompt_tokens", vllmModels, vllmUncut)
	if n >= 0 && n < fewest {
		b.fail(about("truncate_prompt_tokens", badValue, "field %q: %d, want -1 for the model's maximum, or at least %d, which the special tokens take", "truncate_prompt_tokens", n, fewest))
	}
	return n
}

// vllmShared reads the fields of all of vLLM's tasks. Some of them mean nothing here.
func vllmShared(b *body, q *question) (id string) {
	n := vllmMost(b)
	q.uncut, q.most = n == vllmUncut, max(n, 0)
	q.side = b.side("truncation_side", "right", "left")
	b.ignore("user", "priority", "padding", "cache_salt", "mm_processor_kwargs")
	if id = b.optional("request_id"); id == "" {
		id = newID()
	}
	return id
}

// vllmScale reads use_activation, once called activation.
func vllmScale(b *body, q *question) {
	q.scale = ofModel
	for _, name := range []string{"activation", "use_activation"} {
		if _, given := b.field(name); !given {
			continue
		}
		if q.scale = raw; b.flag(name, true) {
			q.scale = sigmoid
		}
	}
}

// vllmRanking reads the fields of ranking and scoring.
func vllmRanking(b *body, q *question) (id string) {
	vllmScale(b, q)
	q.first, q.second = b.count("max_tokens_per_query", 0, 0), b.count("max_tokens_per_doc", 0, 0)
	return "score-" + vllmShared(b, q)
}

// vllmList is a list of what each text has.
type vllmList struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Data    any    `json:"data"`
	Usage   usage  `json:"usage"`
}

func vllmReply(a *answer, id string, data any) reply {
	return asJSON(http.StatusOK, vllmList{id, "list", time.Now().Unix(), a.model.Name, data, a.usage()})
}
