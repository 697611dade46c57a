package metal

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// Pointers of one address space are not those of another, as on a Mac.
func TestAddressSpaces(t *testing.T) {
	needEmulator(t)
	if err := emulator.CheckStrict(shaderSource()); err != nil {
		t.Fatal(located(err))
	}
	m := mutation{"device memory by a threadgroup's pointer", "attention", 0, "device const half *v = k", "threadgroup const half *v = k"}
	source, why := m.plant()
	if why != "" {
		t.Fatal(why)
	}
	if err := emulator.CheckStrict(source); err == nil {
		t.Error("mixed address spaces: no error")
	}
}

// What a compiler says of the shaders names their files and lines.
func TestSourceErrors(t *testing.T) {
	needEmulator(t)
	for _, m := range []mutation{
		{"", "linear", 0, "const int thread_index", "const integer thread_index"},
		{"", "common", 0, "return x * fma(near, p, float2(0.5f));", "return x * erf(x);"},
		{"", "pool", 0, "float v = 0;", "float v = 0"},
	} {
		source, why := m.plant()
		if why != "" {
			t.Fatal(why)
		}
		line := 1 + strings.Count(shaderFile(m.file)[:strings.Index(shaderFile(m.file), m.old)], "\n")
		_, err := emulator.Open(source, emulator.Options{})
		var refused *gpu.SourceError
		if !errors.As(err, &refused) {
			t.Errorf("%q: error %v", m.new, err)
			continue
		}
		if want := fmt.Sprintf("metal/shaders/%s.metal:%d:", m.file, line); !strings.Contains(located(err).Error(), want) {
			t.Errorf("%q: the error does not say %s: %v", m.new, want, located(err))
		}
	}
}
