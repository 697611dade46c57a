//go:build (darwin && cgo) || fakemetal

package main

import (
	"io"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// The parts about the GPU have content where there is one, or a stand-in for one, which needs
// small models and few rows.
func TestDoctorOnMetal(t *testing.T) {
	for name, want := range map[string][]string{
		"metal-library":     {"gpu                 ", "compiled as Metal", "The compiler said:\nnothing, and took the shaders"},
		"metal-kernels":     {"attention_32", "embeddings", "qkv", "32x64", metal.Tiles[0].String(), metal.Tiles[5].String(), "most threads"},
		"metal-fragments":   {"lie in the lanes that the shaders expect", metal.Tiles[5].String() + ": its products are right"},
		"conformance-metal": {"elements by way of memory", "layer 0 feed-forward", "pool", "2 of 2 are within their bounds in every block"},
		"tune":              {"products of 64 tokens", "fastest: qkv linear_"},
	} {
		var stdout strings.Builder
		p := &program{stdout: &stdout, stderr: io.Discard, getenv: func(string) string { return "" }}
		x := p.exam(tiny(t), t.TempDir())
		x.shapes = []examShape{{synth.Shape{Layers: 1, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 104, Positions: 64, Types: 2, Labels: 1}, []model.Pooling{model.PoolMax, model.PoolMean}, []int{1, 9}}}
		x.tiles, x.effort = metal.Tiles[:1], metal.Effort{Rows: 64, Rounds: 1, Repeats: 1}
		if err := p.lookAt(t.Context(), name, x); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(stdout.String(), metal.ErrUnavailable.Error()) {
			t.Skip(stdout.String())
		}
		for _, text := range want {
			if !strings.Contains(stdout.String(), text) {
				t.Errorf("%s: no %q in\n%s", name, text, stdout.String())
			}
		}
	}
}
