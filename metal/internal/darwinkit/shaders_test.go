//go:build fakemetal

package darwinkit

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// source is three small kernels of float32 vectors.
const source = `#include <metal_stdlib>
using namespace metal;

constant uint n [[function_constant(0)]];
constant bool negate [[function_constant(1)]];

// y += a x, or -= with negate
kernel void saxpy(device const float *x [[buffer(0)]],
                  device const float *a [[buffer(1)]],
                  device float *y [[buffer(2)]],
                  uint i [[thread_position_in_grid]]) {
	if (i < n) y[i] += (negate ? -a[0] : a[0]) * x[i];
}

// y = a x
kernel void scale(device const float *x [[buffer(0)]],
                  device const float *a [[buffer(1)]],
                  device float *y [[buffer(2)]],
                  uint i [[thread_position_in_grid]]) {
	if (i < n) y[i] = a[0] * x[i];
}

// y reversed, within a threadgroup, by way of its memory
kernel void reverse(device float *y [[buffer(2)]],
                    uint i [[thread_index_in_threadgroup]],
                    uint g [[threadgroup_position_in_grid]]) {
	threadgroup float t[64];
	t[i] = y[64 * g + i];
	threadgroup_barrier(mem_flags::mem_threadgroup);
	y[64 * g + i] = t[63 - i];
}
`

// threads are a threadgroup's.
const threads = 64

// fixture is a driver with vectors of n floats, and all its kernels.
type fixture struct {
	*Driver
	n                               int
	saxpy, negated, scale, reversal gpu.Pipeline
}

func open(t *testing.T) *Driver {
	t.Helper()
	d, err := Open(source, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d.(*Driver)
}

func newFixture(t *testing.T, n int) *fixture {
	t.Helper()
	f := &fixture{Driver: open(t), n: n}
	pipeline := func(name string, negate bool) gpu.Pipeline {
		p, err := f.NewPipeline(gpu.Function{
			Name:      name,
			Constants: []gpu.Constant{{Index: 0, Value: uint32(n)}, {Index: 1, Value: negate}},
			Threads:   threads,
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	f.saxpy, f.negated = pipeline("saxpy", false), pipeline("saxpy", true)
	f.scale, f.reversal = pipeline("scale", false), pipeline("reverse", false)
	return f
}

// vector returns a buffer of the values.
func (f *fixture) vector(t *testing.T, label string, values ...float32) gpu.Buffer {
	t.Helper()
	b, err := f.NewBuffer(label, 4*len(values))
	if err != nil {
		t.Fatal(err)
	}
	store(b, values...)
	return b
}

func store(b gpu.Buffer, values ...float32) {
	for i, v := range values {
		binary.LittleEndian.PutUint32(b.Bytes()[4*i:], math.Float32bits(v))
	}
}

func load(b gpu.Buffer) []float32 {
	values := make([]float32, len(b.Bytes())/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b.Bytes()[4*i:]))
	}
	return values
}

// ramp returns 1, 2, ... n, times by.
func ramp(n int, by float32) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = by * float32(i+1)
	}
	return values
}

// on returns a dispatch over the fixture's vectors.
func (f *fixture) on(p gpu.Pipeline, name string, x, a, y gpu.Binding) gpu.Dispatch {
	return gpu.Dispatch{
		Name: name, Pipeline: p,
		Bindings: []gpu.Binding{x, a, y},
		Groups:   [2]int{(f.n + threads - 1) / threads, 1},
	}
}

func at(b gpu.Buffer) gpu.Binding { return gpu.Binding{Buffer: b} }

func want(t *testing.T, what string, got, wanted []float32) {
	t.Helper()
	for i := range wanted {
		if got[i] != wanted[i] {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], wanted[i])
		}
	}
}
