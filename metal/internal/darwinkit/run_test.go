//go:build fakemetal

package darwinkit

import (
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

func TestInfo(t *testing.T) {
	info := open(t).Info()
	if info.Name == "" || info.System == "" || info.Family != 7 || info.ThreadgroupMemory != 32<<10 {
		t.Errorf("%+v, want a named device of family 7 with 32 KiB a threadgroup", info)
	}
	if info.LargestBuffer == 0 || info.WorkingSet == 0 {
		t.Errorf("%+v, want memory", info)
	}
	if info.Counters {
		t.Error("counters where the stand-in has none")
	}
}

// TestRun has each dispatch read what the one before it wrote.
func TestRun(t *testing.T) {
	const n = 150 // the last threadgroup has threads without work
	f := newFixture(t, n)
	x, y := f.vector(t, "x", ramp(n, 1)...), f.vector(t, "y", make([]float32, n)...)
	two, three := f.vector(t, "2", 2), f.vector(t, "3", 3)
	before := clock()
	times, err := f.Run([]gpu.Dispatch{
		f.on(f.scale, "y = 2x", at(x), at(two), at(y)),
		f.on(f.saxpy, "y += 3x", at(x), at(three), at(y)),
		f.on(f.negated, "x -= 2y", at(y), at(two), at(x)),
	})
	wall := clock() - before
	if err != nil {
		t.Fatal(err)
	}
	want(t, "y = 5x", load(y), ramp(n, 5))
	want(t, "x - 10x", load(x), ramp(n, -9))
	if times.Busy <= 0 || times.Wait < 0 || times.Wait+times.Busy > wall {
		t.Errorf("%+v of %v", times, wall)
	}
}

func TestOffsets(t *testing.T) {
	const n = 64
	f := newFixture(t, n)
	x := f.vector(t, "x", ramp(3*n, 1)...)
	y := f.vector(t, "y", make([]float32, 2*n)...)
	factors := f.vector(t, "factors", 1, 10, 100)
	_, err := f.Run([]gpu.Dispatch{
		f.on(f.scale, "first", gpu.Binding{Buffer: x, Offset: 4 * n}, gpu.Binding{Buffer: factors, Offset: 4}, at(y)),
		f.on(f.scale, "second", gpu.Binding{Buffer: x, Offset: 8 * n}, gpu.Binding{Buffer: factors, Offset: 8}, gpu.Binding{Buffer: y, Offset: 4 * n}),
		f.on(f.reversal, "reversed", gpu.Binding{}, gpu.Binding{}, gpu.Binding{Buffer: y, Offset: 4 * n}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var wanted []float32
	for i := range n {
		wanted = append(wanted, 10*float32(n+i+1))
	}
	for i := range n {
		wanted = append(wanted, 100*float32(3*n-i))
	}
	want(t, "y", load(y), wanted)
}

// TestManyAtOnce runs command buffers that would spoil each other's results if
// they ran at the same time: all have one scratch vector.
func TestManyAtOnce(t *testing.T) {
	const n, runners, runs = 64, 8, 20
	f := newFixture(t, n)
	scratch := f.vector(t, "scratch", make([]float32, n)...)
	one := f.vector(t, "1", 1)
	type own struct{ x, a, y gpu.Buffer }
	owns := make([]own, runners)
	for i := range owns {
		owns[i] = own{f.vector(t, "x", ramp(n, 1)...), f.vector(t, "a", float32(i+1)), f.vector(t, "y", make([]float32, n)...)}
	}
	var wg sync.WaitGroup
	for i, o := range owns {
		wg.Go(func() {
			work := []gpu.Dispatch{
				f.on(f.scale, "scratch = a x", at(o.x), at(o.a), at(scratch)),
				f.on(f.saxpy, "y += scratch", at(scratch), at(one), at(o.y)),
			}
			for r := range runs {
				var err error
				if r%5 == 4 { // all of whose command buffers stay together
					_, err = f.RunApart(work, make([]time.Duration, len(work)))
				} else {
					_, err = f.Run(work)
				}
				if err != nil {
					t.Errorf("runner %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	for i, o := range owns {
		want(t, "y", load(o.y), ramp(n, float32(runs*(i+1))))
	}
}

// TestEncodesWhileOthersRun holds up all commits, as the stand-in does while a
// command buffer runs, and has two passes encoded meanwhile.
func TestEncodesWhileOthersRun(t *testing.T) {
	const n = 64
	const encoded = 1 + 1 + 5 + 1 // command buffer, encoder, dispatch, end
	f := newFixture(t, n)
	x, a := f.vector(t, "x", ramp(n, 1)...), f.vector(t, "a", 1)
	before := f.Messages()
	f.commits.Lock()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := f.Run([]gpu.Dispatch{f.on(f.saxpy, "x += x", at(x), at(a), at(x))}); err != nil {
				t.Error(err)
			}
		})
	}
	for f.Messages()-before < 2*encoded { // for ever, if one waits for the other
		time.Sleep(time.Millisecond)
	}
	if got := f.Messages() - before; got != 2*encoded {
		t.Errorf("%d messages while none can commit, want the %d that encode two passes", got, 2*encoded)
	}
	f.commits.Unlock()
	wg.Wait()
	want(t, "x", load(x), ramp(n, 4))
}

func TestRunApart(t *testing.T) {
	const n = 64
	f := newFixture(t, n)
	x, y := f.vector(t, "x", ramp(n, 1)...), f.vector(t, "y", make([]float32, n)...)
	two := f.vector(t, "2", 2)
	work := make([]gpu.Dispatch, 100) // more than a queue has command buffers
	for i := range work {
		work[i] = f.on(f.saxpy, "y += 2x", at(x), at(two), at(y))
	}
	each := make([]time.Duration, len(work))
	whole, err := f.RunApart(work, each)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "y", load(y), ramp(n, 200))
	var sum time.Duration
	for i, one := range each {
		if one <= 0 {
			t.Fatalf("dispatch %d took %v", i, one)
		}
		sum += one
	}
	if whole.Busy != sum || whole.Wait < 0 {
		t.Errorf("%+v of the whole, %v of its parts", whole, sum)
	}
	if _, err := f.RunApart(work, each[1:]); err == nil {
		t.Error("no error where there is no room for all times")
	}
}

// TestMessages holds the cost of a pass to what it has to be: nothing is sent
// that has not changed.
func TestMessages(t *testing.T) {
	const n = 64
	// A command buffer, its encoder, the end, commit, wait, status, two times.
	const pass = 8
	f := newFixture(t, n)
	x, y := f.vector(t, "x", ramp(2*n, 1)...), f.vector(t, "y", make([]float32, 2*n)...)
	two := f.vector(t, "2", 2)
	later := func(b gpu.Buffer) gpu.Binding { return gpu.Binding{Buffer: b, Offset: 4 * n} }
	first := f.on(f.saxpy, "first", at(x), at(two), at(y))
	for _, c := range []struct {
		what string
		then []gpu.Dispatch
		want int64
	}{
		{"pipeline, three buffers, dispatch", nil, 5},
		{"the same again", []gpu.Dispatch{first}, 5 + 1},
		{"another offset", []gpu.Dispatch{f.on(f.saxpy, "", later(x), at(two), at(y))}, 5 + 2},
		{"another offset and back", []gpu.Dispatch{f.on(f.saxpy, "", later(x), at(two), at(y)), first}, 5 + 2 + 2},
		{"another buffer", []gpu.Dispatch{f.on(f.saxpy, "", at(y), at(two), at(y))}, 5 + 2},
		{"another kernel", []gpu.Dispatch{f.on(f.scale, "", at(x), at(two), at(y))}, 5 + 2},
		{"a kernel without buffers 0 and 1 between", []gpu.Dispatch{f.on(f.reversal, "", gpu.Binding{}, gpu.Binding{}, at(y)), first}, 5 + 2 + 2},
	} {
		before := f.Messages()
		if _, err := f.Run(append([]gpu.Dispatch{first}, c.then...)); err != nil {
			t.Fatal(err)
		}
		if got := f.Messages() - before; got != pass+c.want {
			t.Errorf("%s: %d messages, want %d and %d for the pass", c.what, got, c.want, pass)
		}
	}
	before := f.Messages()
	if times, err := f.Run(nil); err != nil || times != (gpu.Times{}) || f.Messages() != before {
		t.Errorf("no work: %v, %v, %d messages", times, err, f.Messages()-before)
	}
}
