package serve_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Systems whose clients are no library that a test could run: their requests, with the headers
// and bodies that their code sends, and their answers, read as that code reads them.

// replayed is such a request.
type replayed struct {
	name    string
	url     func(*asked) string
	headers string // NAME: VALUE, a line each; KEY is the key
	body    string // QUERY, DOCUMENTS and LONG are those of asked, as JSON
	status  int
	read    func(s *stage, body []byte) error
}

var replays = []replayed{
	// Milvus 2.6 and later, internal/util/function/models/tei: at most 32 texts a request; it wants
	// an object for each, sorts them by index, and takes any status but 200 for an error,
	// which it tries three times.
	{"Milvus, TEI", (*asked).rerank, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"query":QUERY,"texts":DOCUMENTS}`, 200, listScores(false, sigmoidOf)},
	{"Milvus, TEI, cut", (*asked).rerank, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"query":QUERY,"texts":LONG,"truncate":true,"truncation_direction":"Left"}`, 200, rowsOf[listed](2)},
	{"Milvus, TEI, uncut", (*asked).rerank, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"query":QUERY,"texts":LONG,"truncate":false,"truncation_direction":"Right"}`, 422, contains("tokens", "512", `"error_type":"Validation"`)},
	{"Milvus, TEI, no key", (*asked).rerank, "Content-Type: application/json",
		`{"query":QUERY,"texts":DOCUMENTS}`, 401, nothing},
	// Its embeddings by TEI: rows in the order of the texts.
	{"Milvus, TEI's embeddings", func(a *asked) string { return a.Embedder + "/embed" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"inputs":DOCUMENTS,"truncate":true,"truncation_direction":"Right"}`, 200, rowsOf[[]float32](6)},
	// models/vllm: no model; sorted by index, and then taken by position.
	{"Milvus, vLLM", (*asked).rerank, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"documents":DOCUMENTS,"query":QUERY}`, 200, cohereScores(sigmoidOf)},
	{"Milvus, vLLM, cut", func(a *asked) string { return a.VLLM + "/rerank" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"documents":LONG,"query":QUERY,"truncate_prompt_tokens":64}`, 200, resultsOf(2)},
	// models/sglang of Milvus 3: a bare list; an index and a score of each document.
	{"Milvus, SGLang", func(a *asked) string { return a.SGLang + "/v1/rerank" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"documents":DOCUMENTS,"model":"BAAI/bge-reranker-v2-m3","query":QUERY}`, 200, listScores(false, itself)},
	{"Milvus, SGLang, cut", func(a *asked) string { return a.SGLang + "/v1/rerank" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"documents":LONG,"model":"BAAI/bge-reranker-v2-m3","query":QUERY}`, 200, rowsOf[listed](2)},
	// models/cohere: the scheme in lower case. models/siliconflow: fields that nobody else has.
	{"Milvus, Cohere", func(a *asked) string { return a.URL + "/v2/rerank" }, "accept: application/json\nContent-Type: application/json\nAuthorization: bearer KEY",
		`{"documents":DOCUMENTS,"model":"rerank-v3.5","query":QUERY}`, 200, cohereScores(sigmoidOf)},
	{"Milvus, SiliconFlow", func(a *asked) string { return a.URL + "/v1/rerank" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"documents":DOCUMENTS,"max_chunks_per_doc":10,"model":"BAAI/bge-reranker-v2-m3","overlap_tokens":20,"query":QUERY}`, 200, cohereScores(sigmoidOf)},

	// Weaviate 1.2x and 1.3x, modules/reranker-transformers: no content type and no key, the
	// property always there and empty, scores in the order of the documents, and an error that
	// is JSON whatever its status, with a string.
	{"Weaviate, transformers", func(a *asked) string { return a.OpenRanker + "/rerank" }, "",
		`{"query":QUERY,"documents":DOCUMENTS,"property":""}`, 200, weaviateScores},
	{"Weaviate, transformers, property", func(a *asked) string { return a.OpenRanker + "/rerank" }, "",
		`{"query":QUERY,"documents":null,"property":"A cell is the smallest unit of life."}`, 200, contains(`"score":`, `"property":"A cell`)},
	{"Weaviate, transformers, nothing", func(a *asked) string { return a.OpenRanker + "/rerank" }, "",
		`{"query":QUERY,"documents":[],"property":""}`, 400, weaviateError},
	{"Weaviate, transformers, wrong", func(a *asked) string { return a.OpenRanker + "/rerank" }, "",
		`{"query":7,"documents":DOCUMENTS,"property":""}`, 422, weaviateError},
	// modules/reranker-cohere, which looks documents up by index, and wants errors to have a message.
	{"Weaviate, Cohere", func(a *asked) string { return a.URL + "/v2/rerank" }, "Authorization: Bearer KEY\nContent-Type: application/json\nRequest-Source: unspecified:weaviate",
		`{"documents":DOCUMENTS,"query":QUERY,"model":"rerank-v3.5","return_documents":false}`, 200, cohereScores(sigmoidOf)},
	{"Weaviate, Cohere, key", func(a *asked) string { return a.URL + "/v2/rerank" }, "Authorization: Bearer wrong\nContent-Type: application/json\nRequest-Source: unspecified:weaviate",
		`{"documents":DOCUMENTS,"query":QUERY,"model":"rerank-v3.5","return_documents":false}`, 401, stringOf("message")},
	// modules/reranker-jinaai: as above, and a detail.
	{"Weaviate, Jina", func(a *asked) string { return a.URL + "/v1/rerank" }, "Authorization: Bearer KEY\nContent-Type: application/json\nRequest-Source: unspecified:weaviate",
		`{"documents":DOCUMENTS,"query":QUERY,"model":"jina-reranker-v2-base-multilingual","return_documents":false}`, 200, cohereScores(sigmoidOf)},
	{"Weaviate, Jina, older", func(a *asked) string { return a.URL + "/v1/rerank" }, "Authorization: Bearer KEY\nContent-Type: application/json\nRequest-Source: unspecified:weaviate",
		`{"documents":DOCUMENTS,"query":QUERY,"model":"jina-reranker-v2-base-multilingual"}`, 200, cohereScores(sigmoidOf)},
	{"Weaviate, Jina, key", func(a *asked) string { return a.URL + "/v1/rerank" }, "Authorization: Bearer wrong\nContent-Type: application/json\nRequest-Source: unspecified:weaviate",
		`{"documents":DOCUMENTS,"query":QUERY,"model":"jina-reranker-v2-base-multilingual"}`, 401, stringOf("detail")},

	// Dify's provider huggingface_tei: the first key of model_type says what the model is for; the
	// texts come back, best first, so that the first top_n can be taken.
	{"Dify, what the model is", func(a *asked) string { return a.URL + "/info" }, "Authorization: Bearer KEY", "", 200, difyInfo("reranker")},
	{"Dify, what the embedder is", func(a *asked) string { return a.Embedder + "/info" }, "Authorization: Bearer KEY", "", 200, difyInfo("embedding")},
	{"Dify, TEI", (*asked).rerank, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"query":QUERY,"texts":DOCUMENTS,"return_text":true}`, 200, listScores(true, sigmoidOf)},
	{"Dify, tokens", func(a *asked) string { return a.URL + "/tokenize" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"inputs":DOCUMENTS}`, 200, rowsOf[[]difyToken](6)},
	{"Dify, embeddings", func(a *asked) string { return a.Embedder + "/v1/embeddings" }, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"input":DOCUMENTS}`, 200, contains(`"usage":`, `"prompt_tokens":`, `"embedding":`)},

	// Whoever compresses, as Triton's client can, is told that it should not.
	{"compressed", func(a *asked) string { return a.URL + "/v2/rerank" }, "Content-Type: application/json\nContent-Encoding: gzip\nAuthorization: Bearer KEY",
		"\x1f\x8b\x08", 415, contains("gzip")},

	// Open WebUI 0.6, retrieval/models/external.py: sorts by index and takes scores by position, so
	// that each document must be there.
	{"Open WebUI", func(a *asked) string { return a.URL + "/v1/rerank" }, "Content-Type: application/json\nAuthorization: Bearer KEY\nX-OpenWebUI-User-Name: A\nX-OpenWebUI-User-Id: 1",
		`{"model": "reranker", "query": QUERY, "documents": DOCUMENTS, "top_n": 6}`, 200, cohereScores(sigmoidOf)},
	{"Open WebUI, without its /v1", (*asked).rerank, "Content-Type: application/json\nAuthorization: Bearer KEY",
		`{"model": "reranker", "query": QUERY, "documents": DOCUMENTS, "top_n": 6}`, 200, cohereScores(sigmoidOf)},
}

// Weaviate's probes at its start have no key either.
func TestWeaviateStarts(t *testing.T) {
	s := newStage(t)
	for _, path := range []string{"/.well-known/ready", "/.well-known/live"} {
		if status, _, body := s.get(t, s.ask.URL+path); status != http.StatusNoContent || len(body) > 0 {
			t.Errorf("%s: %d %q, want 204 without a body", path, status, body)
		}
	}
	status, _, body := s.get(t, s.ask.OpenRanker+"/meta")
	var meta map[string]any
	if err := json.Unmarshal(body, &meta); err != nil || status != 200 || meta == nil {
		t.Errorf("/meta: %d %s, want an object", status, body)
	}
}

func (a *asked) rerank() string { return a.URL + "/rerank" }

// Recorded requests get what those who sent them can read.
func TestReplays(t *testing.T) {
	s := newStage(t)
	for _, r := range replays {
		t.Run(r.name, func(t *testing.T) {
			method, body := http.MethodPost, r.body
			if body == "" {
				method = http.MethodGet
			}
			for name, value := range map[string]any{"QUERY": s.ask.Query, "DOCUMENTS": s.ask.Documents, "LONG": s.ask.Long} {
				text, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				body = strings.ReplaceAll(body, name, string(text))
			}
			request, err := http.NewRequestWithContext(t.Context(), method, r.url(&s.ask), strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(r.headers) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				request.Header.Set(name, strings.Replace(value, "KEY", s.ask.Key, 1))
			}
			status, header, got := s.do(t, request)
			if status != r.status {
				t.Fatalf("%d %s\nwant %d", status, got, r.status)
			}
			if len(got) > 0 && !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
				t.Errorf("content type %q", header.Get("Content-Type"))
			}
			// TEI has null for what it does not know of itself, and for where special tokens are.
			if path := request.URL.Path; path != "/info" && path != "/tokenize" && bytes.Contains(got, []byte("null")) {
				t.Errorf("null in %s", got)
			}
			if err := r.read(s, got); err != nil {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
}

func (s *stage) get(t *testing.T, url string) (status int, header http.Header, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.do(t, r)
}

func (s *stage) do(t *testing.T, r *http.Request) (status int, header http.Header, body []byte) {
	t.Helper()
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if body, err = io.ReadAll(got.Body); err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, got.Header, body
}
