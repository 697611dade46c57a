package model_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

var smallShape = synth.Shape{Layers: 2, Hidden: 8, Heads: 2, Intermediate: 12, Vocab: 300, Positions: 16, Types: 2, Labels: 1}

// entries returns the small model's tensors, to be changed and bound again.
func entries(t *testing.T) (*model.Config, []safetensors.Entry) {
	t.Helper()
	fsys, err := synth.FS(1, smallShape)
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.ReadConfig(fsys)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.OpenCheckpoint(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var all []safetensors.Entry
	for _, name := range file.Names() {
		tensor, _ := file.Lookup(name)
		all = append(all, safetensors.Entry{Name: name, DType: tensor.DType, Shape: tensor.Shape, Data: slices.Clone(tensor.Data())})
	}
	return c, all
}

func bind(t *testing.T, c *model.Config, all []safetensors.Entry) (*model.Weights, error) {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, all, nil); err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Parse("test.safetensors", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return model.Bind(c, file)
}

func logits(t *testing.T, w *model.Weights) []float32 {
	t.Helper()
	var b model.Batch
	b.Append([]int32{101, 7, 9, 102, 250, 102}, []int32{0, 0, 0, 0, 1, 1})
	scores := make([]float32, 1)
	if err := modeltest.Score(model.NewReference(w, 1), w, &b, scores); err != nil {
		t.Fatal(err)
	}
	return scores
}

// The checkpoint variants that exist all mean the same model.
func TestBindAccepts(t *testing.T) {
	c, original := entries(t)
	w, err := bind(t, c, original)
	if err != nil {
		t.Fatal(err)
	}
	want := logits(t, w)
	positions := safetensors.Entry{Name: "bert.embeddings.position_ids", DType: "I64", Shape: []int{1, 16}, Data: counting(16)}
	for name, change := range map[string]func(c *model.Config, all []safetensors.Entry) []safetensors.Entry{
		"position_ids": func(_ *model.Config, all []safetensors.Entry) []safetensors.Entry { return append(all, positions) },
		"no prefix": func(_ *model.Config, all []safetensors.Entry) []safetensors.Entry {
			for i := range all {
				all[i].Name = strings.TrimPrefix(all[i].Name, "bert.")
			}
			return all
		},
		"labels unsaid": func(c *model.Config, all []safetensors.Entry) []safetensors.Entry { c.Labels = 0; return all },
	} {
		config := *c
		w, err := bind(t, &config, change(&config, slices.Clone(original)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := logits(t, w); !slices.Equal(got, want) {
			t.Errorf("%s: logits %g, want %g", name, got, want)
		}
		if w.Parameters() == 0 || w.Config.Labels != 1 {
			t.Errorf("%s: %d parameters, %d labels", name, w.Parameters(), w.Config.Labels)
		}
	}
}

func TestBindRefuses(t *testing.T) {
	c, original := entries(t)
	find := func(all []safetensors.Entry, name string) *safetensors.Entry {
		i := slices.IndexFunc(all, func(e safetensors.Entry) bool { return e.Name == name })
		if i < 0 {
			t.Fatalf("no tensor %q", name)
		}
		return &all[i]
	}
	for says, change := range map[string]func(c *model.Config, all *[]safetensors.Entry){
		`tensor "bert.encoder.layer.1.output.dense.bias" is missing`: func(_ *model.Config, all *[]safetensors.Entry) {
			*all = slices.DeleteFunc(*all, func(e safetensors.Entry) bool { return e.Name == "bert.encoder.layer.1.output.dense.bias" })
		},
		`tensor "bert.pooler.dense.weight": shape [64], want [8 8]`: func(_ *model.Config, all *[]safetensors.Entry) {
			find(*all, "bert.pooler.dense.weight").Shape = []int{64}
		},
		`tensor "bert.encoder.layer.2.attention.self.query.weight" is missing`: func(c *model.Config, _ *[]safetensors.Entry) { c.Layers = 3 },
		`word_embeddings.weight": shape [300 8], want [301 8]`:                 func(c *model.Config, _ *[]safetensors.Entry) { c.VocabSize = 301 },
		`word_embeddings.weight": shape [300 8], want [299 8]`:                 func(c *model.Config, _ *[]safetensors.Entry) { c.VocabSize = 299 },
		`position_embeddings.weight": shape [16 8], want [512 8]`:              func(c *model.Config, _ *[]safetensors.Entry) { c.MaxPositions = 512 },
		`classifier.weight": shape [1 8], want [3 8]`:                          func(c *model.Config, _ *[]safetensors.Entry) { c.Labels = 3 },
		`"bert.pooler.dense.bias"`: func(_ *model.Config, all *[]safetensors.Entry) {
			copy(find(*all, "bert.pooler.dense.bias").Data[8:], []byte{0, 0, 0xc0, 0x7f}) // NaN
		},
		`"classifier.bias"`: func(_ *model.Config, all *[]safetensors.Entry) {
			e := find(*all, "classifier.bias")
			e.DType, e.Data = "I32", make([]byte, 4)
		},
	} {
		config, all := *c, slices.Clone(original)
		for i := range all {
			all[i].Data = slices.Clone(all[i].Data)
		}
		change(&config, &all)
		if _, err := bind(t, &config, all); !errors.Is(err, model.ErrWeights) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one with %q", err, says)
		}
	}
}

func TestBindWithoutHead(t *testing.T) {
	c, all := entries(t)
	encoder := slices.DeleteFunc(all, func(e safetensors.Entry) bool { return strings.HasPrefix(e.Name, "classifier.") })
	w, err := bind(t, c, encoder)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CheckHead(); !errors.Is(err, model.ErrNoHead) {
		t.Errorf("CheckHead: %v", err)
	}
	var b model.Batch
	b.Append([]int32{1}, []int32{0})
	if err := modeltest.Score(model.NewReference(w, 1), w, &b, make([]float32, 1)); !errors.Is(err, model.ErrNoHead) {
		t.Errorf("Score: %v", err)
	}
}

// Half-precision checkpoints are read exactly: each value is what its bits say.
func TestBindHalfPrecision(t *testing.T) {
	c, all := entries(t)
	for dtype, decode := range map[safetensors.DType]func(uint16) float32{
		"BF16": func(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) },
		"F16": func(b uint16) float32 { // normal numbers, which these are
			sign, exponent, fraction := uint32(b>>15), uint32(b>>10&31), uint32(b&1023)
			return math.Float32frombits(sign<<31 | (exponent+127-15)<<23 | fraction<<13)
		},
	} {
		half := slices.Clone(all)
		want := map[string][]float32{}
		for i, e := range half {
			n := len(e.Data) / 4
			data := make([]byte, 2*n)
			for k := range n {
				bits := uint16(0x3c00 + (k*7)%512) // small positive numbers in both
				data[2*k], data[2*k+1] = byte(bits), byte(bits>>8)
				want[e.Name] = append(want[e.Name], decode(bits))
			}
			half[i].DType, half[i].Data = dtype, data
		}
		w, err := bind(t, c, half)
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		if got := model.Float32s(w.Layers[1].Down.W); !slices.Equal(got, want["bert.encoder.layer.1.output.dense.weight"]) {
			t.Errorf("%s: other values: %v ...", dtype, fmt.Sprint(got[:4]))
		}
	}
}
