package serve

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// someTexts are n texts of different lengths, of which every fifth is that before it.
func someTexts(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		k := i
		if i%5 == 4 {
			k--
		}
		texts[i] = fmt.Sprintf("Passage %d is about %s.", k, strings.Repeat("rivers and museums ", k%7))
	}
	return texts
}

// ask asks for ranks of texts, and returns the score of each.
func ask(t *testing.T, h *Handler, query string, texts []string, options string) (scores []float32, order []int) {
	body, err := json.Marshal(texts)
	if err != nil {
		t.Error(err)
	}
	w := send(h, "POST", "/rerank", fmt.Sprintf(`{"query": %q, "texts": %s%s}`, query, body, options))
	var ranks []teiRank
	if err := json.Unmarshal(w.Body.Bytes(), &ranks); err != nil || w.Code != 200 || len(ranks) != len(texts) {
		t.Errorf("%d %.200s: %v", w.Code, w.Body, err)
		return make([]float32, len(texts)), nil
	}
	scores = make([]float32, len(texts))
	for _, r := range ranks {
		scores[r.Index] = r.Score
		order = append(order, r.Index)
	}
	return scores, order
}

// Scores over HTTP are the engine's bits, in a crowd as alone, and a thousand texts have those
// that they have in requests of 32.
func TestScoresAreTheEngines(t *testing.T) {
	h, eng := open(t, scoring)
	texts := someTexts(1000)
	want, err := eng.Score(t.Context(), nil, pairsOf("museums", texts), engine.SigmoidScores())
	if err != nil {
		t.Fatal(err)
	}
	logits, err := eng.Score(t.Context(), nil, pairsOf("museums", texts))
	if err != nil {
		t.Fatal(err)
	}
	got, order := ask(t, h, "museums", texts, "")
	if !slices.Equal(got, want) {
		t.Error("a thousand texts have other scores than the engine gives them")
	}
	if !slices.Equal(order, ranked(logits, 0)) {
		t.Error("the order is not that of the logits")
	}
	if got, _ := ask(t, h, "museums", texts, `, "raw_scores": true`); !slices.Equal(got, logits) {
		t.Error("raw scores are not the logits")
	}
	var crowd sync.WaitGroup
	for i := 0; i < len(texts); i += 32 {
		crowd.Go(func() {
			part := texts[i:min(i+32, len(texts))]
			if got, _ := ask(t, h, "museums", part, ""); !slices.Equal(got, want[i:i+len(part)]) {
				t.Errorf("texts from %d on have other scores in a crowd", i)
			}
		})
	}
	crowd.Wait()
}

// Equal scores keep the order of the texts, and scores whose sigmoids are equal are ranked by
// their logits.
func TestRanked(t *testing.T) {
	for _, c := range []struct {
		scores []float32
		top    int
		want   []int
	}{
		{nil, 0, []int{}},
		{[]float32{1, 3, 1, 3, 2}, 0, []int{1, 3, 4, 0, 2}},
		{[]float32{1, 3, 1, 3, 2}, 2, []int{1, 3}},
		{[]float32{1, 3}, 9, []int{1, 0}},
		{[]float32{20, 22, 21}, 0, []int{1, 2, 0}},
	} {
		if got := ranked(c.scores, c.top); !slices.Equal(got, c.want) {
			t.Errorf("%v, top %d: %v, want %v", c.scores, c.top, got, c.want)
		}
	}
	close := []float32{20, 22, 21}
	if squash(close); close[0] != close[1] || close[1] != close[2] {
		t.Errorf("%v: not equal as sigmoids, so that the last case shows nothing", close)
	}
}

// Several models on one port: a body's model or a path's names one; without a name it is the
// first that can do what is asked.
func TestModels(t *testing.T) {
	h := handler(t)
	small, large := enginetest.Open(t, engine.MaxLength(8)), enginetest.Open(t)
	err := h.Use(Model{"small", small}, Model{"large", large}, Model{"vectors", enginetest.OpenEmbedder(t)}, Model{"labels", enginetest.OpenClassifier(t)})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"Berlin has many museums, and each of them has a river."}
	for name, eng := range map[string]*engine.Engine{"": small, "small": small, "large": large} {
		want, err := eng.Score(t.Context(), nil, pairsOf("museums", texts), engine.SigmoidScores())
		if err != nil {
			t.Fatal(err)
		}
		options := ""
		if name != "" {
			options = fmt.Sprintf(`, "model": %q`, name)
		}
		if got, _ := ask(t, h, "museums", texts, options); !slices.Equal(got, want) {
			t.Errorf("model %q: %v, want %v", name, got, want)
		}
	}
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/embed", `{"inputs": "a"}`, 200, "[["},
		{"/", `{"query": "a", "texts": ["b"]}`, 200, `"score"`},
		{"/", `{"inputs": "a", "model": "vectors"}`, 200, "[["},
		{"/", `{"model": "labels", "inputs": "a"}`, 200, "entailment"},
		{"/", `{"inputs": "a", "model": "huge"}`, 422, ""},
		{"/predict", `{"inputs": "a"}`, 200, "entailment"},
		{"/predict", `{"inputs": "a", "model": "large"}`, 200, "LABEL_0"},
		{"/rerank", `{"query": "a", "texts": ["b"], "model": "vectors"}`, 424, `model \"vectors\" is an embedder, and this needs a reranker`},
		{"/rerank", `{"query": "a", "texts": ["b"], "model": "huge"}`, 422, `no model \"huge\", want small or large or vectors or labels`},
		{"/v1/rerank", `{"query": "a", "documents": ["b"]}`, 200, `"model":"small"`},
		{"/v1/rerank", `{"query": "a", "documents": ["b"], "model": "large"}`, 200, `"model":"large"`},
		{"/v1/rerank", `{"query": "a", "documents": ["b"], "model": "default/not-specified"}`, 200, `"model":"small"`},
		{"/v2/rerank", `{"query": "a", "documents": ["b"], "model": "huge"}`, 404, `no model \"huge\", want small or large or vectors or labels`},
		{"/score", `{"text_1": "a", "text_2": "b", "model": "vectors"}`, 424, `model \"vectors\" is an embedder, and this needs a reranker`},
		{"/v1/embeddings", `{"input": "a"}`, 200, `"model":"vectors"`},
		{"/v1/embeddings", `{"input": "a", "model": "text-embedding-3-small"}`, 404, `"code":"model_not_found"`},
		{"/embeddings", `{"input": "a", "model": "default/not-specified"}`, 200, `"model":"vectors"`},
		{"/classify", `{"input": "a"}`, 200, `"model":"labels"`},
		{"/v2/models/vectors/infer", `{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}`, 200, `"embeddings"`},
		{"/v2/models/labels/infer", `{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}`, 200, `"probabilities"`},
		{"/v2/models/labels/infer", `{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}], "model": "vectors"}`, 200, `"probabilities"`},
	} {
		if w := send(h, "POST", c.path, c.body); w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s, want %d with %s", c.path, c.body, w.Code, w.Body, c.status, c.want)
		}
	}
	for path, want := range map[string]string{"/v1/models": "small large vectors labels", "/models": "small large vectors labels"} {
		var names []string
		for _, m := range decoded[struct{ Data []struct{ ID string } }](t, send(h, "GET", path, "")).Data {
			names = append(names, m.ID)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	// One model answers to any name: clients must send one.
	one, _ := open(t, scoring)
	if w := send(one, "POST", "/rerank", `{"query": "a", "texts": ["b"], "model": "huge"}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
