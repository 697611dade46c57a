package bench

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// The ground has the pairs that Measure would score, their tokens and further pairs; right
// scores pass its check, and wrong ones do not.
func TestGround(t *testing.T) {
	files, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 32, Heads: 1, Intermediate: 32})
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGround(t.Context(), Options{Model: Checkpoint{Files: files, ID: "tiny"}, Pairs: 20}, 7, 9)
	if err != nil {
		t.Fatal(err)
	}
	w, err := builtIn(20)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.Pairs, w.pairs) || g.Dataset.SHA256 != w.sha256 || g.Dataset.Pairs != 20 || g.Dataset.Tokens != g.Batch.Tokens() || g.Batch.Len() != 20 {
		t.Errorf("%d pairs, %+v", len(g.Pairs), g.Dataset)
	}
	if len(g.Others) != 7 || g.OthersBatch.Len() != 7 || slices.Contains(g.Pairs, g.Others[0]) || len(g.sample) != 9 || g.Model.Layers != 1 || len(g.Model.WeightsSHA256) != 64 {
		t.Errorf("%d others, %d checked, %+v", len(g.Others), len(g.sample), g.Model)
	}
	e, err := engine.OpenFS(files, engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	scores, err := e.Score(t.Context(), nil, g.Pairs)
	if err != nil {
		t.Fatal(err)
	}
	logits := widen(scores)
	if a, err := g.Check(logits, "f32"); err != nil || !a.Passed || a.Pairs != 9 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := g.Check(logits[1:], "f32"); err == nil || !strings.Contains(err.Error(), "19 values for 20, want 1 each") {
		t.Errorf("error %v", err)
	}
	if _, err := g.Check(logits, "f8"); err == nil || !strings.Contains(err.Error(), `"f8" has no tolerances`) {
		t.Errorf("error %v", err)
	}
	// An error that is large and swaps nothing is wrong for float32 alone.
	far := slices.Clone(logits)
	for i := range far {
		far[i] *= 3
	}
	if a, err := g.Check(far, "int8"); err != nil || !a.Passed || *a.FlippedOrders != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := g.Check(far, "f32"); !errors.Is(err, ErrInaccurate) || a.Passed {
		t.Errorf("%+v, %v", a, err)
	}
	slices.Reverse(logits)
	if a, err := g.Check(logits, "int8"); !errors.Is(err, ErrInaccurate) || a.Passed {
		t.Errorf("%+v, %v", a, err)
	}

	// A file with no more pairs than are measured has no others.
	path := filepath.Join(t.TempDir(), "pairs.jsonl")
	if err := os.WriteFile(path, []byte(strings.Repeat(`{"query":"a","passage":"b"}`+"\n", 5)), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err = NewGround(t.Context(), Options{Model: Checkpoint{Files: files}, Dataset: path, Pairs: 6}, 7, 9)
	if err != nil || len(g.Pairs) != 5 || len(g.Others) != 0 || g.OthersBatch.Len() != 0 || g.Dataset.Name != "pairs.jsonl" {
		t.Errorf("%+v, %v", g, err)
	}
}
