package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/kernels"
)

// Every instruction set that may be used can be asked for, and gives float32's scores.
func TestInstructionSet(t *testing.T) {
	text := pairs(3)
	want := score(t, enginetest.Open(t, engine.Device("cpu")), text)
	for _, isa := range kernels.Permitted() {
		e := enginetest.Open(t, engine.InstructionSet(isa.String()))
		info := e.Info()
		if info.Device != "cpu" || info.InstructionSet != isa.String() || !slices.Contains(info.Choices, "kernels: "+isa.String()+", by request") {
			t.Errorf("%v: %+v", isa, info)
		}
		for i, got := range score(t, e, text) {
			if d := got - want[i]; d > 1e-4 || d < -1e-4 {
				t.Errorf("%v: pair %d: %g, want %g", isa, i, got, want[i])
			}
		}
	}
	if info := enginetest.Open(t, engine.Device("cpu")).Info(); info.InstructionSet == "" {
		t.Errorf("the processor has no instruction set: %+v", info)
	}
	if info := enginetest.Open(t, engine.Device("reference"), engine.Precision("f64")).Info(); info.InstructionSet != "" {
		t.Errorf("the reference has %s", info.InstructionSet)
	}
}

// What is not there is an error that names what is.
func TestInstructionSetRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		device string
		says   string
	}{
		{"avx9000", "cpu", "avx9000"},
		{"avx9000", "auto", "avx9000"},
		{absent(t), "cpu", absent(t)},
		{"generic", "reference", "generic"},
		{"generic", "metal", "generic"},
	} {
		_, err := engine.OpenFS(checkpoint(t), engine.Device(test.device), engine.InstructionSet(test.name))
		if !errors.Is(err, engine.ErrDevice) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s on %s: %v", test.name, test.device, err)
		}
		if (test.device == "cpu" || test.device == "auto") && !strings.Contains(err.Error(), kernels.Best().String()) {
			t.Errorf("%s on %s: %v, which does not name %v", test.name, test.device, err, kernels.Best())
		}
	}
	e, err := engine.OpenFS(checkpoint(t), engine.InstructionSet("generic"), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if info := e.Info(); info.Precision != "f32" || info.Candidates != nil {
		t.Errorf("plain Go is measured: %+v", info)
	}
}

// absent returns an instruction set that this processor does not have: those of amd64
// and arm64 exclude each other.
func absent(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"neon", "avx2"} {
		isa, err := kernels.ParseISA(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(kernels.Available(), isa) {
			return name
		}
	}
	t.Fatal("both neon and avx2")
	return ""
}
