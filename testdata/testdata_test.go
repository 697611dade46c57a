package testdata_test

import (
	"encoding/json"
	"io/fs"
	"math"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// tiny is what golden.py's first command makes.
var tiny = synth.Checkpoint{
	Seed:  20261124,
	Shape: synth.Shape{Layers: 3, Hidden: 32, Heads: 4, Intermediate: 80, Vocab: 700, Positions: 64},
}

func TestTinyIsUpToDate(t *testing.T) {
	made, err := tiny.FS()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := fs.ReadDir(made, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		want, err := fs.ReadFile(made, e.Name())
		if err != nil {
			t.Fatal(err)
		}
		got, err := fs.ReadFile(testdata.Tiny(), e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("tiny/%s is not what synth makes: run the commands in golden.py", e.Name())
		}
	}
}

// From text to score: PyTorch's logits, to the last digits of float64.
func TestTinyPairs(t *testing.T) {
	text, err := fs.ReadFile(testdata.Tiny(), "golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Pairs []struct {
			Query, Passage string
			IDs            []int32 `json:"input_ids"`
			Types          []int32 `json:"token_type_ids"`
			Logit          float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Pairs) < 8 {
		t.Fatalf("%d pairs", len(golden.Pairs))
	}
	tok, err := tokenizer.LoadFS(testdata.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(testdata.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, p := range golden.Pairs {
		ids, types, err := tok.AppendPair(nil, nil, p.Query, p.Passage)
		if err != nil || !slices.Equal(ids, p.IDs) || !slices.Equal(types, p.Types) {
			t.Errorf("%q, %q: ids %v %v, want %v %v", p.Query, p.Passage, ids, types, p.IDs, p.Types)
			continue
		}
		var b model.Batch
		b.Append(ids, types)
		pass := modeltest.Begin(t, model.NewReference(w, 1), &b).(*model.ReferencePass)
		pass.Embed()
		for layer := range w.Config.Layers {
			pass.Attention(layer, model.AllRows)
			pass.FeedForward(layer)
		}
		logits := w.Head.Apply64(pass.Pool64(model.Firsts), 1)
		if math.Abs(logits[0]-p.Logit) > 1e-11 {
			t.Errorf("%q, %q: logit %.17g, want %.17g", p.Query, p.Passage, logits[0], p.Logit)
		}
	}
}

// What verify compares with is well formed, and says where it comes from.
func TestPublishedScores(t *testing.T) {
	scores, err := testdata.PublishedScores()
	if err != nil {
		t.Fatal(err)
	}
	type pair struct{ query, passage, activation string }
	seen := map[pair]float64{}
	for i, s := range scores {
		p := pair{s.Query, s.Passage, s.Activation}
		if _, twice := seen[p]; twice {
			t.Errorf("score %d: %q, %q is there twice", i+1, s.Query, s.Passage)
		}
		seen[p] = s.Score
		if s.Source == "" {
			t.Errorf("score %d: source %q", i+1, s.Source)
		}
		var ok bool
		switch s.Activation {
		case "identity":
			ok = math.Abs(s.Score) < 12 && s.Tolerance > 0 && s.Tolerance <= 1e-3
		case "sigmoid":
			ok = s.Score > 0 && s.Score < 1 && s.Tolerance > 0 && s.Tolerance <= 2e-6
		}
		if !ok {
			t.Errorf("score %d: %g ± %g, activation %q", i+1, s.Score, s.Tolerance, s.Activation)
		}
	}
	if len(scores) < 50 {
		t.Errorf("%d scores, want at least 50", len(scores))
	}
	// Where both are published, the sigmoid is that of the logit.
	both := 0
	for p, sigmoid := range seen {
		if p.activation != "sigmoid" {
			continue
		}
		p.activation = "identity"
		if logit, ok := seen[p]; ok {
			both++
			if got := 1 / (1 + math.Exp(-logit)); math.Abs(got-sigmoid) > 1e-6 {
				t.Errorf("%q, %q: sigmoid(%g) is %g, published as %g", p.query, p.passage, logit, got, sigmoid)
			}
		}
	}
	if both == 0 {
		t.Error("no pair has both a logit and a sigmoid")
	}
}

// Similarities are of two texts each, once, with four digits after the point.
func TestPublishedSimilarities(t *testing.T) {
	all, err := testdata.PublishedSimilarities()
	if err != nil || len(all) < 12 {
		t.Fatalf("%d similarities, %v", len(all), err)
	}
	seen := map[[2]string]bool{}
	for i, s := range all {
		texts := [2]string{s.Query, s.Passage}
		if seen[texts] || s.Source == "" || s.Activation != "cosine" || math.Abs(s.Score) > 1 || s.Tolerance != 1e-4 || math.Abs(s.Score*1e4-math.Round(s.Score*1e4)) > 1e-9 {
			t.Errorf("similarity %d: %+v", i+1, s)
		}
		seen[texts] = true
	}
}
