package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// Info says in words what the modules are, in their order.
func TestInfoModules(t *testing.T) {
	_, cases := embedderCases(t)
	want := map[string][]string{
		"no modules":                   {"pooling: mean"},
		"old, last and cls":            {"pooling: cls, lasttoken"},
		"unit":                         {"pooling: mean", "normalize: to length 1"},
		"dense, identity without bias": {"pooling: mean", "dense: 32 to 40, without a bias, identity", "normalize: to length 1"},
		"dense, tanh":                  {"pooling: mean", "dense: 32 to 9, tanh", "normalize: to length 1"},
		"cut":                          {"pooling: mean", "normalize: to length 1", "the first 5 values of 32"},
		"residual, projected input":    {"pooling: mean", "dense: 32 to 9, gelu, added to its input", "normalize: to length 1"},
		"layer norm":                   {"pooling: mean", "layer norm: of 32"},

		"without the default prompt, old": {"pooling: cls, mean, without the tokens of the prompt", "normalize: to length 1"},
	}
	for _, c := range cases {
		modules, listed := want[c.Name]
		if !listed {
			continue
		}
		delete(want, c.Name)
		e, err := engine.OpenFS(c.files(t), engine.Embedder(), engine.Device("reference"))
		if err != nil {
			t.Fatal(err)
		}
		got := e.Info().Modules
		if !slices.Equal(got, modules) {
			t.Errorf("%s: %q, want %q", c.Name, got, modules)
		}
		e.Info().Modules[0] = "" // a copy
		if e.Info().Modules[0] == "" {
			t.Errorf("%s: not a copy", c.Name)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(want) > 0 {
		t.Errorf("no cases %v", want)
	}
}

// What is not understood is refused, by the name of its file and key.
func TestEmbeddersRefused(t *testing.T) {
	const (
		list    = `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}`
		mean    = `{"embedding_dimension":32,"pooling_mode":"mean"}`
		another = `,{"idx":2,"name":"2","path":"2_X","type":"sentence_transformers.models.`
	)
	for _, test := range []struct{ list, pooling, module, settings, bert, says string }{
		{list + another + `WordWeights"}]`, mean, "", "", "", `modules.json: module 2, "sentence_transformers.models.WordWeights", is not supported`},
		{list + another + `Pooling"}]`, mean, mean, "", "", `modules.json: module 2, "sentence_transformers.models.Pooling", is not supported`},
		{list + `,{"idx":2,"name":"2","path":"2_X","type":"mine.Normalize"}]`, mean, "", "", "", `modules.json: module 2, "mine.Normalize", is not supported`},
		{`[{"idx":0,"name":"0","path":"","type":"mine.Transformer"}]`, "", "", "", "", `module 0, "mine.Transformer", is not supported`},
		{`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}]`, "", "", "", "", "want a Pooling after the Transformer"},
		{`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"mine.Pooling"}]`, "", "", "", "", `modules.json: module 1, "mine.Pooling", is not supported`},
		{`[]`, "", "", "", "", "modules.json: no modules"},
		{list + `]`, "", "", "", "", "1_Pooling/config.json is missing"},
		{list + `]`, `{"embedding_dimension":64,"pooling_mode":"mean"}`, "", "", "", "1_Pooling/config.json: embedding_dimension: 64"},
		{list + `]`, `{"pooling_mode":"median"}`, "", "", "", `1_Pooling/config.json: pooling_mode: "median" is not supported`},
		{list + `]`, `{"pooling_mode":[]}`, "", "", "", `pooling_mode: 0 names`},
		{list + `]`, `{"pooling_mode":["mean","mean","mean","mean","mean","mean","mean"]}`, "", "", "", `pooling_mode: 7 names, want 1 to 6`},
		{list + `]`, `{"pooling_mode":"mean","pooling_mode_cls_token":true}`, "", "", "", "pooling_mode_cls_token: true, beside a pooling_mode"},
		{list + `]`, `{"word_embedding_dimension":32,"pooling_mode_cls_token":true}`, "", "", "", "pooling_mode_mean_tokens: missing"},
		{list + `]`, `{"pooling_mode":"mean","output_key":"sentence_embedding"}`, "", "", "", "1_Pooling/config.json: output_key:"},
		{list + another + `Dense"}]`, mean, `{"in_features":16,"out_features":3}`, "", "", "2_X/config.json: in_features: 16, want 32"},
		{list + another + `Dense"}]`, mean, `{"in_features":32,"out_features":3,"activation_function":"torch.nn.modules.activation.Softplus"}`, "", "", `activation_function: "torch.nn.modules.activation.Softplus" is not supported`},
		{list + another + `Dense"}]`, mean, `{"in_features":32,"out_features":3,"activation_function":"mine.Tanh"}`, "", "", `activation_function: "mine.Tanh" is not supported`},
		{list + another + `Dense"}]`, mean, `{"in_features":32,"out_features":3,"activation_function":"torch.nn.functional.Tanh"}`, "", "", `activation_function: "torch.nn.functional.Tanh" is not supported`},
		{list + another + `Dense"}]`, mean, `{"in_features":32,"out_features":3,"activation_function":"Tanh"}`, "", "", `activation_function: "Tanh" is not supported`},
		{list + another + `LayerNorm"}]`, mean, `{"dimension":16}`, "", "", "2_X/config.json: dimension: 16, want 32"},
		{list + another + `LayerNorm"}]`, mean, `{"dimension":32}`, "", "", "2_X: "},
		{list + another + `LayerNorm"}]`, mean, `{"dimension":32,"eps":1}`, "", "", "2_X/config.json: eps: "},
		{list + another + `Dropout"}]`, mean, `{"dropout":0.1,"p":1}`, "", "", "2_X/config.json: p: "},
		{list + another + `Dense"}]`, mean, `{"in_features":32,"out_features":3,"module_output_name":"scores"}`, "", "", `module_output_name: "scores"`},
		{list + another + `Dense"}]`, mean, `{"in_features":32,"out_features":3}`, "", "", "2_X: "},
		{list + another + `Normalize"}]`, mean, `{"p":1}`, "", "", "2_X/config.json: p:"},
		{list + `]`, mean, "", `{"model_type":"CrossEncoder"}`, "", `model_type: "CrossEncoder"`},
		{list + `]`, mean, "", `{"truncate_dim":0}`, "", "truncate_dim: 0"},
		{list + `]`, mean, "", `{"something":1}`, "", "config_sentence_transformers.json: something:"},
		{list + `]`, mean, "", "", `{"transformer_task":"fill-mask"}`, `transformer_task: "fill-mask"`},
		{list + `]`, mean, "", "", `{"modality_config":{"text":{"method":"forward","method_output_name":"pooler_output"}}}`, "modality_config:"},
	} {
		files := map[string]json.RawMessage{"modules.json": json.RawMessage(test.list)}
		for name, content := range map[string]string{"1_Pooling/config.json": test.pooling, "2_X/config.json": test.module, "config_sentence_transformers.json": test.settings, "sentence_bert_config.json": test.bert} {
			if content != "" {
				files[name] = json.RawMessage(content)
			}
		}
		e, err := engine.OpenFS(embedder(t, files, nil), engine.Embedder(), engine.Device("cpu"), engine.NoCalibrationFile())
		if err == nil {
			e.Close()
		}
		if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("error %v, want one with %q", err, test.says)
		}
	}
}
