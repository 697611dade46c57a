//go:build fakemetal

package darwinkit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

func TestSourceError(t *testing.T) {
	_, err := Open("kernel void f(device float *x [[buffer(0)]]) { x[0] = nothing; }\n", false)
	var wrong *gpu.SourceError
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Log, "nothing") {
		t.Errorf("%v, want a SourceError that names the undeclared identifier", err)
	}
}

// TestNoDevice opens a driver in a process whose Metal has no device.
func TestNoDevice(t *testing.T) {
	if !alone(t, "FM_NO_DEVICE=1") {
		return
	}
	_, err := Open(source, true)
	if !errors.Is(err, gpu.ErrUnavailable) || !strings.Contains(err.Error(), "no Metal device") {
		t.Errorf("%v, want that there is no device", err)
	}
}

// TestFailure has a command buffer end with each code of an error.
func TestFailure(t *testing.T) {
	if !alone(t) {
		return
	}
	f := newFixture(t, 64)
	x, a := f.vector(t, "x", ramp(64, 1)...), f.vector(t, "a", 1)
	work := []gpu.Dispatch{f.on(f.saxpy, "the work", at(x), at(a), at(x))}
	code, failed := int64(0), objc.AllocateClass(objc.GetClass("NSObject"), "StandInError", 0)
	addMethod(failed, "code", func(objc.Object) int64 { return code })
	addMethod(failed, "localizedDescription", func(objc.Object) string { return "the reason" })
	objc.RegisterClass(failed)
	failure := objc.Call[objc.Object](failed, objc.Sel("new"))
	buffer := objc.GetClass("FMCommandBuffer")
	replaceMethod(buffer, "status", func(objc.Object) uint64 { return 5 })
	if _, err := f.Run(work); err == nil || !strings.Contains(err.Error(), "no reason given") {
		t.Errorf("%v, want a failure without a reason", err)
	}
	replaceMethod(buffer, "error", func(objc.Object) objc.Object { return failure })
	for c, kind := range map[int64]error{3: gpu.ErrFault, 8: gpu.ErrOutOfMemory, 11: gpu.ErrLost} {
		code = c
		if _, err := f.Run(work); !errors.Is(err, kind) || !strings.Contains(err.Error(), "the reason") {
			t.Errorf("code %d: %v, want %v", c, err, kind)
		}
		if _, err := f.RunApart(work, make([]time.Duration, 1)); !errors.Is(err, kind) || !strings.Contains(err.Error(), `"the work"`) {
			t.Errorf("code %d apart: %v, want %v", c, err, kind)
		}
	}
}

func TestPipelineErrors(t *testing.T) {
	d := open(t)
	n := []gpu.Constant{{Index: 0, Value: uint32(1)}, {Index: 1, Value: false}}
	for what, f := range map[string]gpu.Function{
		"nowhere": {Name: "nowhere", Threads: 64},
		"1025":    {Name: "saxpy", Constants: n, Threads: 1025},
		"threads": {Name: "saxpy", Constants: n, Threads: 0},
		"int":     {Name: "saxpy", Constants: []gpu.Constant{{Index: 0, Value: 1}}, Threads: 64},
	} {
		_, err := d.NewPipeline(f)
		if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), f.Name) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBufferErrors(t *testing.T) {
	d := open(t)
	_, err := d.NewBuffer("huge", int(d.Info().LargestBuffer)+1)
	if !errors.Is(err, gpu.ErrOutOfMemory) || !strings.Contains(err.Error(), "huge") {
		t.Errorf("%v, want out of memory", err)
	}
	if _, err := d.NewBuffer("empty", 0); err == nil || errors.Is(err, gpu.ErrOutOfMemory) {
		t.Errorf("%v, want an error of an empty buffer", err)
	}
}

// TestMisuse is what would end the process if it reached Metal.
func TestMisuse(t *testing.T) {
	const n = 64
	f, other := newFixture(t, n), newFixture(t, n)
	x, y, a := f.vector(t, "x", ramp(n, 1)...), f.vector(t, "y", ramp(n, 1)...), f.vector(t, "a", 1)
	gone := f.vector(t, "gone", ramp(n, 1)...)
	gone.Release()
	gone.Release() // the second does nothing
	foreign := other.vector(t, "foreign", ramp(n, 1)...)
	scale, err := f.NewPipeline(gpu.Function{Name: "reverse", Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	scale.Release()
	scale.Release()
	good := f.on(f.saxpy, "good", at(x), at(a), at(y))
	change := func(how func(w *gpu.Dispatch)) gpu.Dispatch {
		w := f.on(f.saxpy, "bad", at(x), at(a), at(y))
		how(&w)
		return w
	}
	for what, w := range map[string]gpu.Dispatch{
		"released":            change(func(w *gpu.Dispatch) { w.Bindings[1] = at(gone) }),
		"reverse is released": change(func(w *gpu.Dispatch) { w.Pipeline = scale }),
		"another driver":      change(func(w *gpu.Dispatch) { w.Bindings[0] = at(foreign) }),
		"saxpy is of another": change(func(w *gpu.Dispatch) { w.Pipeline = other.saxpy }),
		"type <nil>":          change(func(w *gpu.Dispatch) { w.Pipeline = nil }),
		"0×1":                 change(func(w *gpu.Dispatch) { w.Groups[0] = 0 }),
		"offset 256":          change(func(w *gpu.Dispatch) { w.Bindings[2].Offset = 4 * n }),
		"offset -4":           change(func(w *gpu.Dispatch) { w.Bindings[2].Offset = -4 }),
		"multiple of 4":       change(func(w *gpu.Dispatch) { w.Bindings[2].Offset = 2 }),
		"32 buffers":          change(func(w *gpu.Dispatch) { w.Bindings = make([]gpu.Binding, 32) }),
	} {
		before := f.Messages()
		_, err := f.Run([]gpu.Dispatch{good, w})
		if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), `dispatch 1, "bad"`) {
			t.Errorf("%s: %v", what, err)
		}
		if f.Messages() != before {
			t.Errorf("%s: messages were sent", what)
		}
	}
	want(t, "y, which nothing has touched,", load(y), ramp(n, 1))
}

func TestClosed(t *testing.T) {
	f := newFixture(t, 64)
	x, a := f.vector(t, "x", ramp(64, 1)...), f.vector(t, "a", 1)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	x.Release() // Close has done it
	f.saxpy.Release()
	if _, err := f.Run([]gpu.Dispatch{f.on(f.saxpy, "", at(x), at(a), at(x))}); !errors.Is(err, errClosed) {
		t.Errorf("Run: %v", err)
	}
	if _, err := f.NewBuffer("x", 4); !errors.Is(err, errClosed) {
		t.Errorf("NewBuffer: %v", err)
	}
	if _, err := f.NewPipeline(gpu.Function{Name: "reverse", Threads: 64}); !errors.Is(err, errClosed) {
		t.Errorf("NewPipeline: %v", err)
	}
	if n := f.Allocated(); n != 0 {
		t.Errorf("%d bytes allocated", n)
	}
}

// TestPanic has darwinkit panic, and what it was called in go on.
func TestPanic(t *testing.T) {
	f := newFixture(t, 64)
	err := inPool(func() error {
		c, err := f.newCommandBuffer()
		if err != nil {
			return err
		}
		// A work list that was not checked: the encoder is ended all the same.
		return f.encode(c, f.computeEncoder(c), []gpu.Dispatch{{Name: "unchecked"}})
	})
	if err == nil || !strings.Contains(err.Error(), "a message failed") {
		t.Errorf("%v, want the panic", err)
	}
	err = inPool(func() error { f.wait(mtlCommandBuffer{}); return nil })
	if err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("%v, want the message to nil", err)
	}
	x, a := f.vector(t, "x", ramp(64, 1)...), f.vector(t, "a", 1)
	if _, err := f.Run([]gpu.Dispatch{f.on(f.saxpy, "", at(x), at(a), at(x))}); err != nil {
		t.Error(err)
	}
}
