package serve

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// open returns a handler that is ready, with a tiny model of one kind.
func open(t testing.TB, does task, opts ...Option) (*Handler, *engine.Engine) {
	t.Helper()
	var eng *engine.Engine
	switch does {
	case scoring:
		eng = enginetest.Open(t)
	case embedding:
		eng = enginetest.OpenEmbedder(t)
	case classifying:
		eng = enginetest.OpenClassifier(t)
	}
	h := handler(t, opts...)
	if err := h.Use(Model{"tiny", eng}); err != nil {
		t.Fatal(err)
	}
	return h, eng
}

// ready returns a handler with a model that is open already.
func ready(t testing.TB, eng *engine.Engine, opts ...Option) *Handler {
	t.Helper()
	h := handler(t, opts...)
	if err := h.Use(Model{"tiny", eng}); err != nil {
		t.Fatal(err)
	}
	return h
}

// handler returns a handler without a model.
func handler(t testing.TB, opts ...Option) *Handler {
	t.Helper()
	h, err := New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// send sends a request; a body gets the content type of JSON.
func send(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", jsonType)
	}
	return serveOne(h, r)
}

func serveOne(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// decoded returns the JSON of a reply.
func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return v
}
