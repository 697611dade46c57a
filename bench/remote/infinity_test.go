package remote

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// recorded is an answer of a server that ran, and what it was asked.
type recorded struct {
	Name, Model, Method, Path string
	Body                      map[string]any
	Status                    int
	Headers                   map[string]string
	JSON                      json.RawMessage
}

// like says whether a request has the same fields, with lists as long: what is in them is
// left to the model.
func (r *recorded) like(q *http.Request, body map[string]any) bool {
	if r.Method != q.Method || r.Path != q.URL.Path || len(r.Body) != len(body) || r.Body["encoding_format"] != body["encoding_format"] {
		return false
	}
	for name, value := range r.Body {
		of, there := body[name]
		list, ok := value.([]any)
		other, also := of.([]any)
		if !there || ok != also || len(list) != len(other) {
			return false
		}
	}
	return true
}

// infinity is the server again, with one of its models.
func infinity(t *testing.T, model string) http.HandlerFunc {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "infinity.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Responses []recorded }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, q *http.Request) {
		var body map[string]any
		if text, err := io.ReadAll(q.Body); err != nil || len(text) > 0 && json.Unmarshal(text, &body) != nil {
			t.Errorf("%s: no JSON: %s", q.URL.Path, text)
		}
		for _, r := range file.Responses {
			if r.Model == model && r.like(q, body) {
				for name, value := range r.Headers {
					w.Header().Set(name, value)
				}
				w.WriteHeader(r.Status)
				w.Write(r.JSON)
				return
			}
		}
		http.NotFound(w, q)
	}
}

// What Infinity answered is understood: of Cohere's dialect, at a path without a version; the
// scores as probabilities, the best first; the models where few others have them.
func TestRecordedInfinity(t *testing.T) {
	c := serve(t, Options{}, infinity(t, "cross-encoder"))
	if err := c.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := c.About(); a.Dialect != Cohere || a.Path != "/rerank" || a.Model != "models/std" || a.Embeds() {
		t.Errorf("found %+v", a)
	}
	got, err := c.Scores(t.Context(), "a b", []string{"c", "d e", "f g h"})
	if err != nil || !slices.Equal(got, []float64{0.5061599016189575, 0.5075621604919434, 0.5080005526542664}) {
		t.Errorf("%v, %v", got, err)
	}
	_, err = c.tei(t.Context(), "/rerank", "a b", []string{"c", "d e"})
	if of := (*Error)(nil); !errors.As(err, &of) || of.Status != http.StatusUnprocessableEntity {
		t.Errorf("TEI's texts: %v", err)
	}
	_, err = c.embed(t.Context(), "/embeddings", "a", nil)
	if of := (*Error)(nil); !errors.As(err, &of) || of.Status != http.StatusBadRequest {
		t.Errorf("embeddings of a reranker: %v", err)
	}
}

func TestRecordedInfinityEmbeddings(t *testing.T) {
	c := serve(t, Options{}, infinity(t, "embedder"))
	if err := c.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := c.About(); a.Dialect != OpenAI || a.Path != "/embeddings" || a.Model != "work/inf-embed" {
		t.Errorf("found %+v", a)
	}
	got, err := c.Scores(t.Context(), "a b", []string{"c", "d e"})
	if err != nil || len(got) != 2 || math.Abs(got[0]) > 1 || math.Abs(got[1]) > 1 || got[0] == got[1] {
		t.Errorf("%v, %v", got, err)
	}
	// What it sends to who asks for base64, for nobody else to take it for numbers.
	var answer struct {
		Data []struct{ Embedding vector }
	}
	if err := c.do(t.Context(), "POST", "/embeddings", embedRequest{"inf-embed", []string{"a b"}, "base64"}, &answer); err == nil {
		t.Errorf("base64 is %+v", answer)
	}
}
