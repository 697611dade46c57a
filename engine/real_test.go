package engine_test

import (
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// With trained weights, from text to score, float32 is float64 to seven digits, and the
// orders are the same. The others are as near as they were measured on all 860 pairs:
// bfloat16 0.0034 of the logits' deviation and 0.2 % of orders, int8 0.009 and 0.6 %, with
// room for fewer pairs and other instructions. Without what package kernels' spread does
// int8 was off by 0.021, with 1.7 % of the orders swapped.
func TestRealWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("pairs of full size take minutes on an emulator")
	}
	r := modeltest.OpenTrained(t)
	var pairs []engine.Pair
	for _, p := range r.Asked {
		pairs = append(pairs, engine.Pair{Query: p.Query, Passage: p.Passage})
	}
	for _, c := range []struct {
		format        kernels.Format
		mean, swapped float64 // at most
	}{{kernels.F32, 1e-6, 0}, {kernels.BF16, 0.006, 0.015}, {kernels.Int8, 0.013, 0.015}} {
		t.Run(c.format.String(), func(t *testing.T) {
			if isa := kernels.Available()[0]; isa == kernels.Generic && c.format != kernels.F32 {
				t.Skip("plain Go takes minutes")
			} else if !slices.Contains(isa.Formats(), c.format) {
				t.Skipf("%v has no %v", isa, c.format)
			}
			e, err := engine.Open(r.Dir, engine.Device("cpu"), engine.Precision(c.format.String()), engine.NoCalibrationFile())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			got, err := e.Score(t.Context(), nil, pairs)
			if err != nil {
				t.Fatal(err)
			}
			a := r.Judge(r.Asked, got)
			t.Logf("%d pairs: off by %.2g of the deviation on average, %d of %d orders swapped", len(got), *a.MeanError, a.Swapped, a.Orders)
			if *a.MeanError > c.mean || a.SwappedShare() > c.swapped {
				t.Errorf("off by %g on average, %g of orders swapped; want at most %g and %g", *a.MeanError, a.SwappedShare(), c.mean, c.swapped)
			}
		})
	}
}
