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

// better are the answers that differ on purpose, with the status that ours has and why. The
// package's documentation lists the reasons.
var better = map[string]struct {
	status int
	why    string
}{
	"rerank/33 texts":           {200, anyNumber},
	"rerank/no content type":    {200, noType},
	"embed/no content type":     {424, noType},
	"predict/no content type":   {424, noType},
	"embed/embed_all":           {424, "the engine gives no vectors of single tokens"},
	"rerank/v1 rerank":          {200, morePaths},
	"embed/v1 rerank":           {424, morePaths},
	"predict/v1 rerank":         {424, morePaths},
	"rerank/models":             {200, morePaths},
	"embed/models":              {200, morePaths},
	"predict/models":            {200, morePaths},
	"rerank/openai":             {424, openAIObject},
	"rerank/openai base64":      {424, openAIObject},
	"rerank/openai dimensions":  {424, openAIObject},
	"predict/openai":            {424, openAIObject},
	"predict/openai base64":     {424, openAIObject},
	"predict/openai dimensions": {424, openAIObject},
}

const (
	anyNumber    = "any number of texts is answered, within --max-items, --max-text and --max-body"
	noType       = "a body without a content type is taken for JSON, since Weaviate sends none"
	morePaths    = "paths of other systems are answered, too"
	openAIObject = "an error of /v1/embeddings is an object under \"error\", where OpenAI's clients look for it"
	noCORS       = "CORS is off unless it is asked for"
)

// missing are headers that ours lacks on purpose, and added are fields that ours has besides.
var (
	missing = map[string]string{"access-control-allow-headers": noCORS, "access-control-allow-methods": noCORS}
	added   = map[string]string{"info": "models"}
)

// The package's documentation has each reason.
func TestTEIDifferencesAreTold(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Join(strings.Fields(strings.ReplaceAll(string(source), "//", "")), " ")
	told := func(why string) {
		if !strings.Contains(doc, why) {
			t.Errorf("doc.go does not say: %s", why)
		}
	}
	told(noCORS)
	for _, b := range better {
		told(b.why)
	}
}

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
			t.Run(kind+"/"+r.Name, func(t *testing.T) { r.check(t, h, kind+"/"+r.Name) })
		}
	}
}

func (r *recorded) check(t *testing.T, h *Handler, name string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.request())
	if b, differs := better[name]; differs {
		if w.Code != b.status {
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
	if got, want := shapeOf(w.Body.Bytes(), added[r.Name]), shapeOf(r.JSON, ""); r.JSON != nil && got != want {
		t.Errorf("JSON of the shape\n%s, want\n%s", got, want)
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
	body = strings.ReplaceAll(body, `"dimensions": 64`, `"dimensions": 16`) // the tiny model has 32
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

// shapeOf writes the types of a JSON text: keys, but for one of an object that is left out, and
// of a list its different elements. Of an object whose keys are numbers or labels these are
// left out.
func shapeOf(text []byte, but string) string {
	if len(text) == 0 {
		return ""
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "no JSON"
	}
	if o, is := v.(map[string]any); is {
		delete(o, but)
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
