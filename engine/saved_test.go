package engine_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// savedModel is the expected.json of a folder of data/saved.
type savedModel struct {
	MaxLength  *int              `json:"max_length"` // nil: no end
	Inputs     []json.RawMessage // pairs, or texts
	Logits     []json.RawMessage // one number, or null where the library had an error
	Activation string            `json:"default_activation"`
}

// savedRefused says what is in our error, by what the folder's name begins with: what was
// not built yet, or what is no cross-encoder.
var savedRefused = map[string]string{
	"emb-": "has no classification head", "hf-automodel": "has no classification head",
	"ce-3labels": "3 labels, want 1", "ce-distilbert": `model_type: "distilbert"`, "ce-electra": `model_type: "electra"`,
	"ce-roberta": `model_type: "roberta"`, "ce-xlm-roberta": `model_type: "xlm-roberta"`,
	"ce-modular-dense":      "modules.json: module 1",
	"ce-modular-processing": "sentence_bert_config.json: processing_kwargs",
	"ce-modular-prompts":    `default_prompt_name: "ask"`,
}

// Folders that real versions of the libraries wrote open and score as there, or are refused
// for what they are.
func TestSavedModels(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the models that real libraries saved are not read")
	}
	dirs, err := filepath.Glob(filepath.Join(shared, "data", "saved", "st-*", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no folders: %v", err)
	}
	for _, dir := range dirs {
		kind := filepath.Base(dir)
		t.Run(filepath.Base(filepath.Dir(dir))+"/"+kind, func(t *testing.T) {
			e, err := engine.Open(dir, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
			if says := savedRefusal(dir); says != "" {
				if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), says) {
					t.Errorf("error %v, want one with %q", err, says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			checkSaved(t, e, dir)
		})
	}
}

// savedRefusal is what our error about a folder says, "" where it opens.
func savedRefusal(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, "pytorch_model.bin")); err == nil {
		return "only safetensors is read"
	}
	for kind, says := range savedRefused {
		if strings.HasPrefix(filepath.Base(dir), kind) {
			return says
		}
	}
	return ""
}

func checkSaved(t *testing.T, e *engine.Engine, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want savedModel
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	info := e.Info()
	length := info.Config.MaxPositions // version 2 of the library goes beyond it, and fails
	if want.MaxLength != nil {
		length = min(length, *want.MaxLength)
	}
	if info.MaxLength != length {
		t.Errorf("at most %d tokens, by %q; want %d", info.MaxLength, info.MaxLengthFrom, length)
	}
	if kind := want.Activation[strings.LastIndexByte(want.Activation, '.')+1:]; !strings.EqualFold(string(info.Config.Activation), kind) {
		t.Errorf("activation %s, want %s", info.Config.Activation, kind)
	}
	// Only there two versions of transformers lower case differently.
	if strings.HasSuffix(dir, "ce-modular-lower") != (len(info.Warnings) > 0) {
		t.Errorf("warnings %q of what a library wrote", info.Warnings)
	}
	compared := 0
	for i, input := range want.Inputs {
		var pair [2]string
		var logit float64
		if err := json.Unmarshal(input, &pair); err != nil {
			t.Fatal(err)
		}
		if string(want.Logits[i]) == "null" {
			continue // the library had an error
		}
		if err := json.Unmarshal(want.Logits[i], &logit); err != nil {
			t.Fatal(err)
		}
		compared++
		if got := score(t, e, []engine.Pair{{Query: pair[0], Passage: pair[1]}})[0]; math.Abs(float64(got)-logit) > 1e-4 {
			t.Errorf("input %d: logit %g, want %g", i, got, logit)
		}
	}
	if compared < 8 {
		t.Errorf("only %d inputs to compare", compared)
	}
}
