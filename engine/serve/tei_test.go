package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model/synth"
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

// Probabilities are what the engine gives, bit for bit, and logits too, whether it was opened to give the
// one or the other, and of whatever the labels are.
func TestLabelsOfEachEngine(t *testing.T) {
	usual := enginetest.OpenClassifier(t)
	pairs := []engine.Pair{{Query: "a river", Passage: "b"}, {Query: "", Passage: "c"}}
	names := usual.Info().Labels
	for body, opts := range map[string][]engine.CallOption{
		`{"inputs": [["a river", "b"], ["", "c"]]}`:                     nil,
		`{"inputs": [["a river", "b"], ["", "c"]], "raw_scores": true}`: {engine.RawScores()},
	} {
		want, err := usual.ClassifyPairs(t.Context(), nil, pairs, opts...)
		if err != nil {
			t.Fatal(err)
		}
		for which, e := range []*engine.Engine{usual, enginetest.OpenClassifier(t, engine.Logits())} {
			w := send(ready(t, e), "POST", "/predict", body)
			for i, row := range decoded[[][]teiPrediction](t, w) {
				for _, p := range row {
					if p.Score != want[i*len(names)+slices.Index(names, p.Label)] {
						t.Errorf("engine %d, %s: pair %d: %v, want %v of %v", which, body, i, row, want[i*len(names):][:len(names)], names)
					}
				}
			}
		}
	}
}

// A model whose files put other tokens around a single text takes pairs alone, and says so; its tokens
// without those around are what they are.
func TestModelOfPairsAlone(t *testing.T) {
	for kind, opts := range map[synth.Kind][]engine.Option{synth.Ranker: nil, synth.Labels: {engine.Classifier()}} {
		shape := enginetest.Shape
		if kind == synth.Labels {
			shape.Labels = 0
		}
		made, err := synth.Checkpoint{Seed: 1, Shape: shape, Kind: kind}.FS()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.CopyFS(dir, made); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, "tokenizer.json")
		text, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		var files map[string]any
		if err := json.Unmarshal(text, &files); err != nil {
			t.Fatal(err)
		}
		processor := files["post_processor"].(map[string]any)
		processor["single"] = processor["single"].([]any)[1:2] // the text alone
		if text, err = json.Marshal(files); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, text, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := engine.Open(dir, append(opts, engine.NoCalibrationFile(), engine.Precision("f32"))...)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		h := ready(t, e)
		for _, c := range []struct {
			path, body string
			want       int
		}{
			{"/predict", `{"inputs": ["a", "b"]}`, 200},
			{"/predict", `{"inputs": "a"}`, 422},
			{"/predict", `{"inputs": [["a", "b"], ["a"]]}`, 422},
			{"/tokenize", `{"inputs": "a"}`, 422},
			{"/tokenize", `{"inputs": "a", "add_special_tokens": false}`, 200},
		} {
			w := send(h, "POST", c.path, c.body)
			if w.Code != c.want || c.want == 422 && !strings.Contains(w.Body.String(), `model \"tiny\" takes pairs of texts, and no single ones: tokenizer: tokenizer.json: post_processor.single`) {
				t.Errorf("%v: %s %s: %d %s, want %d", kind, c.path, c.body, w.Code, w.Body, c.want)
			}
		}
	}
}
