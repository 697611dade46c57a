package engine_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// savedModel is the expected.json of a folder of data/saved: what the version of the
// library that wrote the folder makes of it.
type savedModel struct {
	MaxLength  *int              `json:"max_length"` // nil: no end
	Inputs     []json.RawMessage // pairs, or texts
	IDs        [][]int32         `json:"input_ids"`
	Types      [][]int32         `json:"token_type_ids"`
	Logits     []*float64        // nil where the library had an error
	Default    []*float64        // with the activation that it takes by default
	Activation string            `json:"default_activation"`
}

// What we say of folders that are refused; DIR stands for the folder.
const (
	cannot      = "engine: cannot use this model: "
	noHead      = cannot + "the checkpoint has no classification head (no classifier.weight): it is an encoder, as for embeddings, and not a cross-encoder"
	threeLabels = cannot + "config.json has 3 labels, want 1: the model sorts pairs into classes, and gives them no single score"
	kinds       = `"bert", "electra", "distilbert"`
)

// saved are all folders of data/saved, and our error about each; "" opens, and gives the
// library's tokens, logits and scores.
var saved = map[string]string{
	"st-2.2.2+tf-4.30/ce-1label":             "",
	"st-2.2.2+tf-4.30/ce-identity":           "",
	"st-2.2.2+tf-4.30/emb-dense-prompts":     noHead,
	"st-2.2.2+tf-4.30/emb-mean-norm":         noHead,
	"st-2.2.2+tf-4.30/hf-automodel-bin":      noHead,
	"st-2.2.2+tf-4.30/hf-seqcls-bin":         "",
	"st-2.2.2+tf-4.30/hf-seqcls-bin-legacy":  "",
	"st-2.2.2+tf-4.30/hf-seqcls-safetensors": "",

	"st-2.7.0+tf-4.40/ce-1label":                   "",
	"st-2.7.0+tf-4.40/ce-3labels":                  threeLabels,
	"st-2.7.0+tf-4.40/ce-after-truncation":         "",
	"st-2.7.0+tf-4.40/ce-after-truncation-resaved": "",
	"st-2.7.0+tf-4.40/ce-distilbert":               "",
	"st-2.7.0+tf-4.40/ce-electra":                  "",
	"st-2.7.0+tf-4.40/ce-identity":                 "",
	"st-2.7.0+tf-4.40/ce-identity-resaved":         "",
	"st-2.7.0+tf-4.40/ce-maxlen-512":               "",
	"st-2.7.0+tf-4.40/ce-maxlen-none":              "",
	"st-2.7.0+tf-4.40/ce-maxlen32":                 "",
	"st-2.7.0+tf-4.40/emb-dense-prompts":           noHead,
	"st-2.7.0+tf-4.40/emb-maxlen32":                noHead,
	"st-2.7.0+tf-4.40/emb-mean-norm":               noHead,
	"st-2.7.0+tf-4.40/hf-seqcls":                   "",
	"st-2.7.0+tf-4.40/hf-seqcls-slow-tokenizer":    "",

	"st-3.4.1+tf-4.48/ce-1label":         "",
	"st-3.4.1+tf-4.48/emb-dense-prompts": noHead,

	"st-4.1.0+tf-4.51/ce-1label":         "",
	"st-4.1.0+tf-4.51/ce-identity":       "",
	"st-4.1.0+tf-4.51/ce-maxlen32":       "",
	"st-4.1.0+tf-4.51/emb-dense-prompts": noHead,

	"st-5.1.1+tf-4.56/ce-1label":         "",
	"st-5.1.1+tf-4.56/emb-dense-prompts": noHead,

	"st-5.4.0+tf-4.57/ce-1label":         "",
	"st-5.4.0+tf-4.57/emb-dense-prompts": noHead,
	"st-5.4.0+tf-4.57/hf-seqcls-bin":     "",

	"st-6.2.0+tf-5.24/ce-1label":             "",
	"st-6.2.0+tf-5.24/ce-3labels":            threeLabels,
	"st-6.2.0+tf-5.24/ce-after-padding":      "",
	"st-6.2.0+tf-5.24/ce-after-truncation":   "",
	"st-6.2.0+tf-5.24/ce-cased":              "",
	"st-6.2.0+tf-5.24/ce-distilbert":         "",
	"st-6.2.0+tf-5.24/ce-electra":            "",
	"st-6.2.0+tf-5.24/ce-identity":           "",
	"st-6.2.0+tf-5.24/ce-identity-resaved":   "",
	"st-6.2.0+tf-5.24/ce-maxlen32":           "",
	"st-6.2.0+tf-5.24/ce-modular-dense":      "",
	"st-6.2.0+tf-5.24/ce-modular-lower":      "",
	"st-6.2.0+tf-5.24/ce-modular-processing": "",
	"st-6.2.0+tf-5.24/ce-modular-prompts":    "",
	"st-6.2.0+tf-5.24/ce-roberta":            cannot + `config.json: model_type: "roberta": this is a RoBERTa model, and only these are supported: ` + kinds,
	"st-6.2.0+tf-5.24/ce-truncside-left":     "",
	"st-6.2.0+tf-5.24/ce-xlm-roberta":        cannot + `config.json: model_type: "xlm-roberta": this is an XLM-RoBERTa model, and only these are supported: ` + kinds,
	"st-6.2.0+tf-5.24/emb-cls":               noHead,
	"st-6.2.0+tf-5.24/emb-dense-prompts":     noHead,
	"st-6.2.0+tf-5.24/emb-maxlen32":          noHead,
	"st-6.2.0+tf-5.24/emb-mean-norm":         noHead,
	"st-6.2.0+tf-5.24/hf-automodel":          noHead,
	"st-6.2.0+tf-5.24/hf-seqcls":             "",
	"st-6.2.0+tf-5.24/hf-seqcls-bfloat16":    "",
	"st-6.2.0+tf-5.24/hf-seqcls-half":        "",
	"st-6.2.0+tf-5.24/hf-seqcls-maxlen-512":  "",
	"st-6.2.0+tf-5.24/hf-seqcls-maxlen-none": "",
	"st-6.2.0+tf-5.24/hf-seqcls-sharded":     "",
}

// savedFolder is where the folders are; a test without it is skipped.
func savedFolder(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the models that real libraries saved are not read")
	}
	return filepath.Join(shared, "data", "saved")
}

// Folders that real versions of the libraries wrote open and score as there, or are refused
// for what they are.
func TestSavedModels(t *testing.T) {
	root := savedFolder(t)
	dirs, err := filepath.Glob(filepath.Join(root, "st-*", "*"))
	if err != nil || len(dirs) != len(saved) {
		t.Errorf("%d folders, %v, want %d", len(dirs), err, len(saved))
	}
	for _, dir := range dirs {
		name, err := filepath.Rel(root, dir)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		t.Run(name, func(t *testing.T) {
			says, known := saved[name]
			if !known {
				t.Fatal("nobody has said what becomes of this folder")
			}
			e, err := engine.Open(dir, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
			if says != "" {
				if err == nil {
					e.Close()
				}
				inPlainWords(t, err)
				if says = strings.ReplaceAll(says, "DIR", dir); !errors.Is(err, engine.ErrModel) || err.Error() != says {
					t.Errorf("error %v, want %q", err, says)
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

// checkSaved holds an engine to what the library makes of its folder.
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
	length := info.Config.MaxPositions // versions 2 and 3 of the library go beyond it, and fail
	if want.MaxLength != nil {
		length = min(length, *want.MaxLength)
	}
	if info.MaxLength != length {
		t.Errorf("at most %d tokens, by %q; want %d", info.MaxLength, info.MaxLengthFrom, length)
	}
	warned := strings.Join(info.Warnings, "\n")
	if strings.HasSuffix(dir, "ce-modular-lower") { // lost as it was saved: the library opens a cased one
		warned = strings.TrimPrefix(warned, "tokenizer.json normalizes by Lowercase, BertNormalizer, and tokenizer_config.json has tokenize_chinese_chars true, do_lower_case false: "+
			"tokenizer_config.json counts, as in transformers 5; version 4 goes by tokenizer.json")
	}
	if warned != "" {
		t.Errorf("warnings %q of what a library wrote", info.Warnings)
	}
	activation := want.Activation[strings.LastIndexByte(want.Activation, '.')+1:]
	if !strings.EqualFold(string(info.Config.Activation), activation) {
		t.Errorf("activation %s, want %s", info.Config.Activation, activation)
	}
	compared := 0
	for i, input := range want.Inputs {
		var pair [2]string
		if err := json.Unmarshal(input, &pair); err != nil {
			t.Fatal(err)
		}
		one := []engine.Pair{{Query: pair[0], Passage: pair[1]}}
		var b model.Batch
		tooLong := e.Tokenize(&b, one)
		if tooLong != nil {
			// One pair that is not to be cut: an error there, too, and of nobody else here.
			got, err := e.Score(t.Context(), nil, append(slices.Clone(one), engine.Pair{}))
			if !errors.Is(tooLong, engine.ErrTooLong) || !errors.Is(err, engine.ErrTooLong) || want.Logits[i] != nil || !math.IsNaN(float64(got[0])) || math.IsNaN(float64(got[1])) {
				t.Errorf("input %d: %v, %v, %v", i, tooLong, got, err)
			}
			continue
		}
		if want.Logits[i] == nil { // the library had an error where its length is beyond the positions
			if b.Tokens() != info.MaxLength || want.MaxLength != nil && *want.MaxLength == info.MaxLength {
				t.Errorf("input %d: %d tokens, where the library has an error", i, b.Tokens())
			}
			continue
		}
		compared++
		if !slices.Equal(b.IDs, want.IDs[i]) || want.Types[i] != nil && !slices.Equal(b.Types, want.Types[i]) {
			t.Errorf("input %d: tokens %v %v, want %v %v", i, b.IDs, b.Types, want.IDs[i], want.Types[i])
		}
		activated := func(logit float64) float64 {
			if info.Config.Activation == model.Sigmoid {
				return 1 / (1 + math.Exp(-logit))
			}
			return logit
		}
		// Versions 4 and 5.1 keep the activation of the last call, which asked for Identity.
		byDefault := *want.Default[i]
		if strings.Contains(dir, "st-4.") || strings.Contains(dir, "st-5.1") {
			byDefault = activated(*want.Logits[i])
		}
		logit := float64(score(t, e, one)[0])
		if !(math.Abs(logit-*want.Logits[i]) <= 1e-5) || !(math.Abs(activated(logit)-byDefault) <= 1e-5) {
			t.Errorf("input %d: logit %g and by default %g, want %g and %g", i, logit, activated(logit), *want.Logits[i], byDefault)
		}
	}
	if compared < 8 {
		t.Errorf("only %d inputs to compare", compared)
	}
}
