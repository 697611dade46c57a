package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// pooled returns the tiny checkpoint as an embedder that pools so, to unit length if asked.
func pooled(t *testing.T, modes []string, unit bool) map[string]json.RawMessage {
	t.Helper()
	const module = `{"idx":%d,"name":"%[1]d","path":%q,"type":"sentence_transformers.models.%s"}`
	list := "[" + fmt.Sprintf(module, 0, "", "Transformer") + "," + fmt.Sprintf(module, 1, "1_Pooling", "Pooling")
	if unit {
		list += "," + fmt.Sprintf(module, 2, "2_Normalize", "Normalize")
	}
	pooling, err := json.Marshal(map[string]any{"embedding_dimension": 32, "pooling_mode": modes, "include_prompt": true})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]json.RawMessage{"modules.json": json.RawMessage(list + "]"), "1_Pooling/config.json": pooling}
}

// On a GPU embedders of every way of pooling make the processor's embeddings, as near as half
// precision may: rounding to half is 2^-11 of a value, and a distance is half a square.
func TestMetalEmbeds(t *testing.T) {
	texts := []string{"how many people live in the city", "", "a", "the b c d e f g"}
	// [CLS] alone is pooled of rows of its own.
	for _, modes := range [][]string{{"cls"}, {"max", "cls", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"}} {
		files := embedder(t, pooled(t, modes, false), nil)
		gpu, err := engine.OpenFS(files, engine.Embedder(), engine.Device("metal"))
		if errors.Is(err, engine.ErrDevice) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer gpu.Close()
		cpu, err := engine.OpenFS(files, engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"))
		if err != nil {
			t.Fatal(err)
		}
		defer cpu.Close()
		got, err := gpu.Embed(t.Context(), nil, texts)
		if err != nil {
			t.Fatal(err)
		}
		want, err := cpu.Embed(t.Context(), nil, texts)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(texts)*32*len(modes) || len(want) != len(got) {
			t.Fatalf("%v: %d values, want %d", modes, len(got), len(want))
		}
		for i := range len(texts) * len(modes) { // each way by itself: some have larger values
			var square, size float64
			for j, v := range want[i*32:][:32] {
				e := float64(got[i*32+j]) - float64(v)
				square, size = square+e*e, size+float64(v)*float64(v)
			}
			if off := square / size / 2; !(off <= 1e-6) {
				t.Errorf("%s: text %d: the distance is %.2g, want at most 1e-6", modes[i%len(modes)], i/len(modes), off)
			}
		}
	}
}

// Where nothing is asked for, a GPU is taken for embeddings by the gate of embeddings.
func TestMetalIsJudgedByEmbeddings(t *testing.T) {
	e, err := engine.OpenFS(embedder(t, pooled(t, []string{"mean"}, true), nil), engine.Embedder(), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	info := e.Info()
	if slices.ContainsFunc(info.Choices, func(why string) bool { return strings.HasPrefix(why, "cpu: metal: not available") }) {
		t.Skip(info.Choices)
	}
	if info.Device != "metal" || len(info.Candidates) != 1 || info.Candidates[0].Deviation == nil || info.Candidates[0].Deviation.Of != "embeddings" || !(info.Candidates[0].Deviation.Mean > 0) {
		t.Errorf("%s: %q, %+v", info.Device, info.Choices, info.Candidates)
	}
}
