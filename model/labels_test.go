package model

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The activation of a cross-encoder comes from the first of these places that names one, for
// one label and for two; without any, one label has Sigmoid and several have none.
func TestActivationSources(t *testing.T) {
	const torch = `"torch.nn.modules.`
	for _, c := range []struct {
		name               string
		settings, new, old string // activation_fn of config_sentence_transformers.json, that of config.json, and the older field
		one, two           Activation
	}{
		{"nothing", "", "", "", Sigmoid, Identity},
		{"versions 2 and 3", "", "", torch + `linear.Identity"`, Identity, Identity},
		{"versions 2 and 3, the other", "", "", torch + `activation.Sigmoid"`, Sigmoid, Sigmoid},
		{"since 4", "", torch + `linear.Identity"`, torch + `activation.Sigmoid"`, Identity, Identity},
		{"since 4, null", "", "null", torch + `linear.Identity"`, Sigmoid, Identity},
		{"since 4, of another's", "", `"mine.Sigmoid"`, torch + `activation.Sigmoid"`, Sigmoid, Identity},
		{"since 5.4", torch + `activation.Sigmoid"`, torch + `linear.Identity"`, torch + `linear.Identity"`, Sigmoid, Sigmoid},
		{"since 5.4, null", "null", torch + `activation.Sigmoid"`, "", Sigmoid, Sigmoid},
	} {
		for labels, want := range map[string]Activation{`{"0":"a"}`: c.one, `{"0":"a","1":"b"}`: c.two} {
			config := withField("id2label", labels)
			if c.old != "" {
				config = member(config, oldActivation, c.old)
			}
			if c.new != "" {
				config = member(config, "sentence_transformers", `{"activation_fn":`+c.new+`}`)
			}
			files := modular(config, "", "", "")
			if c.settings != "" {
				files = modular(config, oneModule, member(withPrompt, newActivation, c.settings), ofScores)
			}
			s, err := ReadSpec(files)
			if err != nil || s.Activation != want {
				t.Errorf("%s, %s: %+v, %v, want %s", c.name, labels, s, err, want)
			}
		}
	}
}

// The names and the function are those of transformers' pipeline; what it would not take
// either is refused by name.
func TestMeaning(t *testing.T) {
	for _, c := range []struct {
		id2label, problem string
		n                 int
		labels            []string
		final             Activation
		says              string
	}{
		{`{"0":"no","1":"yes"}`, `null`, 2, []string{"no", "yes"}, Softmax, ""},
		{`{"1":"yes","0":"no"}`, `"single_label_classification"`, 2, []string{"no", "yes"}, Softmax, ""},
		{`{"0":"a","1":"b"}`, `"multi_label_classification"`, 2, []string{"a", "b"}, Sigmoid, ""},
		{`{"0":"a","1":"b"}`, `"regression"`, 2, []string{"a", "b"}, Identity, ""},
		{`{"0":"stars"}`, `"regression"`, 1, []string{"stars"}, Identity, ""},
		{`{"0":"a"}`, `null`, 1, []string{"a"}, Sigmoid, ""},
		{`{"0":1,"1":null,"2":"x"}`, `null`, 3, []string{"1", "null", "x"}, Softmax, ""},
		{`{"0":"a"}`, `null`, 3, []string{"LABEL_0", "LABEL_1", "LABEL_2"}, Softmax, ""},
		{`null`, `null`, 2, []string{"LABEL_0", "LABEL_1"}, Softmax, ""},
		{`{"1":"a","2":"b"}`, `null`, 2, nil, "", "config.json: id2label: 2 labels, and none is number 0"},
		{`{"0":"a"}`, `"ranking"`, 1, nil, "", "config.json: problem_type: ranking, want regression"},
		{`{"0":"a"}`, `5`, 1, nil, "", "config.json: problem_type: 5, want regression"},
	} {
		config := strings.TrimSuffix(withField("id2label", c.id2label), "}") + `,"problem_type":` + c.problem + "}"
		s, err := ReadSpec(fstest.MapFS{"config.json": {Data: []byte(config)}})
		if err != nil {
			t.Errorf("%s, %s: %v", c.id2label, c.problem, err)
			continue
		}
		m, err := s.Meaning(c.n)
		if c.says != "" {
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s, %s: %+v, %v, want %q", c.id2label, c.problem, m, err, c.says)
			}
		} else if err != nil || !slices.Equal(m.Labels, c.labels) || m.Final != c.final {
			t.Errorf("%s, %s: %+v, %v, want %q and %s", c.id2label, c.problem, m, err, c.labels, c.final)
		}
	}
}

// Probabilities of logits that are far from 0, and from one another, are right: subtracting
// the largest absolute value, or nothing, would make them 0/0.
func TestApplyOfFarLogits(t *testing.T) {
	for _, c := range []struct {
		final        Activation
		logits, want []float64
	}{
		{Softmax, []float64{-200, 1}, []float64{0, 1}},
		{Softmax, []float64{-1000, -1001}, []float64{1 / (1 + math.Exp(-1)), 1 / (1 + math.E)}},
		{Softmax, []float64{3e38, -3e38, 3e38}, []float64{0.5, 0, 0.5}},
		{Softmax, []float64{0, math.Log(2), math.Log(5)}, []float64{0.125, 0.25, 0.625}},
		{Sigmoid, []float64{-200, 1, 200}, []float64{0, 1 / (1 + math.Exp(-1)), 1}},
		{Identity, []float64{-200, 7}, []float64{-200, 7}},
	} {
		var got []float32
		for _, x := range c.logits {
			got = append(got, float32(x))
		}
		m := Meaning{Final: c.final}
		m.Apply(got)
		for i, want := range c.want {
			if !(math.Abs(float64(got[i])-want) <= 1e-7) {
				t.Errorf("%s of %g: %g, want %g", c.final, c.logits, got, c.want)
			}
		}
	}
}
