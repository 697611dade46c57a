package model

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

// withField is goodConfig with a field set, or with none of that name where value is "".
func withField(name, value string) string {
	fields, err := parseFields("config.json", []byte(goodConfig))
	if err != nil {
		panic(err) // goodConfig is a constant
	}
	if fields.raw[name] = []byte(value); value == "" {
		delete(fields.raw, name)
	}
	var all []string
	for name, raw := range fields.raw {
		all = append(all, `"`+name+`":`+string(raw))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// What is wrong with a config.json is said with its names and its values: nobody who reads
// it knows Go's types.
func TestConfigErrorsAreInItsWords(t *testing.T) {
	for _, c := range []struct{ field, value, says string }{
		{"id2label", `{"a":"x"}`, `id2label: label "a", want a number`},
		{"id2label", `["x"]`, `id2label: ["x"], want an object of labels by number`},
		{"num_labels", `"1"`, `num_labels: "1", want a whole number`},
		{"num_labels", `0`, "num_labels: 0, want 1 to 65536"},
		{"hidden_size", `"384"`, `hidden_size: "384", want a whole number`},
		{"hidden_size", `384.5`, "hidden_size: 384.5, want a whole number"},
		{"vocab_size", `null`, "vocab_size: null, want a whole number"},
		{"type_vocab_size", `null`, "type_vocab_size: null, want a whole number"},
		{"layer_norm_eps", `"1e-12"`, `layer_norm_eps: "1e-12", want a number`},
		{"layer_norm_eps", `1`, "layer_norm_eps: 1, want 0 to 1"},
		{"hidden_act", `null`, "hidden_act: null, want a string"},
		{"hidden_act", `["gelu"]`, `hidden_act: ["gelu"], want a string`},
		{"is_decoder", `"false"`, `is_decoder: "false", want true or false`},
		{"position_embedding_type", `null`, "position_embedding_type: null, want a string"},
		{"architectures", `5`, "architectures: 5, want a list of names"},
		{"pruned_heads", `[1]`, "pruned_heads: [1], want an object of lists of heads by layer"},
		{oldActivation, `5`, oldActivation + ": 5, want a string"},
		{"sentence_transformers", `["x"]`, `sentence_transformers: ["x"], want an object`},
		{"sentence_transformers", `{"activation_fn":5}`, "sentence_transformers: activation_fn: 5, want a string"},
		{"hidden_act", `"` + strings.Repeat("x", 1000) + `"`, `hidden_act: "xxxxx`},
		{"id2label", `{"` + strings.Repeat("x", 1000) + `":1}`, `id2label: label "xxxxx`},
		{"hidden_size", `[` + strings.Repeat("1,", 1000) + `1]`, "hidden_size: [1,1,1,1"},
	} {
		_, err := ParseConfig([]byte(withField(c.field, c.value)))
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "config.json: "+c.says) || strings.Contains(err.Error(), "unmarshal") || len(err.Error()) > 200 {
			t.Errorf("%s %.40s: error %v, want one with %q", c.field, c.value, err, c.says)
		}
	}
}

// What changes scores is refused where it is not honoured.
func TestConfigRefusesAnotherModel(t *testing.T) {
	for _, c := range []struct{ field, value, says string }{
		{"pruned_heads", `{"0":[1],"2":[0,3]}`, "pruned_heads: 3 heads are removed, want none"},
		{"add_cross_attention", `true`, "add_cross_attention: true, want an encoder"},
		{"architectures", `["BertForCausalLM"]`, `architectures: "BertForCausalLM", which generates text`},
		{"per_layer_config", `{"0":{"hidden_act":"relu"}}`, "per_layer_config: "},
		{"quantization_config", `{"load_in_8bit":true}`, "quantization_config: "},
	} {
		if _, err := ParseConfig([]byte(withField(c.field, c.value))); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "config.json: "+c.says) {
			t.Errorf("%s %s: error %v, want one with %q", c.field, c.value, err, c.says)
		}
	}
	old := strings.Replace(withField("architectures", `["RobertaForMaskedLM"]`), `"model_type"`, `"no_model_type"`, 1)
	if _, err := ParseConfig([]byte(old)); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `model_type: missing, and architectures is ["RobertaForMaskedLM"]`) {
		t.Errorf("a RoBERTa from before model_type: %v", err)
	}
	for field, values := range map[string][]string{
		"pruned_heads": {`{}`, `null`, `{"0":[]}`}, "per_layer_config": {`{}`, `null`}, "quantization_config": {`null`},
		"add_cross_attention": {`false`}, "hidden_act": {`"gelu_python"`}, "id2label": {`{"0":0}`, `{"0":null}`, `null`},
		"architectures": {`null`, `[]`, `"BertForSequenceClassification"`}, "label2id": {`5`}, "dtype": {`"bfloat16"`},
		"Hidden_Size": {`7`}, "problem_type": {`5`}, "tie_word_embeddings": {`"x"`},
	} {
		for _, value := range values {
			c, err := ParseConfig([]byte(withField(field, value)))
			if err != nil || c.HiddenSize != 384 {
				t.Errorf("%s %s: %+v, %v", field, value, c, err)
			}
		}
	}
}

// The activation is the one that sentence-transformers puts on logits: the newer field's,
// even where that is null, else the older one's, else Sigmoid for one label. What is not
// PyTorch's is not run there.
func TestActivationIsTheLibrarys(t *testing.T) {
	const tanh = "torch.nn.modules.activation.Tanh"
	for _, c := range []struct {
		old, inner string // values; "": not there
		labels     string // of id2label
		want       Activation
		warnings   int
	}{
		{"", "", `{"0":"a"}`, Sigmoid, 0},
		{"", "", `{"0":"a","1":"b"}`, Identity, 0},
		{"null", "", `{"0":"a"}`, Sigmoid, 0},
		{`"torch.nn.Identity"`, "", `{"0":"a"}`, Identity, 0},
		{`"torch.nn.modules.activation.Sigmoid"`, "", `{"0":"a","1":"b"}`, Sigmoid, 0},
		{`"torch.nn.Identity"`, `{"version":"4"}`, `{"0":"a"}`, Identity, 0},
		{`"torch.nn.Identity"`, `{"activation_fn":null}`, `{"0":"a"}`, Sigmoid, 0},
		{`"torch.nn.Identity"`, `{"activation_fn":"torch.nn.Sigmoid"}`, `{"0":"a"}`, Sigmoid, 0},
		{"", `{"activation_fn":"torch.nn.modules.linear.Identity"}`, `{"0":"a"}`, Identity, 0},
		{`"my.Identity"`, "", `{"0":"a"}`, Sigmoid, 1},
		{`"torch.nn.Identity"`, `{"activation_fn":"my.Act"}`, `{"0":"a"}`, Sigmoid, 1},
		{`"` + tanh + `"`, "", `{"0":"a"}`, tanh, 1},
		{"", "null", `{"0":"a"}`, Sigmoid, 0},
	} {
		config := strings.TrimSuffix(withField("id2label", c.labels), "}")
		if c.old != "" {
			config += `,"` + oldActivation + `":` + c.old
		}
		if c.inner != "" {
			config += `,"sentence_transformers":` + c.inner
		}
		s, err := ReadSpec(fstest.MapFS{"config.json": {Data: []byte(config + "}")}})
		if err != nil || s.Activation != c.want || len(s.Warnings) != c.warnings {
			t.Errorf("old %s, new %s, labels %s: %+v, %v, want %s and %d warnings", c.old, c.inner, c.labels, s, err, c.want, c.warnings)
		}
	}
}
