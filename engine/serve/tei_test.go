package serve

import (
	"context"
	"net/http"
	"testing"
)

func TestTEIRerank(t *testing.T) {
	h, eng := open(t, scoring)
	texts := []string{"Berlin has museums.", "A river.", "Berlin has museums.", ""}
	logits, err := eng.Score(context.Background(), nil, pairsOf("museums", texts))
	if err != nil {
		t.Fatal(err)
	}
	order := ranked(logits, 0)
	for _, path := range []string{"/rerank", "/", "/invocations"} {
		for body, scores := range map[string]func(float32) float32{
			`{"query": "museums", "texts": ["Berlin has museums.", "A river.", "Berlin has museums.", ""]}`:                                          func(x float32) float32 { one := []float32{x}; squash(one); return one[0] },
			`{"raw_scores": true, "return_text": true, "query": "museums", "texts": ["Berlin has museums.", "A river.", "Berlin has museums.", ""]}`: func(x float32) float32 { return x },
		} {
			w := send(h, "POST", path, body)
			if w.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
			if w.Header().Get("X-Dialect") != "tei" || w.Header().Get("Content-Type") != jsonType {
				t.Errorf("%s: headers %v", path, w.Header())
			}
			all := decoded[[]teiRank](t, w)
			if len(all) != len(texts) {
				t.Fatalf("%s: %s", path, w.Body)
			}
			for k, r := range all {
				if r.Index != order[k] || r.Score != scores(logits[r.Index]) {
					t.Errorf("%s: rank %d is text %d with %v, want %d with %v", path, k, r.Index, r.Score, order[k], scores(logits[order[k]]))
				}
				if r.Text != nil && *r.Text != texts[r.Index] {
					t.Errorf("%s: text %d is %q", path, r.Index, *r.Text)
				}
			}
		}
	}
}
