package cpu_test

import (
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

func TestConformance(t *testing.T) {
	modeltest.Run(t, modeltest.Float32, func(w *model.Weights, passes int) (model.Device, error) {
		return cpu.Open(w, passes)
	})
}

func TestOpenRefusesNoWorkers(t *testing.T) {
	if _, err := cpu.Open(&model.Weights{}, 0); err == nil {
		t.Error("no error")
	}
}
