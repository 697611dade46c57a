package serve

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Pairs are scored in their order under each of vLLM's names for their sides: one text with each
// of many, or one with one.
func TestVLLMScore(t *testing.T) {
	h, eng := open(t, scoring)
	pairs := func(texts ...string) (all []engine.Pair) {
		for p := range slices.Chunk(texts, 2) {
			all = append(all, engine.Pair{Query: p[0], Passage: p[1]})
		}
		return all
	}
	for _, c := range []struct {
		one, other string
		want       []engine.Pair
	}{
		{`"a"`, `"b"`, pairs("a", "b")},
		{`"a"`, `["b", "c", "b"]`, pairs("a", "b", "a", "c", "a", "b")},
		{`["a"]`, `["b", "c"]`, pairs("a", "b", "a", "c")},
		{`["a", "d"]`, `["b", "c"]`, pairs("a", "b", "d", "c")},
		{`["a"]`, `"b"`, pairs("a", "b")},
	} {
		want, err := eng.Score(t.Context(), nil, c.want)
		if err != nil {
			t.Fatal(err)
		}
		for _, names := range vllmNames {
			for _, path := range []string{"/score", "/v1/score"} {
				w := send(h, "POST", path, fmt.Sprintf(`{%q: %s, %q: %s}`, names[0], c.one, names[1], c.other))
				if w.Code != http.StatusOK {
					t.Errorf("%s %v %s %s: %d %s", path, names, c.one, c.other, w.Code, w.Body)
					continue
				}
				a := decoded[struct {
					Object string
					Data   []vllmScored
				}](t, w)
				var got []float32
				for i, d := range a.Data {
					if d.Index != i || d.Object != "score" || a.Object != "list" {
						t.Errorf("%s %v: %s", path, names, w.Body)
					}
					got = append(got, d.Score)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s %v %s %s: %v, want %v", path, names, c.one, c.other, got, want)
				}
			}
		}
	}
}

// The most probable label is named, and all probabilities are in the model's order.
func TestVLLMClassify(t *testing.T) {
	h, eng := open(t, classifying, Dialect("vllm"))
	texts := []string{"A river.", "Berlin has museums."}
	want, err := eng.Classify(t.Context(), nil, texts)
	if err != nil {
		t.Fatal(err)
	}
	w := send(h, "POST", "/classify", `{"input": ["A river.", "Berlin has museums."]}`)
	names := eng.Info().Labels
	for i, d := range decoded[struct{ Data []vllmLabels }](t, w).Data {
		row := want[i*len(names):][:len(names)]
		if d.Index != i || d.Labels != len(names) || !slices.Equal(d.Probs, row) || d.Label != names[slices.Index(row, slices.Max(row))] {
			t.Errorf("text %d: %+v, want %v of %v", i, d, row, names)
		}
	}
}
