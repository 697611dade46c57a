package emulator

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

const prelude = "#include <metal_stdlib>\nusing namespace metal;\n"

// rig is an emulator whose errors end the test.
type rig struct {
	*Emulator
	t testing.TB
}

func open(t testing.TB, source string, o Options) rig {
	t.Helper()
	e, err := Open(source, o)
	if errors.Is(err, ErrNoCompiler) && os.Getenv("MINILM_EMULATOR") == "" { // which says that there must be one
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return rig{e, t}
}

// pipeline gives the constants the indices 0, 1, ...
func (r rig) pipeline(name string, threads int, constants ...any) gpu.Pipeline {
	r.t.Helper()
	f := gpu.Function{Name: name, Threads: threads}
	for i, c := range constants {
		f.Constants = append(f.Constants, gpu.Constant{Index: i, Value: c})
	}
	p, err := r.NewPipeline(f)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r rig) empty(bytes int) gpu.Buffer {
	r.t.Helper()
	b, err := r.NewBuffer("test", bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r rig) full(bytes []byte) gpu.Buffer {
	r.t.Helper()
	b := r.empty(len(bytes))
	copy(b.Bytes(), bytes)
	return b
}

func (r rig) run(work ...gpu.Dispatch) {
	r.t.Helper()
	if _, err := r.Run(work); err != nil {
		r.t.Fatal(err)
	}
}

func bind(buffers ...gpu.Buffer) []gpu.Binding {
	var all []gpu.Binding
	for _, b := range buffers {
		all = append(all, gpu.Binding{Buffer: b})
	}
	return all
}

// compute runs a kernel with one buffer for its floats, and returns them.
func (r rig) compute(name string, threads, groups, floats int) []float32 {
	r.t.Helper()
	y := r.empty(4 * floats)
	r.run(gpu.Dispatch{Name: name, Pipeline: r.pipeline(name, threads), Groups: [2]int{groups, 1}, Bindings: bind(y)})
	return singles(y)
}

func singles(b gpu.Buffer) (x []float32) {
	for i := 0; i < len(b.Bytes()); i += 4 {
		x = append(x, math.Float32frombits(binary.LittleEndian.Uint32(b.Bytes()[i:])))
	}
	return x
}

func halves(b gpu.Buffer) (x []float32) {
	for i := 0; i < len(b.Bytes()); i += 2 {
		x = append(x, halfValue(binary.LittleEndian.Uint16(b.Bytes()[i:])))
	}
	return x
}

// halfBits is for normal halves and zero, exactly representable.
func halfBits(x float32) uint16 {
	if x == 0 {
		return 0
	}
	bits := math.Float32bits(x)
	return uint16(bits>>16&0x8000 | (bits>>23&0xff-127+15)<<10 | bits>>13&0x3ff)
}

// halfValue takes subnormal halves for zero.
func halfValue(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)<<13
	switch exponent {
	case 0:
		return math.Float32frombits(sign)
	case 31:
		exponent = 255 - 127 + 15
	}
	return math.Float32frombits(sign | (exponent-15+127)<<23 | fraction)
}

func dispatch(p gpu.Pipeline, groups [2]int, buffers ...gpu.Buffer) gpu.Dispatch {
	return gpu.Dispatch{Name: "layer 3", Pipeline: p, Groups: groups, Bindings: bind(buffers...)}
}
