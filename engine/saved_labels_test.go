package engine_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// Folders with a classifier, of three labels and of one, that real versions of the libraries
// wrote give their tokens and logits as classifiers.
func TestSavedClassifiers(t *testing.T) {
	root, several := savedFolder(t), 0
	for name, says := range saved {
		if says != "" && says != threeLabels {
			continue
		}
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name), "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Inputs [][2]string
				IDs    [][]int32 `json:"input_ids"`
				Types  [][]int32 `json:"token_type_ids"`
				Logits []json.RawMessage
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			e, err := engine.Open(filepath.Join(root, filepath.FromSlash(name)), engine.Classifier(), engine.Logits(), engine.Device("cpu"), engine.Precision("f32"))
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			labels := e.Info().Labels
			if says == threeLabels {
				several++
				if !slices.Equal(labels, []string{"LABEL_0", "LABEL_1", "LABEL_2"}) || e.Info().Final != model.Softmax {
					t.Errorf("%+v", e.Info())
				}
			} else if len(labels) != 1 || e.Info().Final != model.Sigmoid {
				t.Errorf("%+v", e.Info())
			}
			compared := 0
			for i, pair := range want.Inputs {
				var logits []float64
				raw := string(want.Logits[i])
				if raw == "null" { // an error there: TestSavedModels looks at that
					continue
				}
				if !strings.HasPrefix(raw, "[") {
					raw = "[" + raw + "]"
				}
				if err := json.Unmarshal([]byte(raw), &logits); err != nil || len(logits) != len(labels) {
					t.Fatalf("logits %s, %v", raw, err)
				}
				one := []engine.Pair{{Query: pair[0], Passage: pair[1]}}
				var b model.Batch
				if err := e.Tokenize(&b, one); err != nil || !slices.Equal(b.IDs, want.IDs[i]) || want.Types[i] != nil && !slices.Equal(b.Types, want.Types[i]) {
					t.Errorf("input %d: tokens %v %v, %v, want %v %v", i, b.IDs, b.Types, err, want.IDs[i], want.Types[i])
				}
				got, err := e.ClassifyPairs(t.Context(), nil, one)
				if err != nil {
					t.Fatal(err)
				}
				compared++
				for j, v := range logits {
					if !(math.Abs(float64(got[j])-v) <= 1e-5) {
						t.Errorf("input %d: logit %d is %g, want %g", i, j, got[j], v)
					}
				}
			}
			if compared < 8 {
				t.Errorf("only %d inputs to compare", compared)
			}
		})
	}
	if several != 2 {
		t.Errorf("%d of three labels, want 2", several)
	}
}

// ELECTRA's and DistilBERT's tokenizers are BERT's, also of a vocab.txt alone; but DistilBERT has
// no token types.
func TestSavedVocabularies(t *testing.T) {
	root := savedFolder(t)
	for name, types := range map[string]int32{"ce-electra": 1, "ce-distilbert": 0} {
		from, dir := os.DirFS(filepath.Join(root, "st-2.7.0+tf-4.40", name)), t.TempDir()
		if err := os.CopyFS(dir, from); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Inputs [][2]string
			IDs    [][]int32 `json:"input_ids"`
		}
		if err := json.Unmarshal(data, &want); err != nil || len(want.Inputs) < 8 {
			t.Fatalf("%d inputs, %v", len(want.Inputs), err)
		}
		e, err := engine.Open(dir, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for i, pair := range want.Inputs {
			var b model.Batch
			if err := e.Tokenize(&b, []engine.Pair{{Query: pair[0], Passage: pair[1]}}); err != nil || !slices.Equal(b.IDs, want.IDs[i]) || slices.Max(b.Types) != types {
				t.Errorf("%s, input %d: tokens %v %v, %v, want %v", name, i, b.IDs, b.Types, err, want.IDs[i])
			}
		}
	}
}
