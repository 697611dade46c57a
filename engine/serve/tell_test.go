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
		{"", `{"query": "a", "documents": ["b"]}`, 200, "cohere", `"results"`},
		{"", `{"query": "a", "documents": []}`, 400, "cohere", `"message":"the list of texts is empty"`},
		{"", `{"query": "a", "documents": ["b"], "texts": ["c"]}`, 422, "tei", `the body has "documents" and "texts"`},
		{"cohere", `{"query": "a", "documents": ["b"], "texts": ["c"], "property": "d"}`, 200, "cohere", `"results"`},
		{"cohere", `{"query": "a", "texts": ["c"]}`, 422, "cohere", `missing field \"documents\"`},
		{"jina", `{"query": "a", "documents": ["b"]}`, 200, "jina", `"results"`},
		{"vllm", `{"query": "a", "documents": ["b"]}`, 200, "vllm", `"document":{"text":"b"}`},
		{"infinity", `{"query": "a", "documents": ["b"]}`, 200, "infinity", `"id":"infinity-`},
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
	// Of paths without a mark, one dialect's are reached unless another is pinned.
	for _, c := range []struct{ pinned, method, path, dialect string }{
		{"", "POST", "/v1/rerank", "cohere"},
		{"", "POST", "/v2/rerank", "cohere"},
		{"jina", "POST", "/v1/rerank", "jina"},
		{"jina", "POST", "/v2/rerank", "cohere"},
		{"sglang", "POST", "/v1/rerank", "sglang"},
		{"sglang", "POST", "/v2/rerank", "cohere"},
		{"vllm", "POST", "/v1/rerank", "vllm"},
		{"vllm", "POST", "/v2/rerank", "vllm"},
		{"", "POST", "/v1/embeddings", "openai"},
		{"vllm", "POST", "/v1/embeddings", "vllm"},
		{"", "POST", "/classify", "infinity"},
		{"vllm", "POST", "/classify", "vllm"},
		{"", "POST", "/score", "vllm"},
		{"", "GET", "/health", "tei"},
		{"infinity", "GET", "/health", "infinity"},
		{"", "GET", "/models", "infinity"},
		{"", "GET", "/v1/models", "openai"},
	} {
		h, _ := open(t, scoring, Dialect(c.pinned))
		if w := send(h, c.method, c.path, "{"); w.Header().Get("X-Dialect") != c.dialect {
			t.Errorf("pinned %q, %s: %s, want %s", c.pinned, c.path, w.Header().Get("X-Dialect"), c.dialect)
		}
	}
	// A pinned dialect takes no path from another.
	h, _ := open(t, scoring, Dialect("weaviate"))
	if w := send(h, "POST", "/predict", `{"inputs": ["a", "b"]}`); w.Code != 200 || w.Header().Get("X-Dialect") != "tei" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
