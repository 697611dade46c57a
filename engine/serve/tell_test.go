package serve

import (
	"strings"
	"testing"
)

// One field tells the dialect of a shared path, Dialect pins it, and the header says which it
// was.
func TestTell(t *testing.T) {
	for _, c := range []struct {
		pinned, body string
		status       int
		dialect      string
		want         string
	}{
		{"", `{"query": "a", "texts": ["b"]}`, 200, "tei", `[{"index":0`},
		{"", `{"query": "a", "documents": ["b"], "property": ""}`, 200, "weaviate", `"scores"`},
		{"", `{"query": "a", "property": "b"}`, 200, "weaviate", `"property"`},
		{"", `{"query": "a"}`, 422, "tei", "the body has none of them"},
		{"", `{"query": "a", "texts": ["b"], "property": "c"}`, 422, "tei", `the body has "property" and "texts"`},
		{"", `{"query": "a", "texts": ["b"], "property": "c", "documents": ["d"]}`, 422, "tei", `"property" and "texts"`},
		{"", `{`, 400, "tei", "not JSON"},
		{"tei", `{"query": "a", "documents": ["b"], "property": ""}`, 422, "tei", `missing field "texts"`},
		{"weaviate", `{"query": "a", "texts": ["b"]}`, 200, "weaviate", `"property"`},
		{"weaviate", `{`, 400, "weaviate", `{"error":"the body is not JSON`},
	} {
		h, _ := open(t, scoring, Dialect(c.pinned))
		w := send(h, "POST", "/rerank", c.body)
		if w.Code != c.status || w.Header().Get("X-Dialect") != c.dialect || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("pinned %q, %s: %d %s: %s, want %d %s with %s", c.pinned, c.body, w.Code, w.Header().Get("X-Dialect"), w.Body, c.status, c.dialect, c.want)
		}
	}
	// A pinned dialect takes no path from another.
	h, _ := open(t, scoring, Dialect("weaviate"))
	if w := send(h, "POST", "/predict", `{"inputs": ["a", "b"]}`); w.Code != 200 || w.Header().Get("X-Dialect") != "tei" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
