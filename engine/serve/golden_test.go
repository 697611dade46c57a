package serve

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is a request in a dialect, and all that is answered. The files in testdata/golden have
// some for each dialect: one a line of its table, and one for each thing that clients do wrong.
type golden struct {
	Name    string          `json:"name"`
	Model   string          `json:"model"` // reranker, embedder or classifier
	Dialect string          `json:"dialect,omitempty"`
	Strict  bool            `json:"strict,omitempty"`
	MaxBody int64           `json:"max_body,omitempty"`
	Request goldenRequest   `json:"request"`
	Status  int             `json:"status"`
	Headers json.RawMessage `json:"headers"` // those of goldenHeaders that there are
	Body    json.RawMessage `json:"body"`    // JSON, or the text as a string
}

type goldenRequest struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers,omitempty"` // beside the content type of JSON, unless one is set
	Body    json.RawMessage   `json:"body,omitempty"`    // JSON, or any text as a string. "{long}" becomes 600 words
}

// goldenHeaders are compared. The others are times.
var goldenHeaders = []string{"Allow", "Content-Type", "Location", "Retry-After", "X-Compute-Characters", "X-Compute-Tokens", "X-Dialect", "X-Scores"}

// goldens returns those of a file of testdata/golden.
func goldens(t testing.TB, file string) (all []golden) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all
}

func goldenFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

func TestGoldens(t *testing.T) {
	models := openAll(t)
	for _, file := range goldenFiles(t) {
		all := goldens(t, file)
		for i := range all {
			g := &all[i]
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+g.Name, func(t *testing.T) { g.check(t, g.send(t, models)) })
		}
		if *update {
			text, err := json.MarshalIndent(all, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// openAll opens a tiny model of each kind.
func openAll(t testing.TB) map[string]*engine.Engine {
	return map[string]*engine.Engine{"reranker": enginetest.Open(t), "embedder": enginetest.OpenEmbedder(t), "classifier": enginetest.OpenClassifier(t)}
}

// send sends the request to a handler with the model that the golden names.
func (g *golden) send(t testing.TB, models map[string]*engine.Engine, opts ...Option) *httptest.ResponseRecorder {
	t.Helper()
	opts = append(opts, Dialect(g.Dialect))
	if g.Strict {
		opts = append(opts, Strict())
	}
	if g.MaxBody > 0 {
		opts = append(opts, MaxBody(g.MaxBody))
	}
	h := handler(t, opts...)
	if err := h.Use(Model{"tiny", models[g.Model]}); err != nil {
		t.Fatalf("%q: %v", g.Model, err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, g.Request.http())
	return w
}

func (r *goldenRequest) http() *http.Request {
	q := httptest.NewRequest(r.Method, r.Path, bytes.NewReader(r.bytes()))
	if len(r.Body) > 0 {
		q.Header.Set("Content-Type", jsonType)
	}
	for name, value := range r.Headers {
		q.Header.Set(name, value)
	}
	return q
}

// bytes is the body that is sent.
func (r *goldenRequest) bytes() []byte {
	body := bytes.ReplaceAll(r.Body, []byte("{long}"), []byte(strings.TrimSuffix(strings.Repeat("b ", 600), " ")))
	var text string
	if json.Unmarshal(body, &text) == nil {
		return []byte(text)
	}
	return body
}

func (g *golden) check(t *testing.T, w *httptest.ResponseRecorder) {
	headers := map[string]string{}
	for _, name := range goldenHeaders {
		if v := w.Header().Get(name); v != "" {
			headers[name] = v
		}
	}
	body := w.Body.Bytes()
	if !json.Valid(body) {
		body = asJSON(0, string(body)).body
	}
	if *update {
		g.Status, g.Headers, g.Body = w.Code, asJSON(0, headers).body, masked(t, body)
		return
	}
	if w.Code != g.Status {
		t.Errorf("status %d, want %d", w.Code, g.Status)
	}
	if diff := differ(parsed(t, asJSON(0, headers).body), parsed(t, g.Headers), "headers"); diff != "" {
		t.Error(diff)
	}
	if diff := differ(parsed(t, masked(t, body)), parsed(t, g.Body), "body"); diff != "" {
		t.Errorf("%s\n%s", diff, w.Body)
	}
}

func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// masked replaces what is new in each answer: long ids, and times.
func masked(t *testing.T, text []byte) []byte {
	return asJSON(0, mask(parsed(t, text))).body
}

func mask(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			v[name] = mask(e)
		}
		if id, is := v["id"].(string); is && len(id) > 20 {
			v["id"] = "(id)"
		}
		for _, name := range []string{"created", "unix"} {
			if _, is := v[name].(float64); is {
				v[name] = 0.
			}
		}
	case []any:
		for i := range v {
			v[i] = mask(v[i])
		}
	}
	return v
}

// differ says where two JSON values differ. Numbers may by what float32 does on other machines.
func differ(got, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		got, is := got.(map[string]any)
		if !is || len(got) != len(want) {
			return fmt.Sprintf("%s: %v, want %v", at, got, want)
		}
		for k := range want {
			if diff := differ(got[k], want[k], at+"."+k); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		got, is := got.([]any)
		if !is || len(got) != len(want) {
			return fmt.Sprintf("%s: %v, want %v", at, got, want)
		}
		for i := range want {
			if diff := differ(got[i], want[i], fmt.Sprintf("%s[%d]", at, i)); diff != "" {
				return diff
			}
		}
		return ""
	case float64:
		if got, is := got.(float64); is && math.Abs(got-want) <= 1e-3*math.Abs(want)+1e-6 {
			return ""
		}
	}
	if got != want {
		return fmt.Sprintf("%s: %v, want %v", at, got, want)
	}
	return ""
}
