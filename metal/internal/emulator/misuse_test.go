package emulator

import (
	"errors"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

const misused = prelude + `
struct Shape { uint rows, columns; };
constant uint N [[function_constant(0)]];
constant bool FLAG [[function_constant(3)]];
constant uint OTHER [[function_constant(5)]];
inline uint count() { return FLAG ? N : 0; }
kernel void f(device half4 *x [[buffer(0)]], constant Shape &shape [[buffer(2)]], device float *y [[buffer(4)]]) {
  y[0] = count() + shape.rows + x[0].x;
}
kernel void g(device float *y [[buffer(0)]]) { y[0] = OTHER; }
kernel void h(device float *y [[buffer(0)]]) { y[0] = 1; }
`

func TestMisuseOfFunctions(t *testing.T) {
	e := open(t, misused, Options{})
	n, flag := gpu.Constant{Index: 0, Value: uint32(1)}, gpu.Constant{Index: 3, Value: true}
	for _, c := range []struct {
		f    gpu.Function
		want string // none: it is right
	}{
		{gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{n, flag}}, ""},
		{gpu.Function{Name: "g", Threads: 32, Constants: []gpu.Constant{n, flag, {Index: 5, Value: uint32(2)}}}, ""},
		{gpu.Function{Name: "h", Threads: 1024}, ""},
		{gpu.Function{Name: "i", Threads: 32}, `kernel "i": the source has none`},
		{gpu.Function{Name: "h", Threads: 0}, "0 threads"},
		{gpu.Function{Name: "h", Threads: 48}, "48 threads"},
		{gpu.Function{Name: "h", Threads: 1056}, "1056 threads"},
		{gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{n}}, "function constant 3 (FLAG) is not given"},
		{gpu.Function{Name: "g", Threads: 32, Constants: []gpu.Constant{n, flag}}, "function constant 5 (OTHER) is not given"},
		{gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{n, flag, {Index: 1, Value: true}}}, "declares none"},
		{gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{n, n, flag}}, "given twice"},
		{gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{n, {Index: 3, Value: uint32(1)}}}, "function constant 3 (FLAG) is a bool: given uint32"},
		{gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{{Index: 0, Value: 1}, flag}}, "function constant 0 (N) is a uint: given int"},
	} {
		_, err := e.NewPipeline(c.f)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.f, err, c.want)
		}
	}
}

func TestMisuseOfDispatches(t *testing.T) {
	e, other := open(t, misused, Options{}), open(t, misused, Options{})
	p, err := e.NewPipeline(gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{{Index: 0, Value: uint32(7)}, {Index: 3, Value: true}}})
	if err != nil {
		t.Fatal(err)
	}
	x, shape, y := e.full(make([]byte, 64)), e.full(make([]byte, 64)), e.empty(64)
	right := func() gpu.Dispatch { return dispatch(p, [2]int{1, 1}, x, nil, shape, nil, y) }
	released, pipeline := e.empty(64), e.pipeline("h", 32)
	released.Release()
	pipeline.Release()
	for _, c := range []struct {
		wrong func(*gpu.Dispatch)
		want  string
	}{
		{func(d *gpu.Dispatch) { d.Bindings[0].Buffer = nil }, "buffer 0 is not bound"},
		{func(d *gpu.Dispatch) { d.Bindings = d.Bindings[:4] }, "buffer 4 is not bound"},
		{func(d *gpu.Dispatch) { d.Bindings[4].Buffer = released }, "is released"},
		{func(d *gpu.Dispatch) { d.Bindings[4].Buffer = other.empty(64) }, "not of this driver"},
		{func(d *gpu.Dispatch) { d.Bindings[4].Offset = -4 }, "offset -4"},
		{func(d *gpu.Dispatch) { d.Bindings[4].Offset = 64 }, "offset 64"},
		{func(d *gpu.Dispatch) { d.Bindings[4].Offset = 2 }, "offset 2 is not a multiple of 4"},
		{func(d *gpu.Dispatch) { d.Bindings[0].Offset = 4 }, "offset 4 is not a multiple of 8"},
		{func(d *gpu.Dispatch) { d.Bindings[2].Offset = 60 }, "4 bytes"},
		{func(d *gpu.Dispatch) { d.Bindings = append(d.Bindings, make([]gpu.Binding, 27)...) }, "32 buffers"},
		{func(d *gpu.Dispatch) { d.Groups[1] = 0 }, "empty grid"},
		{func(d *gpu.Dispatch) { d.Groups[0] = -1 }, "empty grid"},
		{func(d *gpu.Dispatch) { d.Pipeline = nil }, "not of this driver"},
		{func(d *gpu.Dispatch) { d.Pipeline = pipeline }, "pipeline is released"},
	} {
		d := right()
		c.wrong(&d)
		_, err := e.Run([]gpu.Dispatch{right(), d})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `dispatch "layer 3"`) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if errors.Is(err, gpu.ErrFault) || errors.Is(err, gpu.ErrLost) {
			t.Errorf("%v: the driver can go on", err)
		}
	}
	e.run(right())
	if got := singles(y)[0]; got != 7 {
		t.Errorf("after all that y[0] = %v, want 7", got)
	}
}

func TestMisuseOfBuffers(t *testing.T) {
	e := open(t, misused, Options{})
	for _, bytes := range []int{0, -1} {
		if _, err := e.NewBuffer("b", bytes); err == nil {
			t.Errorf("a buffer of %d bytes is made", bytes)
		}
	}
	if _, err := e.NewBuffer("b", 1<<32+1); !errors.Is(err, gpu.ErrOutOfMemory) {
		t.Errorf("a buffer of more than 4 GiB: %v", err)
	}
	b := e.empty(100)
	c := e.empty(28)
	if got := e.Allocated(); got != 128 {
		t.Errorf("allocated %d bytes, want 128", got)
	}
	b.Release()
	if got := e.Allocated(); got != 28 {
		t.Errorf("allocated %d bytes, want 28", got)
	}
	for name, f := range map[string]func(){"Release": b.Release, "Bytes": func() { b.Bytes() }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s after Release does not panic", name)
				}
			}()
			f()
		}()
	}
	d := e.empty(4096) // may have b's place; c's is its own
	for i := range d.Bytes() {
		d.Bytes()[i] = 1
	}
	for i, got := range c.Bytes() {
		if got != 0xff {
			t.Fatalf("byte %d of another buffer is %#x", i, got)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.NewBuffer("b", 4); !errors.Is(err, gpu.ErrLost) {
		t.Errorf("a buffer after Close: %v", err)
	}
}
