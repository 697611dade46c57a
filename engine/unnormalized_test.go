package engine_test

import (
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// Unnormalized embeddings become the engine's own once they are of length 1, in a crowd of calls
// with and without the option as alone, by each way to ask for them.
func TestUnnormalized(t *testing.T) {
	for _, device := range []string{"cpu", "reference"} {
		opts := []engine.Option{engine.Device(device)}
		if device == "reference" {
			opts = append(opts, engine.Precision("f64"))
		}
		e := enginetest.OpenEmbedder(t, opts...)
		texts := askedTexts()
		usual, err := e.Embed(t.Context(), nil, texts)
		if err != nil {
			t.Fatal(err)
		}
		long, err := e.Embed(t.Context(), nil, texts, engine.Unnormalized())
		if err != nil {
			t.Fatal(err)
		}
		width := e.Info().Dimensions
		for i := range texts {
			row := slices.Clone(long[i*width:][:width])
			if length := math.Sqrt(float64(vectors.Dot.Of(row, row))); math.Abs(length-1) < 0.1 {
				t.Errorf("%s: text %d: length %v, which shows nothing", device, i, length)
			}
			vectors.Normalize(row)
			for k, v := range row {
				if want := usual[i*width+k]; math.Abs(float64(v-want)) > 2e-7 {
					t.Errorf("%s: text %d: value %d is %v once normalized, want %v", device, i, k, v, want)
				}
			}
		}
		streamed, err := valuesOf(e.EmbedStream(t.Context(), slices.Values(texts), engine.Unnormalized()), addRow)
		if err != nil || !slices.Equal(streamed, long) {
			t.Errorf("%s: a stream has others: %v", device, err)
		}
		var crowd sync.WaitGroup
		for k := range 16 {
			crowd.Go(func() {
				opts, want := []engine.CallOption(nil), usual
				if k%2 == 0 {
					opts, want = []engine.CallOption{engine.Unnormalized()}, long
				}
				if got, err := e.Embed(t.Context(), nil, texts, opts...); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: call %d of a crowd has other values: %v", device, k, err)
				}
			})
		}
		crowd.Wait()
	}
}
