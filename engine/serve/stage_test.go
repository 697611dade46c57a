package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/serve"
)

// stage is a real server for real clients: engines of each kind behind handlers on ports of
// this machine. It keeps which requests came, and can have the server be busy.
type stage struct {
	ctx                          context.Context // the test's
	ranker, embedder, classifier *engine.Engine
	ask                          asked
	holders                      []*holder

	mu       sync.Mutex
	requests []request // since begin
	busy     bool
}

// asked is what the programs in testdata/clients read: where to ask what.
type asked struct {
	URL        string   `json:"url"`      // a reranker that tells dialects apart
	VLLM       string   `json:"vllm"`     // the same one, with vLLM's dialect pinned
	Infinity   string   `json:"infinity"` // with Infinity's
	SGLang     string   `json:"sglang"`   // with SGLang's
	Embedder   string   `json:"embedder"`
	Open       string   `json:"open"` // the embedder, where no key is asked for
	OpenRanker string   `json:"open ranker"`
	Classifier string   `json:"classifier"`
	Several    string   `json:"several"` // all three under the names tiny, embedder and classifier
	Key        string   `json:"key"`     // that the others ask for
	Model      string   `json:"model"`
	Query      string   `json:"query"`
	Documents  []string `json:"documents"` // some, two of which are equal
	Many       []string `json:"many"`      // more than clients of TEI send at once
	Long       []string `json:"long"`      // the first is longer than the model reads
	Cut        int      `json:"cut"`       // a length to which to cut those
}

// request is one that a client has made, and what it was answered.
type request struct {
	Path, Dialect, Retry string
	Status               int
}

func (r request) String() string { return fmt.Sprintf("%s: %d (%s)", r.Path, r.Status, r.Dialect) }

// newStage opens the engines and starts the servers, which end with the test.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{ctx: t.Context()}
	s.ranker = enginetest.Open(t, s.holding()...)
	s.embedder = enginetest.OpenEmbedder(t, s.holding()...)
	s.classifier = enginetest.OpenClassifier(t)
	s.holders[0].holds(s.ranker, func(n int) error {
		_, err := s.ranker.Score(context.Background(), nil, make([]engine.Pair, n))
		return err
	})
	s.holders[1].holds(s.embedder, func(n int) error {
		_, err := s.embedder.Embed(context.Background(), nil, make([]string, n))
		return err
	})
	s.ask = asked{
		Key: "a-key", Model: "tiny", Query: "What is a cell?", Cut: 16,
		Documents: []string{
			"A cell is the smallest unit of life.",
			"Rain falls in autumn.",
			"Zellen sind klein; 細胞は小さい。 \"Cells\" & <b>more</b>",
			"The prison has forty cells.",
			"Rain falls in autumn.",
			"Berlin has many museums, and all of them are open on Sundays.",
		},
		Long: []string{strings.Repeat("cell ", 600) + "end", "A cell is small."},
	}
	for i := range 40 {
		s.ask.Many = append(s.ask.Many, fmt.Sprintf("Document %d is about %s.", i, strings.Repeat("cells and ", i%7)+"rain"))
	}
	keys := serve.Keys(s.ask.Key)
	ranker := serve.Model{Name: "tiny", Engine: s.ranker}
	s.ask.URL = s.serve(t, []serve.Model{ranker}, keys)
	s.ask.OpenRanker = s.serve(t, []serve.Model{ranker})
	s.ask.VLLM = s.serve(t, []serve.Model{ranker}, keys, serve.Dialect("vllm"))
	s.ask.Infinity = s.serve(t, []serve.Model{ranker}, keys, serve.Dialect("infinity"))
	s.ask.SGLang = s.serve(t, []serve.Model{ranker}, keys, serve.Dialect("sglang"))
	s.ask.Embedder = s.serve(t, []serve.Model{{Name: "tiny", Engine: s.embedder}}, keys)
	s.ask.Open = s.serve(t, []serve.Model{{Name: "tiny", Engine: s.embedder}})
	s.ask.Classifier = s.serve(t, []serve.Model{{Name: "tiny", Engine: s.classifier}}, keys)
	s.ask.Several = s.serve(t, []serve.Model{ranker, {Name: "embedder", Engine: s.embedder}, {Name: "classifier", Engine: s.classifier}}, keys)
	return s
}

// serve starts a server with some models and returns its address.
func (s *stage) serve(t *testing.T, models []serve.Model, opts ...serve.Option) string {
	t.Helper()
	h, err := serve.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Use(models...); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&telling{w, s, r.URL.Path}, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// telling is a ResponseWriter that tells the stage of a request before the client reads the
// first byte of the answer.
type telling struct {
	http.ResponseWriter
	stage *stage
	path  string
}

func (w *telling) WriteHeader(status int) {
	s, h := w.stage, w.Header()
	s.mu.Lock()
	s.requests = append(s.requests, request{w.path, h.Get("X-Dialect"), h.Get("Retry-After"), status})
	if s.busy && status == http.StatusTooManyRequests {
		s.relieve() // the client's next attempt succeeds
	}
	s.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

func (w *telling) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// begin forgets the requests so far. The engines' queues are full from now on until a request
// was refused, if busy.
func (s *stage) begin(busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.busy = nil, busy
	if busy {
		for _, h := range s.holders {
			h.fill()
		}
	}
}

// end returns the requests since begin.
func (s *stage) end() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relieve()
	return s.requests
}

// relieve lets the engines go on, and waits until their queues are empty.
func (s *stage) relieve() {
	if s.busy {
		for _, h := range s.holders {
			h.release()
		}
	}
	s.busy = false
}

// control serves what the programs in testdata/clients need: the question, and that a case
// begins or ends.
func (s *stage) control(t *testing.T, ended func(name string, requests []request)) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(s.ask); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("POST /begin/{name}", func(_ http.ResponseWriter, r *http.Request) {
		s.begin(strings.HasSuffix(r.PathValue("name"), "busy"))
	})
	mux.HandleFunc("POST /end/{name}", func(_ http.ResponseWriter, r *http.Request) {
		ended(r.PathValue("name"), s.end())
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
