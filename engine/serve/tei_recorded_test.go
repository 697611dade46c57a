package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recorded is one request to text-embeddings-inference 1.9.3, and what it answered.
type recorded struct {
	Name    string
	Request struct {
		Method, Path string
		Body         json.RawMessage
		Headers      map[string]string // null: that of JSON, where there is a body
	}
	Status  int
	Content *string `json:"content_type"`
	Headers []string
	JSON    json.RawMessage
	Keys    []string `json:"json_keys"`
	Type    string   `json:"error_type"`
}

// better are the answers that differ on purpose, with the status that ours has and why.
var better = map[string]struct {
	status int
	why    string
}{
	"rerank/33 texts":          {200, "any number of texts is split inside, within --max-items and --max-body"},
	"rerank/no content type":   {200, "a body without a content type is taken for JSON, since Weaviate's has none"},
	"embed/no content type":    {424, "as above"},
	"predict/no content type":  {424, "as above"},
	"embed/embed_all":          {424, "the engine gives no vectors of single tokens"},
	"embed/embed unnormalized": {422, "a model whose own modules make vectors of length 1 has no others"},
}

// missing are headers that ours lacks on purpose.
var missing = map[string]string{
	"access-control-allow-headers": "CORS is off unless it is asked for",
	"access-control-allow-methods": "CORS is off unless it is asked for",
}

// later are other dialects' paths.
var later = []string{"openai", "openai base64", "openai dimensions"}

func TestTEIRecorded(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: recorded answers of text-embeddings-inference are not read")
	}
	for kind, does := range map[string]task{"rerank": scoring, "embed": embedding, "predict": classifying} {
		file, err := os.ReadFile(filepath.Join(shared, "data", "tei", kind+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var all struct{ Responses []recorded }
		if err := json.Unmarshal(file, &all); err != nil {
			t.Fatal(err)
		}
		if len(all.Responses) < 40 {
			t.Fatalf("%s: %d responses", kind, len(all.Responses))
		}
		h, _ := open(t, does, MaxBody(2_000_000)) // the recorded one's limit
		for _, r := range all.Responses {
			if slices.Contains(later, r.Name) {
				continue
			}
			t.Run(kind+"/"+r.Name, func(t *testing.T) { r.check(t, h, kind+"/"+r.Name) })
		}
	}
}

func (r *recorded) check(t *testing.T, h *Handler, name string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.request())
	if b, differs := better[name]; differs {
		if w.Code != b.status || w.Code == r.Status {
			t.Errorf("%d %s, want %d: %s", w.Code, w.Body, b.status, b.why)
		}
		return
	}
	if w.Code != r.Status {
		t.Fatalf("%d %s, want %d", w.Code, w.Body, r.Status)
	}
	content := ""
	if r.Content != nil {
		content = *r.Content
	}
	if got := w.Header().Get("Content-Type"); got != content {
		t.Errorf("content type %q, want %q", got, content)
	}
	for _, name := range r.Headers {
		if w.Header().Get(name) == "" && missing[name] == "" {
			t.Errorf("no header %s; there are %v", name, w.Header())
		}
	}
	for _, wide := range []struct{ got, want string }{{shapeOf(t, w.Body.Bytes()), shapeOf(t, r.JSON)}} {
		if r.JSON != nil && wide.got != wide.want {
			t.Errorf("JSON of the shape\n%s, want\n%s", wide.got, wide.want)
		}
	}
	if r.Keys != nil {
		e := decoded[map[string]string](t, w)
		if len(e) != len(r.Keys) || e["error_type"] != r.Type || e["error"] == "" {
			t.Errorf("error %s, want keys %v and error_type %s", w.Body, r.Keys, r.Type)
		}
	}
	if content == "" && w.Body.Len() > 0 {
		t.Errorf("a body of %d bytes", w.Body.Len())
	}
}

// request is what was sent. Bodies too long to be recorded are named.
func (r *recorded) request() *http.Request {
	body := string(r.Request.Body)
	var text string
	switch {
	case body == "null":
		body = ""
	case json.Unmarshal(r.Request.Body, &text) == nil:
		body = text
	}
	long := map[string]string{
		"long, default": "", "long, truncate false": `, "truncate": false`,
		"long, truncate true left": `, "truncate": true, "truncation_direction": "Left"`,
		"long, left lower case":    `, "truncate": true, "truncation_direction": "left"`,
	}
	if options, is := long[r.Name]; is {
		body = fmt.Sprintf(`{"query": "a", "texts": ["%s"]%s}`, strings.Repeat("b ", 2000), options)
	}
	if r.Name == "big body" {
		body = fmt.Sprintf(`{"query": "a", "texts": ["%s"]}`, strings.Repeat("b", 2_100_000))
	}
	q := httptest.NewRequest(r.Request.Method, r.Request.Path, strings.NewReader(body))
	if r.Request.Headers == nil && body != "" {
		q.Header.Set("Content-Type", jsonType)
	}
	for name, value := range r.Request.Headers {
		q.Header.Set(name, value)
	}
	return q
}

// shapeOf writes the types of a JSON text: keys, and of a list its different elements. Of a map
// whose keys are numbers or labels the keys are left out.
func shapeOf(t *testing.T, text []byte) string {
	if len(text) == 0 {
		return ""
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "no JSON"
	}
	return shape(v)
}

func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var all []string
		for k, e := range v {
			if strings.HasPrefix(k, "LABEL_") || k >= "0" && k <= "9" || labels[k] {
				k = "*"
			}
			all = append(all, k+":"+shape(e))
		}
		slices.Sort(all)
		return "{" + strings.Join(slices.Compact(all), " ") + "}"
	case []any:
		var all []string
		for _, e := range v {
			if cut, is := e.(string); is && strings.HasSuffix(cut, " in all") {
				continue // "384 numbers in all" stands for those left out
			}
			all = append(all, shape(e))
		}
		slices.Sort(all)
		return "[" + strings.Join(slices.Compact(all), " ") + "]"
	case float64:
		return "number"
	case string:
		return "string"
	case bool:
		return "bool"
	}
	return "null"
}

// labels are those of the tiny classifier.
var labels = map[string]bool{"contradiction": true, "entailment": true, "neutral": true}
