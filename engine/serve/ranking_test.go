package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// rankers are the dialects whose bodies have documents, with what of their answers differs.
var rankers = []struct {
	dialect, path string
	raw           bool   // without options, of the tiny model
	document      string // "{" for an object, `"` for a text, as repeated on demand
	always        bool   // repeated without demand
}{
	{"", "/rerank", false, "{", false},
	{"", "/v1/rerank", false, "{", false},
	{"", "/v2/rerank", false, "{", false},
	{"cohere", "/rerank", false, "{", false},
	{"jina", "/v1/rerank", false, `"`, false},
	{"jina", "/rerank", false, `"`, false},
	{"vllm", "/rerank", true, "{", true},
	{"vllm", "/v1/rerank", true, "{", true},
	{"vllm", "/v2/rerank", true, "{", true},
	{"infinity", "/rerank", false, `"`, false},
}

// scored is a ranking as clients read it.
type scored struct {
	ID      string
	Model   string
	Results []struct {
		Index    int
		Score    *float32 `json:"relevance_score"`
		Document json.RawMessage
	}
	Usage struct {
		Prompt int `json:"prompt_tokens"`
		Total  int `json:"total_tokens"`
	}
}

// askRanks asks for ranks of documents, with more fields, and returns the answer.
func askRanks(t *testing.T, h http.Handler, path, query string, documents []string, more string) (scored, bool) {
	text, err := json.Marshal(documents)
	if err != nil {
		t.Error(err)
	}
	w := send(h, "POST", path, fmt.Sprintf(`{"model": "m", "query": %q, "documents": %s%s}`, query, text, more))
	var a scored
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		t.Errorf("%s: %d %.300s: %v", path, w.Code, w.Body, err)
		return a, false
	}
	return a, true
}

// inOrder returns the scores in the order of n documents, and the ranks.
func (a *scored) inOrder(n int) (scores []float32, ranks []int) {
	scores = make([]float32, n)
	for _, r := range a.Results {
		scores[r.Index] = *r.Score
		ranks = append(ranks, r.Index)
	}
	return scores, ranks
}

// Scores are the engine's bits in every dialect: of a thousand documents as of parts of them, and
// in a crowd as alone. Documents are ranked by logits, and counted are the tokens that were read.
func TestRankingsAreTheEngines(t *testing.T) {
	const query = "museums"
	texts := someTexts(1000)
	_, eng := open(t, scoring)
	var stats engine.CallStats
	logits, err := eng.Score(t.Context(), nil, pairsOf(query, texts), engine.StatsTo(&stats))
	if err != nil {
		t.Fatal(err)
	}
	sigmoids, err := eng.Score(t.Context(), nil, pairsOf(query, texts), engine.SigmoidScores())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rankers {
		t.Run(r.dialect+r.path, func(t *testing.T) {
			h := ready(t, eng, Dialect(r.dialect))
			want := sigmoids
			if r.raw {
				want = logits
			}
			a, ok := askRanks(t, h, r.path, query, texts, "")
			if !ok {
				return
			}
			scores, ranks := a.inOrder(len(texts))
			if !slices.Equal(scores, want) {
				t.Error("a thousand documents have other scores than the engine gives them")
			}
			if !slices.Equal(ranks, ranked(logits, 0)) {
				t.Error("the order is not that of the logits")
			}
			if a.Usage.Prompt != stats.Tokens || a.Usage.Total != stats.Tokens || a.Model != "tiny" || len(a.ID) < 30 {
				t.Errorf("usage %+v, want %d tokens; model %q, id %q", a.Usage, stats.Tokens, a.Model, a.ID)
			}
			var crowd sync.WaitGroup
			for i := 0; i < len(texts); i += 32 {
				crowd.Go(func() {
					part := texts[i:min(i+32, len(texts))]
					a, ok := askRanks(t, h, r.path, query, part, "")
					if scores, _ := a.inOrder(len(part)); ok && !slices.Equal(scores, want[i:i+len(part)]) {
						t.Errorf("documents from %d on have other scores in a crowd", i)
					}
				})
			}
			crowd.Wait()
		})
	}
}

// top_n limits what is answered and nothing else; documents are repeated where a client asks for
// them, in the form that the dialect's clients read.
func TestRankingsBest(t *testing.T) {
	texts := []string{"A river.", "Berlin has museums.", "", "A river."}
	_, eng := open(t, scoring)
	logits, err := eng.Score(t.Context(), nil, pairsOf("museums", texts))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rankers {
		h := ready(t, eng, Dialect(r.dialect))
		for more, n := range map[string]int{"": 4, `, "top_n": null`: 4, `, "top_n": 1`: 1, `, "top_n": 4`: 4, `, "top_n": 99`: 4} {
			for _, repeat := range []bool{false, true} {
				if repeat {
					more += `, "return_documents": true`
				}
				a, ok := askRanks(t, h, r.path, "museums", texts, more)
				_, ranks := a.inOrder(len(texts))
				if ok && !slices.Equal(ranks, ranked(logits, n)) {
					t.Errorf("%s %s%s: ranks %v, want %v", r.dialect, r.path, more, ranks, ranked(logits, n))
				}
				for _, d := range a.Results {
					want := ""
					if repeat || r.always {
						text := fmt.Sprintf("%q", texts[d.Index])
						if want = text; r.document == "{" {
							want = `{"text":` + text + `}`
						}
					}
					if string(d.Document) != want {
						t.Errorf("%s %s%s: document %d is %s, want %s", r.dialect, r.path, more, d.Index, d.Document, want)
					}
				}
			}
		}
	}
}

// Options about scores and lengths mean what the engine's options mean.
func TestRankingOptions(t *testing.T) {
	texts := []string{strings.Repeat("rivers and museums ", 300) + "end", "Berlin has museums.", "A river."}
	const query = "museums of Berlin"
	left := engine.CutSide(tokenizer.TruncateLeft)
	_, eng := open(t, scoring)
	for _, c := range []struct {
		dialect, more string
		texts         []string // nil: texts
		query         string   // "": query
		opts          []engine.CallOption
	}{
		{"", ``, nil, "", []engine.CallOption{engine.SigmoidScores()}},
		{"", `, "raw_scores": true`, nil, "", nil},
		{"", `, "raw_scores": false`, nil, "", []engine.CallOption{engine.SigmoidScores()}},
		{"", `, "use_activation": false`, nil, "", nil},
		{"", `, "use_activation": true`, nil, "", []engine.CallOption{engine.SigmoidScores()}},
		{"", `, "truncate_prompt_tokens": 9`, nil, "", []engine.CallOption{engine.SigmoidScores(), engine.AtMost(9)}},
		{"", `, "truncation_side": "left"`, nil, "", []engine.CallOption{engine.SigmoidScores(), left}},
		{"", `, "max_tokens_per_doc": 2`, []string{"rivers and", "Berlin has", "A river"}, "", []engine.CallOption{engine.SigmoidScores()}},
		{"", `, "max_tokens_per_doc": 0`, nil, "", []engine.CallOption{engine.SigmoidScores()}},
		{"", `, "max_tokens_per_query": 1`, nil, "museums", []engine.CallOption{engine.SigmoidScores()}},
		{"infinity", `, "raw_scores": true`, nil, "", nil},
		{"vllm", `, "truncate_prompt_tokens": -1`, nil, "", nil},
		{"vllm", `, "truncate_prompt_tokens": 9, "truncation_side": "right"`, nil, "", []engine.CallOption{engine.AtMost(9)}},
		{"vllm", `, "truncate_prompt_tokens": 9, "truncation_side": "left"`, nil, "", []engine.CallOption{engine.AtMost(9), left}},
		{"vllm", `, "truncate_prompt_tokens": 100000`, nil, "", nil}, // never more than the model's
		{"vllm", `, "truncate_prompt_tokens": -1, "use_activation": true`, nil, "", []engine.CallOption{engine.SigmoidScores()}},
		{"vllm", `, "truncate_prompt_tokens": -1, "activation": true`, nil, "", []engine.CallOption{engine.SigmoidScores()}},
		{"vllm", `, "max_tokens_per_doc": 2`, []string{"rivers and", "Berlin has", "A river"}, "", nil},
	} {
		h := ready(t, eng, Dialect(c.dialect))
		cut, q := texts, query
		if c.texts != nil {
			cut = c.texts
		}
		if c.query != "" {
			q = c.query
		}
		want, err := eng.Score(t.Context(), nil, pairsOf(q, cut), c.opts...)
		if err != nil {
			t.Fatal(err)
		}
		a, ok := askRanks(t, h, "/v1/rerank", query, texts, c.more)
		if c.dialect == "infinity" {
			a, ok = askRanks(t, h, "/rerank", query, texts, c.more)
		}
		if scores, _ := a.inOrder(len(texts)); ok && !slices.Equal(scores, want) {
			t.Errorf("%s%s: %v, want %v", c.dialect, c.more, scores, want)
		}
	}
}

// An object's text is ranked, or the fields that rank_fields names, in that order; its strings
// are repeated.
func TestRankingObjects(t *testing.T) {
	h, eng := open(t, scoring)
	for _, c := range []struct{ documents, more, text, repeated string }{
		{`[{"text": "A river.", "n": 1, "title": "R"}]`, ``, "A river.", `{"text":"A river.","title":"R"}`},
		{`[{"title": "A", "body": "river."}]`, `, "rank_fields": ["title", "body"]`, "A river.", `{"body":"river.","title":"A"}`},
		{`[{"title": "A", "body": "river."}]`, `, "rank_fields": ["body", "none", "title"]`, "river. A", `{"body":"river.","title":"A"}`},
		{`["A river."]`, `, "rank_fields": ["title"]`, "A river.", `{"text":"A river."}`},
		{`[{"text": ""}]`, `, "rank_fields": []`, "", `{"text":""}`},
	} {
		want, err := eng.Score(t.Context(), nil, pairsOf("museums", []string{c.text}), engine.SigmoidScores())
		if err != nil {
			t.Fatal(err)
		}
		w := send(h, "POST", "/v1/rerank", fmt.Sprintf(`{"query": "museums", "return_documents": true, "documents": %s%s}`, c.documents, c.more))
		if a := decoded[scored](t, w); len(a.Results) != 1 || *a.Results[0].Score != want[0] || string(a.Results[0].Document) != c.repeated {
			t.Errorf("%s%s: %s, want %v and %s", c.documents, c.more, w.Body, want, c.repeated)
		}
	}
}

// Fields are named once, and are few: a short body does not make a long text.
func TestRankFieldsRefused(t *testing.T) {
	h, _ := open(t, scoring)
	many := make([]string, mostFields+1)
	for i := range many {
		many[i] = strconv.Quote(strconv.Itoa(i))
	}
	for fields, want := range map[string]string{
		`["a", "b", "a"]`:                   `field \"rank_fields\": elements 0 and 2 are the same`,
		"[" + strings.Join(many, ",") + "]": `field \"rank_fields\" has 257 elements, want at most 256`,
	} {
		w := send(h, "POST", "/v1/rerank", `{"query": "q", "documents": [{"a": "b"}], "rank_fields": `+fields+`}`)
		if w.Code != 422 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
}

// vLLM's scores are what the checkpoint's files say: sigmoids of a model that names the sigmoid
// or nothing.
func TestScoresOfTheModelsKind(t *testing.T) {
	h, eng := open(t, scoring, Dialect("vllm"))
	logits, err := eng.Score(t.Context(), nil, pairsOf("museums", []string{"A river."}))
	if err != nil {
		t.Fatal(err)
	}
	for _, is := range []bool{false, true} {
		(*h.models.Load())[0].info.Sigmoid = is
		want, name := slices.Clone(logits), "raw"
		if is {
			squash(want)
			name = "sigmoid"
		}
		w := send(h, "POST", "/score", `{"text_1": "museums", "text_2": "A river."}`)
		got := decoded[struct{ Data []vllmScored }](t, w)
		if got.Data[0].Score != want[0] || w.Header().Get("X-Scores") != name {
			t.Errorf("Sigmoid %v: %s, %s; want %v", is, w.Body, w.Header().Get("X-Scores"), want)
		}
	}
}
