package serve

import (
	"reflect"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// FastAPI's clients read where a failure is from a list.
func TestInfinityPlace(t *testing.T) {
	for field, want := range map[string][]any{
		"":                  {"body"},
		"query":             {"body", "query"},
		"documents[12]":     {"body", "documents", 12},
		"documents[1].text": {"body", "documents", 1, "text"},
		"input[0][3]":       {"body", "input", 0, 3},
	} {
		if got := infinityPlace(field); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", field, got, want)
		}
	}
}

// Each text has all labels, the most probable first, as probabilities or raw; usage counts the
// tokens that were read.
func TestInfinityClassify(t *testing.T) {
	h, eng := open(t, classifying)
	texts := []string{"A river.", "Berlin has museums."}
	names := eng.Info().Labels
	for more, raw := range map[string]bool{"": false, `, "raw_scores": false`: false, `, "raw_scores": true`: true} {
		var opts []engine.CallOption
		if raw {
			opts = append(opts, engine.RawScores())
		}
		want, err := eng.Classify(t.Context(), nil, texts, opts...)
		if err != nil {
			t.Fatal(err)
		}
		a := decoded[infinityLabels](t, send(h, "POST", "/classify", `{"input": ["A river.", "Berlin has museums."]`+more+`}`))
		for i, got := range a.Data {
			row := want[i*len(names):][:len(names)]
			for k, p := range got {
				if p.Score != row[slices.Index(names, p.Label)] || k > 0 && got[k-1].Score < p.Score {
					t.Errorf("text %d%s: %v, want %v of %v, the largest first", i, more, got, row, names)
				}
			}
			if len(got) != len(names) {
				t.Errorf("text %d: %d labels", i, len(got))
			}
		}
		if len(a.Data) != len(texts) || a.Usage.Prompt != 11 || a.Usage.Total != 11 {
			t.Errorf("%d texts, usage %+v", len(a.Data), a.Usage)
		}
	}
}
