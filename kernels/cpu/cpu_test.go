package cpu_test

import (
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

func TestConformance(t *testing.T) {
	for _, isa := range kernels.Available() {
		t.Run(isa.String(), func(t *testing.T) {
			modeltest.Run(t, modeltest.Float32, func(w *model.Weights, passes int) (model.Device, error) {
				return cpu.Open(w, passes, isa)
			})
		})
	}
}

func TestOpenRefusesNoWorkers(t *testing.T) {
	if _, err := cpu.Open(&model.Weights{}, 0, kernels.Generic); err == nil {
		t.Error("no error")
	}
}
