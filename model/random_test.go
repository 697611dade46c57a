package model_test

import (
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/conformance"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// The reference and the arithmetic that bounds are computed beside say the same of random
// models: they were written apart, and only the hidden state's rounding to float32 is
// between them: far less than the arithmetic of float32 could be off by.
func TestReferenceOfRandomModels(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		m := modeltest.Draw(t, seed)
		report, err := m.Hold(model.NewReference(m.Weights, 1), conformance.RoundsFloat32)
		if err != nil || report.Largest() > 0.125 {
			t.Errorf("%v: %v, errors up to %.2f of what they may be", m, err, report.Largest())
		}
	}
}
