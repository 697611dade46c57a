package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
)

// What a chip should need is a model, and says so; it needs no GPU.
func TestInfoModelChip(t *testing.T) {
	for _, chip := range []string{"M1", "apple m4 max"} {
		out := ok(t, "", "info", "--model", syntheticName, "--device", "metal", "--model-chip", chip)
		for _, want := range []string{"A MODEL, NOT A MEASUREMENT", "44 dispatches", "linear+gelu up", "attention cls", "T=8000", "waves"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", chip, want, out)
			}
		}
	}
	call(t, "", "info", "--model", syntheticName, "--device", "metal", "--model-chip", "M17").want(t, usage, `chip "M17"`, "M1 Ultra")
	call(t, "", "info", "--model-chip", "M1").want(t, usage, "--device metal")
}

// Without a GPU, asking for one is an error that says what is missing, and auto goes
// on without, saying so once.
func TestNoMetal(t *testing.T) {
	// No model can be tuned for without any heads, wherever there is a GPU.
	if _, err := metal.Tune(t.Context(), model.Config{}, metal.Effort{}, func(int, int) {}); !errors.Is(err, metal.ErrUnavailable) {
		t.Skipf("there is a GPU: %v", err)
	}
	for _, args := range [][]string{{"score", "--device", "metal"}, {"bench", "--device", "metal", "--out", t.TempDir()}, {"tune"}} {
		call(t, "", append(args, "--model", tiny(t))...).want(t, failed, "metal: not available: ")
	}
	out := ok(t, "", "info", "--model", tiny(t))
	if n := strings.Count(out, "metal: not available"); n != 1 || !strings.Contains(out, "cpu, ") {
		t.Errorf("info says %d times that there is no metal:\n%s", n, out)
	}
	call(t, "", "score", "--model", tiny(t), "--device", "metal", "--precision", "int8").want(t, usage, "f16 alone")
}

func TestWriteTuning(t *testing.T) {
	m := metal.Measurement{Product: "up", In: 384, Out: 1536, Tile: metal.Tiles[0],
		Median: 2 * time.Millisecond, Low: time.Millisecond, High: 3 * time.Millisecond}
	tuning := metal.Tuning{GPU: "Apple M1", System: "macOS 15", Rows: 1000, Tiling: metal.Uniform(metal.Tiles[5]), Measurements: []metal.Measurement{m}}
	var out strings.Builder
	if err := writeTuning(&out, &tuning); err != nil {
		t.Fatal(err)
	}
	// 2·1000·384·1536 in 2 ms.
	for _, want := range []string{"Apple M1, macOS 15: products of 1000 tokens", "384x1536", "linear_64x64x32_2x2", "2.000", "(1.000 to 3.000)", "590", "fastest: qkv linear_32x32_1x1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
