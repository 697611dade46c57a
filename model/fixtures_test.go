package model_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// Two encoders that others made, without a prefix and without a head, with the
// hidden states that PyTorch computes for them in float64.
func TestTinyFixtures(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	for _, name := range []string{"coldfire_tiny_bert", "jammi_tiny_bert"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(shared, "data", "tiny-fixtures", name)
			data, err := os.ReadFile(filepath.Join(dir, "expected_hidden.json"))
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				IDs    [][]int32     `json:"input_ids"`
				Types  [][]int32     `json:"token_type_ids"`
				Mask   [][]int       `json:"attention_mask"`
				Hidden [][][]float64 `json:"last_hidden_state_f64"`
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			w, err := model.Load(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			var b model.Batch
			var rows [][]float64
			for s, mask := range want.Mask {
				n := 0
				for _, m := range mask {
					n += m
				}
				b.Append(want.IDs[s][:n], want.Types[s][:n])
				rows = append(rows, want.Hidden[s][:n]...)
			}
			onCPU, err := cpu.Open(w, 1, kernels.Variant{ISA: kernels.Best(), Format: kernels.F32})
			if err != nil {
				t.Fatal(err)
			}
			defer onCPU.Close()
			for _, d := range []model.Device{model.NewReference(w, 1), onCPU} {
				p := modeltest.Begin(t, d, &b)
				p.Embed()
				for layer := range w.Config.Layers {
					p.Attention(layer, model.AllRows)
					p.FeedForward(layer)
				}
				got := make([]float32, b.Tokens()*w.Config.HiddenSize)
				if err := p.Hidden(got); err != nil {
					t.Fatal(err)
				}
				p.End()
				largest := 0.0
				for i, row := range rows {
					for c, v := range row {
						largest = math.Max(largest, math.Abs(float64(got[i*len(row)+c])-v))
					}
				}
				if !(largest <= 1e-5) {
					t.Errorf("%s: hidden state off by %.2g, want at most 1e-5", d.Name(), largest)
				}
				t.Logf("%s: hidden state off by %.2g at most", d.Name(), largest)
			}
		})
	}
}
