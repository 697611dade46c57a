package model

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const goodConfig = `{"model_type":"bert","hidden_size":384,"num_hidden_layers":6,"num_attention_heads":12,"intermediate_size":1536,
"vocab_size":30522,"max_position_embeddings":512,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu","id2label":{"0":"LABEL_0"},
"position_embedding_type":"absolute"}`

var miniLM = Config{
	HiddenSize: 384, Layers: 6, Heads: 12, IntermediateSize: 1536, VocabSize: 30522, MaxPositions: 512,
	TypeVocabSize: 2, LayerNormEps: 1e-12, Labels: 1, Activation: Sigmoid,
}

func TestParseConfig(t *testing.T) {
	set := func(old, new string) string {
		if !strings.Contains(goodConfig, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(goodConfig, old, new, 1)
	}
	with := func(field string) string { return set(`{"model_type"`, `{`+field+`,"model_type"`) }
	for name, c := range map[string]struct {
		json string
		says string // of the error; empty: good
		want func(*Config)
	}{
		"as it is":        {goodConfig, "", func(*Config) {}},
		"no model type":   {set(`"model_type":"bert",`, ""), "", func(*Config) {}},
		"no eps":          {set(`"layer_norm_eps":1e-12,`, ""), "", func(*Config) {}},
		"no types":        {set(`"type_vocab_size":2,`, ""), "", func(*Config) {}},
		"old identity":    {with(`"sbert_ce_default_activation_function":"torch.nn.modules.linear.Identity"`), "", func(c *Config) { c.Activation = Identity }},
		"three labels":    {set(`{"0":"LABEL_0"}`, `{"0":"a","1":"b","2":"c"}`), "", func(c *Config) { c.Labels, c.Activation = 3, Identity }},
		"no labels":       {set(`,"id2label":{"0":"LABEL_0"}`, ""), "", func(c *Config) { c.Labels, c.Activation = 0, "" }},
		"roberta":         {set(`"bert"`, `"roberta"`), `model_type: "roberta"`, nil},
		"relu":            {set(`"gelu"`, `"relu"`), `hidden_act: "relu"`, nil},
		"tanh gelu":       {set(`"gelu"`, `"gelu_new"`), `hidden_act: "gelu_new"`, nil},
		"relative":        {set(`"absolute"`, `"relative_key"`), "position_embedding_type", nil},
		"decoder":         {with(`"is_decoder":true`), "is_decoder", nil},
		"hidden 0":        {set(`"hidden_size":384`, `"hidden_size":0`), "hidden_size: 0, want 1 to", nil},
		"hidden -1":       {set(`"hidden_size":384`, `"hidden_size":-1`), "hidden_size: -1", nil},
		"hidden 10^9":     {set(`"hidden_size":384`, `"hidden_size":1000000000`), "hidden_size: 1000000000", nil},
		"hidden 385":      {set(`"hidden_size":384`, `"hidden_size":385`), "385 is not divisible by num_attention_heads 12", nil},
		"hidden 384.5":    {set(`"hidden_size":384`, `"hidden_size":384.5`), "hidden_size", nil},
		"hidden a string": {set(`"hidden_size":384`, `"hidden_size":"384"`), "hidden_size", nil},
		"no hidden":       {set(`"hidden_size":384,`, ``), "hidden_size: missing", nil},
		"layers 10^18":    {set(`"num_hidden_layers":6`, `"num_hidden_layers":1000000000000000000`), "num_hidden_layers", nil},
		"eps -1":          {set(`1e-12`, `-1`), "layer_norm_eps: -1", nil},
		"not JSON":        {"weights", "config.json: invalid character", nil},
		"empty":           {"", "unexpected end", nil},
		"an array":        {"[]", "config.json: [], want an object", nil},
		"null":            {"null", "hidden_size: missing", nil},
		"half":            {goodConfig[:100], "unexpected end", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseConfig([]byte(c.json))
			if c.says != "" {
				if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v, want one with %q", err, c.says)
				}
				return
			}
			want := miniLM
			c.want(&want)
			if err != nil || *got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestReadConfig(t *testing.T) {
	if _, err := ReadConfig(fstest.MapFS{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("no file: %v", err)
	}
	huge := fstest.MapFS{"config.json": {Data: []byte(strings.Repeat(" ", 1<<20+1))}}
	if _, err := ReadConfig(huge); !errors.Is(err, ErrConfig) {
		t.Errorf("a megabyte: %v", err)
	}
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the real config.json is not read")
	}
	got, err := ReadConfig(os.DirFS(filepath.Join(shared, "data", "model-files")))
	want := miniLM
	want.Activation = Identity // which the real one names
	if err != nil || *got != want {
		t.Errorf("the real one: %+v, %v", got, err)
	}
}

// The design's figure: about 21.2 MFLOP a token in the linear layers, 18.3
// with the last layer for [CLS] alone, and 9.2 kFLOP × length in attention.
func TestFLOPs(t *testing.T) {
	c := miniLM
	const n = 87
	linear := int64(2 * (4*384*384 + 2*384*1536))     // a layer, one row
	keyValue := int64(2 * 2 * 384 * 384)              // the last layer's, every row
	want := n*(5*linear+keyValue) + linear - keyValue // linear layers
	want += 5*4*n*n*384 + 4*n*384                     // attention
	if got := c.FLOPs(n, ClsRows); got != want {
		t.Errorf("FLOPs(%d) of [CLS] rows = %d, want %d", n, got, want)
	}
	if got, want := c.FLOPs(n, AllRows), n*6*linear+6*4*n*n*384; got != want {
		t.Errorf("FLOPs(%d) of all rows = %d, want %d", n, got, want)
	}
	if perToken := float64(6*linear) / 1e6; perToken < 21.2 || perToken > 21.3 {
		t.Errorf("%g MFLOP a token", perToken)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":8,"vocab_size":9,"max_position_embeddings":8,"id2label":{"0":"x"}}`))
	f.Add([]byte(`{"sentence_transformers":{"activation_fn":"torch.nn.modules.activation.Sigmoid"},"layer_norm_eps":1e-12,"num_labels":1}`))
	f.Add([]byte(`{"hidden_size":-1}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 { // go test makes what is new smaller, trying all parts: of a real config.json, for minutes
			return
		}
		c, err := ParseConfig(data)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Errorf("error without ErrConfig: %v", err)
			}
			return
		}
		if c.HiddenSize < 1 || c.Heads < 1 || c.HiddenSize%c.Heads != 0 || c.Layers < 1 || c.VocabSize < 1 || c.MaxPositions < 1 || c.TypeVocabSize < 1 || c.FLOPs(512, ClsRows) <= 0 {
			t.Errorf("accepted %+v", c)
		}
	})
}
