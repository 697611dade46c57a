package model_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// counting is 0, 1, 2 ... as I64.
func counting(n int) (data []byte) {
	for i := range n {
		data = binary.LittleEndian.AppendUint64(data, uint64(i))
	}
	return data
}

// floats is a tensor of one value.
func floats(name string, value float32, shape ...int) safetensors.Entry {
	n := 1
	for _, d := range shape {
		n *= d
	}
	var data []byte
	for range n {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
	}
	return safetensors.Entry{Name: name, DType: "F32", Shape: shape, Data: data}
}

// old renames as the first checkpoints have it.
func old(name string) string {
	return strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(name)
}

// Checkpoints from before transformers call the LayerNorms' gains gamma and their biases
// beta; a file may have both ways, and the encoder's prefix on some names alone. All of
// them score as the same model does.
func TestBindOldNames(t *testing.T) {
	c, original := entries(t)
	w, err := bind(t, c, original)
	if err != nil {
		t.Fatal(err)
	}
	want := logits(t, w)
	for name, rename := range map[string]func(i int, name string) string{
		"gamma and beta":             func(_ int, name string) string { return old(name) },
		"gamma and beta, no prefix":  func(_ int, name string) string { return strings.TrimPrefix(old(name), "bert.") },
		"both ways in one file":      func(i int, name string) string { return []string{name, old(name)}[i%2] },
		"a prefix on half of them":   func(i int, name string) string { return []string{name, strings.TrimPrefix(name, "bert.")}[i%2] },
		"the prefix on a classifier": func(_ int, name string) string { return "bert." + strings.TrimPrefix(name, "bert.") },
		"of a whole old model":       func(_ int, name string) string { return "0.auto_model." + old(name) },
		"of a whole new model":       func(_ int, name string) string { return "0.model." + strings.TrimPrefix(name, "bert.") },
	} {
		all := slices.Clone(original)
		for i := range all {
			all[i].Name = rename(i, all[i].Name)
		}
		w, err := bind(t, c, all)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := logits(t, w); !slices.Equal(got, want) || len(w.Warnings) > 0 {
			t.Errorf("%s: logits %g, warnings %q; want %g and none", name, got, w.Warnings, want)
		}
	}
	// Which of two counts hangs on the version of transformers.
	for _, name := range []string{"bert.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"} {
		twice := append(slices.Clone(original), floats(name, 7, 8))
		if _, err := bind(t, c, twice); !errors.Is(err, model.ErrWeights) || !strings.Contains(err.Error(), "are the same one") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, too: %v", name, err)
		}
	}
}

// The state dict of a whole model has other modules' weights, which would not be read; and what
// is missing is named as the file would have it.
func TestBindStateDictOfAll(t *testing.T) {
	c, original := entries(t)
	all := slices.Clone(original)
	for i := range all {
		all[i].Name = "0.model." + all[i].Name
	}
	for _, test := range []struct {
		all  []safetensors.Entry
		says string
	}{
		{append(slices.Clone(all), floats("2.linear.weight", 1, 1)), `tensor "2.linear.weight" is of another module`},
		{slices.DeleteFunc(slices.Clone(all), func(e safetensors.Entry) bool { return strings.HasSuffix(e.Name, "1.output.dense.bias") }), `tensor "0.model.bert.encoder.layer.1.output.dense.bias" is missing`},
		{slices.DeleteFunc(slices.Clone(all), func(e safetensors.Entry) bool { return strings.HasSuffix(e.Name, "classifier.bias") }), `tensor "0.model.classifier.bias" is missing`},
	} {
		if _, err := bind(t, c, test.all); !errors.Is(err, model.ErrWeights) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("error %v, want one with %q", err, test.says)
		}
	}
}

// What the model has no place for is left out, as transformers does, and one warning says
// so, however many there are.
func TestBindWarnsOfUnexpectedTensors(t *testing.T) {
	c, original := entries(t)
	w, err := bind(t, c, original)
	if err != nil {
		t.Fatal(err)
	}
	want := logits(t, w)
	var all []safetensors.Entry
	for _, name := range []string{"loss_fct.weight", "cls.predictions.bias", "bert.a", "bert.b"} {
		all = append(all, floats(name, float32(math.NaN()), 1))
	}
	for n, text := range map[int]string{
		1: `1 tensors have no place in the model of config.json, and are not used: "loss_fct.weight"`,
		2: `"cls.predictions.bias", "loss_fct.weight"`,
		4: `4 tensors have no place in the model of config.json, and are not used: `,
	} {
		w, err := bind(t, c, append(slices.Clone(original), all[:n]...))
		if err != nil {
			t.Fatal(err)
		}
		if got := logits(t, w); !slices.Equal(got, want) {
			t.Errorf("%d more: logits %g, want %g", n, got, want)
		}
		if len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], text) || len(w.Warnings[0]) > 400 {
			t.Errorf("%d more: warnings %q, want one with %q", n, w.Warnings, text)
		}
	}
	fewer := *c
	fewer.Layers = 1
	if w, err = bind(t, &fewer, original); err != nil || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "encoder.layer.1.") {
		t.Errorf("a layer too few in config.json: %v, warnings %q", err, w.Warnings)
	}
}

// Old versions of transformers take the positions from the file. Those that are not 0, 1,
// 2 ... would be another model there.
func TestBindLooksAtPositions(t *testing.T) {
	c, original := entries(t)
	reversed := counting(16)
	for i := range 16 {
		binary.LittleEndian.PutUint64(reversed[8*i:], uint64(15-i))
	}
	last := counting(16)
	last[8*15+7] = 0x80
	for name, e := range map[string]safetensors.Entry{
		"position 0 is 15":                {DType: "I64", Shape: []int{1, 16}, Data: reversed},
		"position 1 is 0":                 {DType: "I64", Shape: []int{1, 16}, Data: make([]byte, 8*16)},
		"position 15 is -922337203685477": {DType: "I64", Shape: []int{16}, Data: last},
		"position 1 is 2":                 {DType: "I32", Shape: []int{2}, Data: []byte{0, 0, 0, 0, 2, 0, 0, 0}},
		"U8, want I64":                    {DType: "U8", Shape: []int{1}, Data: make([]byte, 1)},
		"position 1 is 3":                 {DType: "BF16", Shape: []int{2}, Data: []byte{0, 0, 0x40, 0x40}},
		"position 0 is NaN":               {DType: "F32", Shape: []int{1}, Data: []byte{0, 0, 0xc0, 0x7f}},
		"position 0 is 2":                 {DType: "F64", Shape: []int{1}, Data: []byte{0, 0, 0, 0, 0, 0, 0, 0x40}},
	} {
		for _, e.Name = range []string{"bert.embeddings.position_ids", "embeddings.position_ids"} {
			if _, err := bind(t, c, append(slices.Clone(original), e)); !errors.Is(err, model.ErrWeights) || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v, want one with %q", err, name)
			}
		}
	}
	for _, good := range []safetensors.Entry{
		{DType: "I32", Shape: []int{2}, Data: []byte{0, 0, 0, 0, 1, 0, 0, 0}},
		// As whoever casts all of a checkpoint leaves them; the library takes these, too.
		{DType: "F32", Shape: []int{1, 2}, Data: []byte{0, 0, 0, 0, 0, 0, 0x80, 0x3f}},
		{DType: "F64", Shape: []int{1, 2}, Data: []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}},
		{DType: "F16", Shape: []int{1, 2}, Data: []byte{0, 0, 0, 0x3c}},
		{DType: "BF16", Shape: []int{1, 2}, Data: []byte{0, 0, 0x80, 0x3f}},
	} {
		good.Name = "bert.embeddings.position_ids"
		if w, err := bind(t, c, append(slices.Clone(original), good)); err != nil || len(w.Warnings) > 0 {
			t.Errorf("%s: %v, warnings %q", good.DType, err, w.Warnings)
		}
	}
}

// loaded loads the small model with fields of its config.json replaced.
func loaded(t *testing.T, old, new string) (*model.Weights, error) {
	t.Helper()
	fsys, err := synth.FS(1, smallShape)
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "config.json" {
			if !bytes.Contains(data, []byte(old)) {
				t.Fatalf("no %q in %s", old, data)
			}
			data = bytes.Replace(data, []byte(old), []byte(new), 1)
		}
		all[name] = &fstest.MapFile{Data: data}
	}
	return model.Load(all)
}

// Versions of transformers go by id2label or by num_labels where they contradict: the
// classifier is the one that has to be right.
func TestClassifierDecidesAboutLabels(t *testing.T) {
	const field = `"layer_norm_eps": 1e-12,`
	w, err := loaded(t, field, field+`"num_labels": 3,`)
	if err != nil {
		t.Fatal(err)
	}
	const says = "config.json: num_labels is 3, but id2label has 1: the classifier has 1, and counts"
	if w.Config.Labels != 1 || w.CheckHead() != nil || !slices.Equal(w.Warnings, []string{says}) || w.Config.Activation != model.Identity {
		t.Errorf("%+v, warnings %q, want %q", w.Config, w.Warnings, says)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	_, err = loaded(t, `"id2label": {`, `"num_labels": 3, "id2label": { "7": "x",`)
	if !errors.Is(err, model.ErrConfig) || !strings.Contains(err.Error(), "num_labels is 3, id2label has 2, and the classifier 1") {
		t.Errorf("neither is right: %v", err)
	}
}

// A classifier may be another head's: of tokens, of choices.
func TestForeignHeadIsWarnedOf(t *testing.T) {
	for name, warned := range map[string]bool{"BertForTokenClassification": true, "BertModel": true, "BertForSequenceClassification": false} {
		w, err := loaded(t, `"BertForSequenceClassification"`, `"`+name+`"`)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(w.Warnings) == 1 && strings.Contains(w.Warnings[0], "architectures is") && strings.Contains(w.Warnings[0], name); got != warned {
			t.Errorf("%s: warnings %q", name, w.Warnings)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
