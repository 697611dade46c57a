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
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// headModules are the files of a head in modules: pooled by mode, and a Dense of so many outputs
// with this name.
func headModules(kind, mode, out, name string) map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"modules.json": json.RawMessage(`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"},
			{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
			{"idx":2,"name":"2","path":"2_Dense","type":"sentence_transformers.base.modules.dense.Dense"}]`),
		"config_sentence_transformers.json": json.RawMessage(`{"model_type":"` + kind + `"}`),
		"sentence_bert_config.json":         json.RawMessage(`{"transformer_task":"feature-extraction"}`),
		"1_Pooling/config.json":             json.RawMessage(`{"embedding_dimension":32,"pooling_mode":"` + mode + `"}`),
		"2_Dense/config.json":               json.RawMessage(`{"in_features":32,"out_features":` + out + `,"activation_function":"torch.nn.modules.linear.Identity","module_output_name":"` + name + `"}`),
	}
}

// A cross-encoder whose head is in modules pools and multiplies as an embedder with the same
// modules, bit for bit, at every precision; the gate of automatic precision pools so, too.
func TestHeadInModules(t *testing.T) {
	texts := []string{"how many people live in the city", "", "a b c"}
	for _, mode := range []string{"mean", "max", "cls"} {
		for out, labels := range map[string]int{"1": 1, "3": 3} {
			dense := map[string][3]any{"2_Dense": {float64(labels), 32.0, true}}
			e, err := engine.OpenFS(embedder(t, headModules("SentenceTransformer", mode, out, "sentence_embedding"), dense), engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"))
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			want, err := e.Embed(t.Context(), nil, texts)
			if err != nil {
				t.Fatal(err)
			}
			files := embedder(t, headModules("CrossEncoder", mode, out, "scores"), dense)
			c, err := engine.OpenFS(files, engine.Classifier(), engine.Logits(), engine.Device("cpu"), engine.Precision("f32"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got, err := c.Classify(t.Context(), nil, texts); err != nil || !slices.Equal(got, want) || len(c.Info().Labels) != labels {
				t.Errorf("%s to %s: %g, %v, want %g", mode, out, got, err, want)
			}
			s, err := engine.OpenFS(files, engine.Device("cpu"), engine.NoCalibrationFile(), engine.JudgeAll())
			if labels > 1 {
				if !errors.Is(err, model.ErrLabels) {
					t.Errorf("%d labels: %v", labels, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for _, c := range s.Info().Candidates {
				if c.Deviation == nil || c.Precision == "f32" && c.Deviation.Mean != 0 {
					t.Errorf("%s: %+v", mode, c)
				}
			}
		}
	}
}

// Such a head gives sentence-transformers' logits, and leaves out a prompt where it does.
func TestHeadInModulesAsTheLibrary(t *testing.T) {
	modeltest.OnlyValues(t)
	data, err := os.ReadFile(filepath.Join("..", "testdata", "modular.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Pairs [][2]string
		Cases []struct {
			embedderCase
			Logits [][]float64
		}
	}
	if err := json.Unmarshal(data, &all); err != nil || len(all.Cases) < 12 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	for _, c := range all.Cases {
		for device, precision := range map[string]string{"cpu": "f32", "reference": "f64"} {
			e, err := engine.OpenFS(c.files(t), engine.Classifier(), engine.Logits(), engine.Device(device), engine.Precision(precision), engine.NoCalibrationFile())
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			defer e.Close()
			var opts []engine.CallOption
			if c.Prompt != nil {
				opts = append(opts, engine.PromptName(*c.Prompt))
			}
			for i, pair := range all.Pairs {
				got, err := e.ClassifyPairs(t.Context(), nil, []engine.Pair{{Query: pair[0], Passage: pair[1]}}, opts...)
				if err != nil || len(got) != len(c.Logits[i]) {
					t.Fatalf("%s, pair %d: %v, %v, want %v", c.Name, i, got, err, c.Logits[i])
				}
				for j, want := range c.Logits[i] {
					if !(math.Abs(float64(got[j])-want) <= 1e-5) {
						t.Errorf("%s, %s, pair %d: logit %g, want %g", device, c.Name, i, got[j], want)
					}
				}
			}
		}
	}
}

// What makes no scores there is refused by its name.
func TestHeadInModulesRefused(t *testing.T) {
	for _, c := range []struct{ mode, name, says string }{
		{"mean", "sentence_embedding", `2_Dense/config.json: module_output_name: "sentence_embedding", want "scores"`},
		{"median", "scores", `1_Pooling/config.json: pooling_mode: "median" is not supported`},
	} {
		e, err := engine.OpenFS(embedder(t, headModules("CrossEncoder", c.mode, "1", c.name), map[string][3]any{"2_Dense": {1.0, 32.0, true}}), engine.Device("cpu"))
		if err == nil {
			e.Close()
		}
		if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want %q", err, c.says)
		}
	}
}
