package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// speaker is a dialect at a path, and how its clients read errors there.
type speaker struct {
	dialect, path string
	does          task
	list, rest    string // the field with the texts, and all the others
	says          func(body []byte) (message string, right bool)
	statuses      map[string]int // those that differ from wrongs
}

// reads returns the string at a place in JSON, such as error.message.
func reads(place string) func([]byte) (string, bool) {
	return func(body []byte) (string, bool) {
		var v any
		if json.Unmarshal(body, &v) != nil {
			return "", false
		}
		for name := range strings.SplitSeq(place, ".") {
			switch o := v.(type) {
			case map[string]any:
				v = o[name]
			case []any:
				v = o[0]
			}
		}
		text, is := v.(string)
		return text, is && text != ""
	}
}

// details reads Infinity's errors: details of what is wrong with a body, one under "detail" of
// other things that are wrong with a request, and an object of all else.
func details(body []byte) (string, bool) {
	for _, place := range []string{"detail.0.msg", "error.message", "detail"} {
		if text, right := reads(place)(body); right {
			return text, true
		}
	}
	return "", false
}

var (
	allBad = map[string]int{ // 400, where others have 422
		"no texts": 400, "number": 400, "object": 400, "strict": 400, "array": 400, "many": 400, "empty": 400,
	}
	fastAPI  = map[string]int{"empty": 422, "not JSON": 422, "no body": 422, "twice": 422, "half": 422, "latin": 422}
	speakers = []speaker{
		{"", "/rerank", scoring, "documents", `"query": "a"`, nil, nil}, // where no dialect is known yet, text-embeddings-inference's
		{"", "/v1/rerank", scoring, "documents", `"query": "a"`, reads("message"), nil},
		{"", "/v1/rerank", scoring, "documents", `"query": "a"`, reads("detail"), nil},
		{"", "/v2/rerank", scoring, "documents", `"query": "a"`, reads("error.message"), nil},
		{"cohere", "/rerank", scoring, "documents", `"query": "a"`, reads("id"), nil},
		{"jina", "/v1/rerank", scoring, "documents", `"query": "a"`, reads("detail"), nil},
		{"sglang", "/v1/rerank", scoring, "documents", `"query": "a"`, reads("message"), allBad},
		{"vllm", "/rerank", scoring, "documents", `"query": "a"`, reads("error.message"), allBad},
		{"", "/score", scoring, "text_2", `"text_1": "a"`, reads("error.type"), allBad},
		{"vllm", "/classify", classifying, "input", `"model": "m"`, reads("error.message"), allBad},
		{"vllm", "/v1/embeddings", embedding, "input", `"model": "m"`, reads("error.message"), allBad},
		{"infinity", "/rerank", scoring, "documents", `"query": "a"`, details, fastAPI},
		{"", "/embeddings", embedding, "input", `"model": "m"`, details, fastAPI},
		{"", "/classify", classifying, "input", `"model": "m"`, details, fastAPI},
		{"", "/v1/embeddings", embedding, "input", `"model": "m"`, reads("error.message"), allBad},
		{"tei", "/rerank", scoring, "texts", `"query": "a"`, nil, nil},
		{"weaviate", "/rerank", scoring, "documents", `"query": "a", "property": ""`, reads("error"), map[string]int{"no texts": 200}},
	}
)

// kindOf names the kinds of openAll.
var kindOf = map[task]string{scoring: "reranker", embedding: "embedder", classifying: "classifier"}

// What clients do wrong has a status and an error that they can read, in every dialect: nothing
// is scored, and nothing of the text is in the error.
func TestWrongBodies(t *testing.T) {
	engines := openAll(t)
	for _, s := range speakers {
		texts := func(value string) string { return fmt.Sprintf(`{%s, %q: %s}`, s.rest, s.list, value) }
		for name, c := range map[string]struct {
			body   string
			status int
			opts   []Option
		}{
			"right":    {texts(`["secret"]`), 200, nil},
			"unknown":  {texts(`["secret"], "x": 1`), 200, nil},
			"empty":    {texts(`[]`), 400, nil},
			"no texts": {"{" + s.rest + "}", 422, nil},
			"number":   {texts(`["secret", 7]`), 422, nil},
			"object":   {texts(`{"secret": "a"}`), 422, nil},
			"strict":   {texts(`["secret"], "x": 1`), 422, []Option{Strict()}},
			"many":     {texts(`["secret", "b", "c"]`), 422, []Option{MaxItems(2)}},
			"large":    {texts(`["secret"]`), 413, []Option{MaxBody(20)}},
			"not JSON": {texts(`["secret"`), 400, nil},
			"no body":  {"", 400, nil},
			"array":    {`["secret"]`, 422, nil},
			"twice":    {texts(`["secret"]`)[:len(texts(`["secret"]`))-1] + fmt.Sprintf(`, %q: []}`, s.list), 400, nil},
			"half":     {texts(`["secret \ud83d"]`), 400, nil},
			"latin":    {texts("[\"secret \xe9\"]"), 400, nil},
		} {
			h := ready(t, engines[kindOf[s.does]], append(c.opts, Dialect(s.dialect))...)
			w := send(h, "POST", s.path, c.body)
			want := c.status
			if other := s.statuses[name]; other != 0 {
				want = other
			}
			if w.Code != want {
				t.Errorf("%s %s: %s: %d %s, want %d", s.dialect, s.path, name, w.Code, w.Body, want)
			}
			if w.Code == http.StatusOK {
				continue
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%s %s: %s: a text is in the error %s", s.dialect, s.path, name, w.Body)
			}
			if s.says == nil {
				continue
			}
			if _, right := s.says(w.Body.Bytes()); !right || w.Header().Get("Content-Type") != jsonType {
				t.Errorf("%s %s: %s: clients cannot read %s", s.dialect, s.path, name, w.Body)
			}
		}
	}
}

// Errors that are no fault of a body: a model of another kind, none of the name, and a server
// that is busy or not ready.
func TestWrongTimes(t *testing.T) {
	engines := openAll(t)
	for _, s := range speakers {
		body := fmt.Sprintf(`{%s, %q: ["secret"], "model": "huge"}`, s.rest, s.list)
		if s.rest == `"model": "m"` {
			body = fmt.Sprintf(`{"model": "huge", %q: ["secret"]}`, s.list)
		}
		check := func(what string, h *Handler, status int, retry bool) {
			t.Helper()
			w := send(h, "POST", s.path, body)
			if w.Code != status || (w.Header().Get("Retry-After") != "") != retry {
				t.Errorf("%s %s: %s: %d %s, Retry-After %q; want %d", s.dialect, s.path, what, w.Code, w.Body, w.Header().Get("Retry-After"), status)
			}
			if s.says == nil {
				return
			}
			if text, right := s.says(w.Body.Bytes()); !right || strings.Contains(text, "secret") {
				t.Errorf("%s %s: %s: clients cannot read %s", s.dialect, s.path, what, w.Body)
			}
		}
		check("not ready", handler(t, Dialect(s.dialect)), 503, true)

		eng := engines[kindOf[s.does]]
		busy := ready(t, eng, Dialect(s.dialect), MaxRequests(1))
		busy.places <- struct{}{}
		check("busy", busy, 429, true)

		other := embedding
		if s.does == embedding {
			other = scoring
		}
		check("another kind", ready(t, engines[kindOf[other]], Dialect(s.dialect)), 424, false)

		several := handler(t, Dialect(s.dialect))
		if err := several.Use(Model{"one", eng}, Model{"two", eng}); err != nil {
			t.Fatal(err)
		}
		status := 404
		switch {
		case s.dialect == "tei":
			status = 422
		case s.statuses["not JSON"] != 0: // Infinity
			status = 400
		}
		check("no such model", several, status, false)
	}
}

// The failures of the engine have a status that tells clients whether to ask again.
func TestWordsOfFailures(t *testing.T) {
	for _, d := range table() {
		for k := range kinds {
			f := failed(k, "a message")
			p := d.word(f)
			if k == deviceFailed && d.name != teiName && d.name != ownName && d.name != "oip" && d.name != "weaviate" && p.status != 500 {
				t.Errorf("%s: a device's failure has status %d", d.name, p.status)
			}
			if p.status < 400 || p.status > 599 || p.content == jsonType && !json.Valid(p.body) {
				t.Errorf("%s: %v: %d %s", d.name, k, p.status, p.body)
			}
			if len(p.body) > 0 && !strings.Contains(string(p.body), "a message") {
				t.Errorf("%s: %v: %s", d.name, k, p.body)
			}
			if (k == overloaded) != (p.status == http.StatusTooManyRequests) || (k == unauthorized) != (p.status == http.StatusUnauthorized) {
				t.Errorf("%s: %v has status %d", d.name, k, p.status)
			}
		}
	}
}
