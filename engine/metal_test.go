package engine_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/metal"
)

// Metal by request is an engine on a GPU, or an error that says why not; auto is one
// of both, and says which and why.
func TestMetal(t *testing.T) {
	e, err := engine.OpenFS(checkpoint(t), engine.Device("metal"))
	if err != nil {
		if !errors.Is(err, engine.ErrDevice) || !errors.Is(err, metal.ErrUnavailable) {
			t.Fatalf("error %v", err)
		}
	} else {
		defer e.Close()
		info := e.Info()
		if info.Device != "metal" || info.Precision != "f16" || info.Workers != 2 || e.GPUName() == "" {
			t.Errorf("%+v on %q", info, e.GPUName())
		}
		exact, err := engine.OpenFS(checkpoint(t), engine.Device("reference"))
		if err != nil {
			t.Fatal(err)
		}
		defer exact.Close()
		want := score(t, exact, pairs(3))
		for i, got := range score(t, e, pairs(3)) {
			if math.Abs(float64(got-want[i])) > 1e-2*max(1, math.Abs(float64(want[i]))) {
				t.Errorf("pair %d: %g, the reference has %g", i, got, want[i])
			}
		}
		if busy, known := e.GPUBusy(); busy <= 0 || !known {
			t.Errorf("busy for %v, known %v", busy, known)
		}
		if bytes, known := e.GPUMemoryBytes(); bytes == 0 || !known {
			t.Errorf("%d bytes, known %v", bytes, known)
		}
		var stats engine.CallStats
		if _, err := e.Score(t.Context(), nil, pairs(3), engine.StatsTo(&stats)); err != nil || stats.GPU <= 0 || stats.GPU > stats.Infer {
			t.Errorf("%+v, %v", stats, err)
		}
	}
	auto, autoErr := engine.OpenFS(checkpoint(t), engine.NoCalibrationFile())
	if autoErr != nil {
		t.Fatal(autoErr)
	}
	defer auto.Close()
	choices := auto.Info().Choices
	says := func(text string) bool {
		return slices.ContainsFunc(choices, func(why string) bool { return strings.HasPrefix(why, text) })
	}
	if err == nil && (auto.Info().Device != "metal" || !says("metal: there is a GPU")) {
		t.Errorf("auto is %s: %q", auto.Info().Device, choices)
	}
	if err != nil && (auto.Info().Device != "cpu" || !says("cpu: metal: not available: ") || auto.GPUName() != "") {
		t.Errorf("auto is %s: %q", auto.Info().Device, choices)
	}
}

func TestMetalHasF16Alone(t *testing.T) {
	for _, precision := range []string{"f32", "bf16", "int8"} {
		if _, err := engine.OpenFS(checkpoint(t), engine.Device("metal"), engine.Precision(precision)); !errors.Is(err, engine.ErrDevice) || !strings.Contains(err.Error(), "f16 alone") {
			t.Errorf("%s: error %v", precision, err)
		}
	}
	e, err := engine.OpenFS(checkpoint(t), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Info().Device != "cpu" {
		t.Errorf("auto in f32 is %s", e.Info().Device)
	}
	if _, known := e.GPUBusy(); known {
		t.Error("a CPU knows how long the GPU was busy")
	}
	if _, known := e.GPUMemoryBytes(); known {
		t.Error("a CPU knows the GPU's memory")
	}
}
