package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/remote"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// embedder answers as OpenAI's /v1/embeddings does, the last text first. Every tenth request
// after the first few has an answer of fault, if that is not "".
type embedder struct {
	fault string

	mu    sync.Mutex
	texts []int // of each request
}

func (e *embedder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	var body struct {
		Input    []string
		Encoding string `json:"encoding_format"`
	}
	if json.NewDecoder(q.Body).Decode(&body) != nil || body.Encoding != "float" {
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.texts = append(e.texts, len(body.Input))
	calls := len(e.texts)
	e.mu.Unlock()
	if e.fault != "" && calls > 10 && calls%10 == 0 {
		fmt.Fprint(w, e.fault)
		return
	}
	var entries []string
	for i, text := range slices.Backward(body.Input) {
		angle := float64(len(text)) / 10
		entries = append(entries, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":[%v,%v,0]}`, i, 3*math.Cos(angle), 3*math.Sin(angle)))
	}
	fmt.Fprintf(w, `{"object":"list","model":"m","data":[%s],"usage":{"prompt_tokens":1,"total_tokens":1}}`, strings.Join(entries, ","))
}

// A request embeds a query and its passages; its tokens are theirs, each by itself; and the
// report has its speed, says what a score is, and holds it to nothing.
func TestEmbeddings(t *testing.T) {
	e := new(embedder)
	rec, err := runServer(t, e, remote.OpenAI, Options{Pairs: 120, Batches: []int{4}})
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Validate(); err != nil {
		t.Fatal(err)
	}
	if s := rec.Server; s.Dialect != remote.OpenAI || s.Scale != recording.ScaleCosine || !s.Probed || rec.Accuracy != nil {
		t.Errorf("server %+v, accuracy %+v", s, rec.Accuracy)
	}
	if last := e.texts[len(e.texts)-1]; last != 5 {
		t.Errorf("a request of %d texts, want a query and 4 passages", last)
	}
	work, err := builtIn(120)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range rec.Runs[0].Batches {
		at, want, longest := 4*i, 0, 0
		texts := []string{work.pairs[at].Query}
		for _, p := range work.pairs[at : at+4] {
			texts = append(texts, p.Passage)
		}
		for _, text := range texts {
			n := len(strings.Fields(text)) + 2
			want, longest = want+n, max(longest, n)
		}
		if b.Tokens != want || b.Padded != 5*longest || b.Pairs != 4 {
			t.Errorf("batch %d: %d tokens, %d padded, want %d, %d", i, b.Tokens, b.Padded, want, 5*longest)
		}
	}
	r := report.Derive(rec)
	if r.Withheld != "" || r.Summary.PairsPerSecond == nil {
		t.Errorf("withheld: %q", r.Withheld)
	}
	text := rendered(t, r)
	for _, want := range []string{"**Its scores:** cosine of the embeddings of query and passage", "**Accuracy gate:** n/a (a cosine", "A request embeds its texts"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "The server does not tell how it computes") {
		t.Error("the report tells of a gate that was not run")
	}
	other, err := runServer(t, &reranker{score: exact}, remote.TEI, Options{Pairs: 120, Batches: []int{4}})
	if err != nil {
		t.Fatal(err)
	}
	j := compare.Rounds([]compare.Round{{A: r, B: report.Derive(other)}}, nil)
	if j.Outcome() != compare.Incomparable || !strings.Contains(j.Summary(), "work: A has embeddings, B has scores of pairs") {
		t.Errorf("embeddings against scores: %s", j.Summary())
	}
}

// What is no embedding is a miss of its kind, and in no figure of speed.
func TestEmbeddingFaults(t *testing.T) {
	for fault, kind := range map[string]string{
		`{"data":[{"index":0,"embedding":[1,2]}]}`: remote.KindCount,
		`{"data":[{"index":0,"embedding":"AACAPw=="},{"index":1,"embedding":"AACAPw=="},{"index":2,"embedding":"AACAPw=="}]}`: remote.KindBody,
	} {
		rec, err := runServer(t, &embedder{fault: fault}, remote.OpenAI, Options{Pairs: 400, Batches: []int{2}})
		if err != nil {
			t.Fatal(err)
		}
		f := report.Derive(rec).Configs[0]
		if n := f.Served.Misses[kind]; n != 20 || f.Served.Missed != 20 || f.Pairs != 360 {
			t.Errorf("%s: %+v, %d pairs", fault, f.Served, f.Pairs)
		}
	}
}
