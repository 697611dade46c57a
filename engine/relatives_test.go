package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// relativeCase is a case of testdata/relatives.json.
type relativeCase struct {
	Name    string
	Config  json.RawMessage
	Tensors [][4]json.RawMessage // name, shape, scale and offset
	Outputs [][]float64
}

// files returns the checkpoint of a case. rename may change the names of its tensors.
func (c *relativeCase) files(t *testing.T, rename func(string) string) fstest.MapFS {
	t.Helper()
	var tensors []safetensors.Entry
	for j, raw := range c.Tensors {
		var (
			name          string
			shape         []int
			scale, offset float64
		)
		for i, to := range []any{&name, &shape, &scale, &offset} {
			if err := json.Unmarshal(raw[i], to); err != nil {
				t.Fatal(err)
			}
		}
		tensors = append(tensors, floats(rename(name), shape, func(k float64) float64 { return offset + scale*math.Sin(0.37*k+float64(j)) }))
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return embedder(t, map[string]json.RawMessage{"config.json": c.Config, "model.safetensors": b.Bytes()}, nil)
}

func relativeCases(t *testing.T) (texts []string, pairs []engine.Pair, cases []relativeCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "relatives.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Inputs []json.RawMessage
		Cases  []relativeCase
	}
	if err := json.Unmarshal(data, &all); err != nil || len(all.Cases) < 3 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	texts, pairs = textsAndPairs(t, all.Inputs)
	return texts, pairs, all.Cases
}

// BERT's near relatives give what transformers computes, of texts and pairs, with a head and
// without, on each device and instruction set.
func TestRelatives(t *testing.T) {
	modeltest.OnlyValues(t)
	texts, pairs, cases := relativeCases(t)
	devices := [][]engine.Option{{engine.Device("reference")}}
	for _, isa := range kernels.Permitted() {
		devices = append(devices, []engine.Option{engine.Device("cpu"), engine.InstructionSet(isa.String()), engine.Precision("f32")})
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			files := c.files(t, func(name string) string { return name })
			head := len(c.Outputs[0]) < 32
			for _, device := range devices {
				kind := engine.Embedder()
				if head {
					kind = engine.Classifier()
				}
				e, err := engine.OpenFS(files, append(device, kind, engine.Logits(), engine.NoCalibrationFile())...)
				if err != nil {
					t.Fatal(err)
				}
				var got []float32
				if head {
					if got, err = e.Classify(t.Context(), nil, texts); err == nil {
						got, err = e.ClassifyPairs(t.Context(), got, pairs)
					}
				} else {
					got, err = e.Embed(t.Context(), nil, texts)
					c.Outputs = c.Outputs[:len(texts)]
				}
				if err != nil {
					t.Fatal(err)
				}
				near(t, fmt.Sprint(e.Info().Device, " ", e.Info().InstructionSet), got, c.Outputs, 1e-5)
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Names are found with the encoder's prefix and without it, and as of before LayerNorm's were
// weight and bias; what transformers stores beside the weights is no part of them.
func TestRelativesNames(t *testing.T) {
	texts, _, cases := relativeCases(t)
	for _, c := range cases {
		if len(c.Outputs[0]) >= 32 {
			continue
		}
		for what, rename := range map[string]func(string) string{
			"without a prefix": func(name string) string {
				return strings.TrimPrefix(strings.TrimPrefix(name, "electra."), "distilbert.")
			},
			"of old": func(name string) string {
				return strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(name)
			},
		} {
			e, err := engine.OpenFS(c.files(t, rename), engine.Classifier(), engine.Logits(), engine.Device("cpu"), engine.Precision("f32"))
			if err != nil {
				t.Errorf("%s, %s: %v", c.Name, what, err)
				continue
			}
			if len(e.Info().Warnings) > 0 {
				t.Errorf("%s, %s: warnings %q", c.Name, what, e.Info().Warnings)
			}
			got, err := e.Classify(t.Context(), nil, texts)
			if err != nil {
				t.Error(err)
			}
			near(t, c.Name+", "+what, got, c.Outputs[:len(texts)], 1e-5)
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Fields that only BERT's config.json has are refused in another's, where transformers may read
// them; and those that mean something else are not read.
func TestRelativesFields(t *testing.T) {
	texts, _, cases := relativeCases(t)
	at := slices.IndexFunc(cases, func(c relativeCase) bool { return c.Name == "distilbert, 3 labels" })
	for field, says := range map[string]string{
		`"hidden_size":32`:       "config.json: hidden_size: in a distilbert it is dim",
		`"n_heads":5`:            "dim: 32 is not divisible by n_heads 5",
		`"activation":"relu"`:    `activation: "relu", want "gelu"`,
		`"hidden_dim":null`:      "hidden_dim: null",
		`"layer_norm_eps":0.5`:   "",
		`"type_vocab_size":1`:    "",
		`"hidden_act":"relu"`:    "",
		`"dim_of_something":"x"`: "",
	} {
		c := cases[at]
		c.Config = json.RawMessage(strings.TrimSuffix(string(c.Config), "}") + "," + field + "}")
		e, err := engine.OpenFS(c.files(t, func(name string) string { return name }), engine.Classifier(), engine.Logits(), engine.Device("cpu"), engine.Precision("f32"))
		if says != "" {
			if err == nil {
				e.Close()
			}
			if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: error %v, want %q", field, err, says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", field, err)
			continue
		}
		got, err := e.Classify(t.Context(), nil, texts)
		if err != nil {
			t.Error(err)
		}
		near(t, field, got, c.Outputs[:len(texts)], 1e-5)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What such a model lacks is named as its own files name it.
func TestRelativesRefused(t *testing.T) {
	_, _, cases := relativeCases(t)
	for name, says := range map[string]string{
		"electra.embeddings_project.weight":                 `tensor "electra.embeddings_project.weight" is missing`,
		"electra.encoder.layer.1.attention.self.query.bias": `tensor "electra.encoder.layer.1.attention.self.query.bias" is missing`,
		"classifier.dense.bias":                             `tensor "classifier.dense.bias" is missing`,
	} {
		e, err := engine.OpenFS(cases[0].files(t, func(other string) string {
			if other == name {
				return "another"
			}
			return other
		}), engine.Classifier(), engine.Device("cpu"), engine.Precision("f32"))
		if err == nil {
			e.Close()
		}
		if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}
