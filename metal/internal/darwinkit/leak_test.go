//go:build fakemetal

package darwinkit

import (
	"runtime"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// What the stand-in for Metal never releases itself. TestStandIn holds it to
// this, by the barest messages.
const (
	leakedCommandBuffer = 1 // its array of what it retains
	leakedFunction      = 1 // its name
	leakedLabel         = 1 // of a buffer
)

// live is LiveObjects once nothing is under way.
func live(t *testing.T) int64 {
	t.Helper()
	runtime.GC() // finds who would release by finalizer
	return LiveObjects()
}

// TestStandIn counts what the stand-in leaks where all that was made is released.
func TestStandIn(t *testing.T) {
	d := open(t)
	for _, c := range []struct {
		what string
		want int64
		make func() error
	}{
		{"a pool", 0, func() error { return nil }},
		{"a command buffer", leakedCommandBuffer, func() error { _, err := d.newCommandBuffer(); return err }},
		{"an encoder and its command buffer", leakedCommandBuffer, func() error {
			c, err := d.newCommandBuffer()
			if err != nil {
				return err
			}
			return d.encode(c, d.computeEncoder(c), nil)
		}},
		{"a buffer", 0, func() error { d.newBuffer(d.device, 4).Release(); return nil }},
		{"a label", leakedLabel, func() error {
			b := d.newBuffer(d.device, 4)
			d.setLabel(b, "label")
			b.Release()
			return nil
		}},
		{"constants", 0, func() error {
			values, err := d.create("MTLFunctionConstantValues")
			values.Release()
			return err
		}},
		{"a pipeline and its function", leakedFunction, func() error {
			p, _, err := d.specialise(gpu.Function{Name: "reverse", Threads: threads})
			p.Release()
			return err
		}},
	} {
		before := live(t)
		const times = 3
		for range times {
			if err := inPool(c.make); err != nil {
				t.Fatal(err)
			}
		}
		if got := live(t) - before; got != times*c.want {
			t.Errorf("%s: %d objects in %d, want %d each", c.what, got, times, c.want)
		}
	}
}

func TestRunKeepsNothing(t *testing.T) {
	const n, runs = 64, 1000
	f := newFixture(t, n)
	x, y, a := f.vector(t, "x", ramp(n, 1)...), f.vector(t, "y", ramp(n, 0)...), f.vector(t, "a", 1)
	work := []gpu.Dispatch{
		f.on(f.saxpy, "y += x", at(x), at(a), at(y)),
		f.on(f.reversal, "reverse", gpu.Binding{}, gpu.Binding{}, at(y)),
		f.on(f.reversal, "and back", gpu.Binding{}, gpu.Binding{}, at(y)),
	}
	before, allocated := live(t), f.Allocated()
	for range runs {
		if _, err := f.Run(work); err != nil {
			t.Fatal(err)
		}
	}
	if got := live(t) - before; got != runs*leakedCommandBuffer {
		t.Errorf("%d objects more after %d runs, the stand-in keeps %d", got, runs, runs*leakedCommandBuffer)
	}
	want(t, "y", load(y), ramp(n, runs))

	before = live(t)
	if _, err := f.RunApart(work, make([]time.Duration, len(work))); err != nil {
		t.Fatal(err)
	}
	if got := live(t) - before; got != int64(len(work))*leakedCommandBuffer {
		t.Errorf("%d objects more after a run in %d command buffers", got, len(work))
	}
	if now := f.Allocated(); now != allocated {
		t.Errorf("%d bytes allocated, %d before", now, allocated)
	}
}

// TestEverythingComesBack opens, uses and closes drivers: what is left to Close
// is released as what is released before.
func TestEverythingComesBack(t *testing.T) {
	open(t) // the stand-in makes its device once, and keeps it
	var allocated uint64
	for _, byHand := range []bool{true, false} {
		before := live(t)
		t.Run(map[bool]string{true: "Release", false: "Close"}[byHand], func(t *testing.T) {
			f := newFixture(t, 64)
			allocated = f.Allocated()
			a, b := f.vector(t, "a", 1), f.vector(t, "", 2)
			if now := f.Allocated(); now != allocated+8 {
				t.Errorf("%d bytes allocated, want 8 more than %d", now, allocated)
			}
			if byHand {
				a.Release()
				b.Release()
				for _, p := range []gpu.Pipeline{f.saxpy, f.negated, f.scale, f.reversal} {
					p.Release()
				}
				if now := f.Allocated(); now != allocated {
					t.Errorf("%d bytes allocated, want %d again", now, allocated)
				}
			}
		})
		if got := live(t) - before; got != 4*leakedFunction+leakedLabel {
			t.Errorf("%d objects more, the stand-in keeps %d", got, 4*leakedFunction+leakedLabel)
		}
	}
}
