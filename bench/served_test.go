package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/remote"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
)

// reranker answers as text-embeddings-inference does if there are texts, and as Cohere does
// if there are documents, with the scores of a fake engine.
type reranker struct {
	score func(engine.Pair) float64
	fault func(n int64, w http.ResponseWriter) bool // of the n-th request; true: it was answered
	calls atomic.Int64
}

func (r *reranker) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var body struct {
		Query            string
		Texts, Documents []string
	}
	if request.Method != "POST" || json.NewDecoder(request.Body).Decode(&body) != nil {
		http.NotFound(w, request)
		return
	}
	tei := strings.HasSuffix(request.URL.Path, "/v2/rerank") == (body.Texts != nil)
	if tei {
		http.NotFound(w, request)
		return
	}
	if n := r.calls.Add(1); r.fault != nil && r.fault(n, w) {
		return
	}
	list, name := body.Texts, "score"
	if list == nil {
		list, name = body.Documents, "relevance_score"
	}
	var entries []string
	for i := range list { // the last first: the order is the indices'
		at := len(list) - 1 - i
		entries = append(entries, fmt.Sprintf(`{"index":%d,%q:%v}`, at, name, r.score(engine.Pair{Query: body.Query, Passage: list[at]})))
	}
	answer := "[" + strings.Join(entries, ",") + "]"
	if name != "score" {
		answer = `{"id":"x","results":` + answer + `}`
	}
	fmt.Fprint(w, answer)
}

// runServer measures a server with the fake engine's model.
func runServer(t *testing.T, r http.Handler, dialect string, o Options) (*recording.Recording, error) {
	t.Helper()
	only := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if want := map[string]string{remote.TEI: "/rerank", remote.Cohere: "/v2/rerank", remote.OpenAI: "/v1/embeddings"}[dialect]; q.URL.Path != want {
			http.NotFound(w, q)
			return
		}
		r.ServeHTTP(w, q)
	})
	far := httptest.NewServer(only)
	t.Cleanup(far.Close)
	client, err := remote.New(remote.Options{URL: far.URL, Timeout: 5 * time.Second, Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	o.TimeBound = 20 * time.Second // of which the warm-up takes a share
	o.Server, o.Model = client, Checkpoint{ID: "some/model", Files: fstest.MapFS{"model.safetensors": {Data: []byte("weights")}, "vocab.txt": {Data: []byte("words")}}}
	return run(t.Context(), o, o.served(t.Context(), func(string, string) (scorer, error) { return newFake(nil), nil }))
}

func exact(p engine.Pair) float64 { return float64(fakeScore(p)) }

func sigmoid(p engine.Pair) float64 { return 1 / (1 + math.Exp(-exact(p))) }

// Both dialects are told apart, and so are their scales; a batch is one request with one
// query, and what a server does not tell is not 0.
func TestServer(t *testing.T) {
	for _, test := range []struct {
		dialect, scale string
		score          func(engine.Pair) float64
	}{{remote.TEI, "raw", exact}, {remote.Cohere, "sigmoid", sigmoid}, {remote.Cohere, "raw", exact}} {
		r := &reranker{score: test.score}
		rec, err := runServer(t, r, test.dialect, Options{Pairs: 200, Batches: []int{4, 8}, Concurrencies: []int{2}})
		if err != nil {
			t.Fatal(err)
		}
		if err := rec.Validate(); err != nil {
			t.Fatal(err)
		}
		s := rec.Server
		if s == nil || s.Dialect != test.dialect || s.Scale != test.scale || !s.Probed || rec.Backend != test.dialect {
			t.Errorf("%s, %s: server is %+v", test.dialect, test.scale, s)
		}
		for _, run := range rec.Runs {
			if served := run.Served; served.Requests != int64(200/run.Batch) || served.Sent == 0 || served.Received == 0 || len(served.Missed) != 0 || served.Connections >= served.Requests {
				t.Errorf("batch=%d: served %+v", run.Batch, served)
			}
		}
		text := rendered(t, report.Derive(rec))
		for _, want := range []string{"**Dialect:** `" + test.dialect + "` (found by probing)", "**Its scores:** " + test.scale, "**Missed:** 0 of 25 batches"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q", test.dialect, want)
			}
		}
		if strings.Contains(text, "#### Stages (ms)") || !strings.Contains(text, "| Inference (ms) | n/a |") || !strings.Contains(text, "| GFLOP/s | n/a |") {
			t.Errorf("%s: stages or work that no server tells:\n%s", test.dialect, text)
		}
	}
}

// One request in ten fails, in five ways: pairs, tokens and latencies are those of the rest,
// and the misses are counted by kind.
func TestServerFaults(t *testing.T) {
	var faulty atomic.Bool
	var measured atomic.Int64
	r := &reranker{score: exact, fault: func(_ int64, w http.ResponseWriter) bool {
		if !faulty.Load() {
			return false
		}
		n := measured.Add(1)
		if n%10 != 0 {
			return false
		}
		switch n / 10 % 5 {
		case 0:
			http.Error(w, `{"error":"x","error_type":"Overloaded"}`, http.StatusTooManyRequests)
		case 1:
			http.Error(w, "x", http.StatusInternalServerError)
		case 2:
			fmt.Fprint(w, `[{"index":0,"sc`)
		case 3:
			fmt.Fprint(w, `[{"index":0,"score":1}]`)
		case 4:
			fmt.Fprint(w, `[{"index":0,"score":1},{"index":0,"score":1}]`)
		}
		return true
	}}
	o := Options{Pairs: 1000, Batches: []int{2}, Progress: func(stage string, _, _ int) {
		if stage == "batch=2, concurrency=1" {
			faulty.Store(true)
		}
	}}
	rec, err := runServer(t, r, remote.TEI, o)
	if err != nil {
		t.Fatal(err)
	}
	run := &rec.Runs[0]
	f := report.Derive(rec).Configs[0]
	if len(run.Batches) != 450 || f.Pairs != 900 || f.Served.Missed != 50 || f.Served.MissShare != 10 || run.TimeBound {
		t.Errorf("%d batches, %d pairs, served %+v", len(run.Batches), f.Pairs, f.Served)
	}
	want := map[string]int{"status 429": 10, "status 500": 10, "broken body": 10, "wrong count": 20}
	for kind, n := range want {
		if f.Served.Misses[kind] != n {
			t.Errorf("%s: %d misses, want %d of %v", kind, f.Served.Misses[kind], n, f.Served.Misses)
		}
	}
	tokens := 0
	for _, b := range run.Batches {
		tokens += b.Tokens
	}
	if f.Work.Tokens != tokens || f.Latency.N != 450 {
		t.Errorf("%d tokens, %d latencies; want %d, 450", f.Work.Tokens, f.Latency.N, tokens)
	}
}

// A server that never answers right is an error that says so, and not a report without
// batches; nor is one whose scores are of another model.
func TestServerFails(t *testing.T) {
	bad := &reranker{score: exact}
	bad.fault = func(n int64, w http.ResponseWriter) bool {
		if n > 3 { // the probe, the first score, and one of the gate
			http.Error(w, "x", http.StatusServiceUnavailable)
		}
		return n > 3
	}
	if _, err := runServer(t, bad, remote.TEI, Options{Pairs: 100, Batches: []int{2}}); err == nil || !strings.Contains(err.Error(), "status 503") {
		t.Errorf("a server that fails: %v", err)
	}
	other := &reranker{score: func(p engine.Pair) float64 { return -7 * exact(p) }}
	if _, err := runServer(t, other, remote.TEI, Options{Pairs: 100, Batches: []int{2}}); !errors.Is(err, ErrInaccurate) {
		t.Errorf("scores of another model: %v", err)
	}
	for _, o := range []Options{{Stages: true}, {Mix: &MixOptions{}}, {Batches: []int{3, 8}}, {Lengths: []int{32}}} {
		if _, err := runServer(t, other, remote.TEI, o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
