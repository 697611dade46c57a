package model_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// golden is testdata/tiny/golden.json: what PyTorch computes in float64.
type golden struct {
	Sequences []struct {
		IDs    []int32                `json:"input_ids"`
		Types  []int32                `json:"token_type_ids"`
		Logit  float64                `json:"logit"`
		Hidden map[string][][]float64 `json:"hidden"`
	} `json:"sequences"`
}

func loadGolden(t *testing.T) (*model.Weights, *golden) {
	t.Helper()
	text, err := fs.ReadFile(testdata.Tiny(), "golden.json")
	if err != nil {
		t.Fatal(err)
	}
	g := new(golden)
	if err := json.Unmarshal(text, g); err != nil {
		t.Fatal(err)
	}
	if len(g.Sequences) < 10 {
		t.Fatalf("%d sequences", len(g.Sequences))
	}
	w, err := model.Load(testdata.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w, g
}

// The reference computes what PyTorch computes, block by block, to float64's
// last digits; alone and all sequences packed together.
func TestReferenceGolden(t *testing.T) {
	w, g := loadGolden(t)
	c := &w.Config
	var together model.Batch
	for _, s := range g.Sequences {
		together.Append(s.IDs, s.Types)
	}
	check := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-12*math.Max(1, math.Abs(want))) {
			t.Errorf("%s: %.17g, want %.17g", what, got, want)
		}
	}
	p := modeltest.Begin(t, model.NewReference(w, 1), &together).(*model.ReferencePass)
	defer p.End()
	block := func(name string) {
		t.Helper()
		hidden := p.Hidden64()
		for s, sequence := range g.Sequences {
			lo, _ := together.Bounds(s)
			for r, row := range sequence.Hidden[name] {
				for i, want := range row {
					check(fmt.Sprintf("%s of sequence %d, x[%d,%d]", name, s, r, i), hidden[(lo+r)*c.HiddenSize+i], want)
				}
			}
			if len(sequence.Hidden[name]) == 0 {
				t.Fatalf("sequence %d has no %s", s, name)
			}
		}
	}
	p.Embed()
	block("embed")
	for l := range c.Layers {
		p.Attention(l, model.AllRows)
		block(fmt.Sprintf("layer %d attention", l))
		p.FeedForward(l)
		block(fmt.Sprintf("layer %d feed-forward", l))
	}
	logits := w.Head.Apply64(p.Pool64(model.Firsts), together.Len())
	for s, sequence := range g.Sequences {
		check(fmt.Sprintf("logit %d", s), logits[s], sequence.Logit)
	}
}

func TestCPUGolden(t *testing.T) {
	w, g := loadGolden(t)
	d, err := cpu.Open(w, 1, kernels.Variant{ISA: kernels.Best(), Format: kernels.F32})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for s, sequence := range g.Sequences {
		var b model.Batch
		b.Append(sequence.IDs, sequence.Types)
		got := make([]float32, 1)
		if err := modeltest.Score(d, w, &b, got); err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(got[0])-sequence.Logit) > 1e-6*math.Max(10, math.Abs(sequence.Logit)) {
			t.Errorf("sequence %d of %d tokens: logit %g, want %g", s, len(sequence.IDs), got[0], sequence.Logit)
		}
	}
}
