package cpu_test

import (
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

var precisions = map[kernels.Format]modeltest.Precision{
	kernels.F32: modeltest.Float32, kernels.BF16: modeltest.BFloat16, kernels.F16: modeltest.Float16, kernels.Int8: modeltest.Int8,
	kernels.BF16x3: modeltest.BFloat16x3,
}

func TestConformance(t *testing.T) {
	for _, v := range kernels.Variants() {
		if memorytest.RaceDetector && v.ISA != kernels.Available()[0] {
			continue // the goroutines are the same for all
		}
		t.Run(v.String(), func(t *testing.T) {
			if testing.Short() && v.ISA == kernels.Generic && v.Format != kernels.F32 {
				t.Skip("plain Go takes minutes on an emulator and with the race detector; its goroutines are float32's")
			}
			t.Parallel()
			modeltest.Run(t, precisions[v.Format], func(w *model.Weights, passes int) (model.Device, error) {
				return cpu.Open(w, passes, v)
			})
		})
	}
}

func TestOpenRefusesNoWorkers(t *testing.T) {
	if _, err := cpu.Open(&model.Weights{}, 0, kernels.Variant{}); err == nil {
		t.Error("no error")
	}
}
