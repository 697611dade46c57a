package emulator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// TestFaults runs kernels that reach where they must not.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"read past the end", "y[0] = x[25 * threads + index];", "fault: read or write"},
		{"read far past the end", "y[0] = x[100000];", "bytes past the end of a buffer of 100 bytes"},
		{"write past the end's page", "x[32 + index] = 1;", "bytes past the end of a buffer of 100 bytes"},
		{"write just past the end", "if (index == 0) x[25] = 1;", "write 0 bytes past the end of a buffer of 100 bytes"},
		{"write before", "if (index == 0) x[-1] = 1;", "write 4 bytes before a buffer of 100 bytes"},
		{"write far before", "x[-100000] = 1;", "bytes before a buffer of 100 bytes"},
		{"null", "*(device float *)(ulong)(threads - 64) = 1;", "of null"},
		{"write past an array", "threadgroup float a[8], b[8]; a[index + 1] = 1; b[index] = 1;", "write 0 bytes past the end of a threadgroup array of 32 bytes"},
		{"write before an array", "threadgroup float a[8]; (&a[0])[-1] = index;", "write before a threadgroup array"},
		{"too much threadgroup memory", "threadgroup float a[8000]; threadgroup half b[4][100]; a[index] = b[1][index];", "32800 bytes of threadgroup memory"},
		{"division by zero", "y[0] = 7 * threads / (threads - 64);", "division by zero"},
		{"endless recursion", "threadgroup_barrier(mem_flags::mem_none); y[0] = deep(x);", "fault: read or write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t, prelude+`
float deep(device float *x) { volatile float a[64]; a[0] = x[0]; return a[0] == 12345.0f ? 0.0f : deep(x) + a[0]; }
kernel void fine(device float *y [[buffer(0)]]) { y[0] = 1; }
kernel void f(device float *x [[buffer(0)]], device float *y [[buffer(1)]],
              uint index [[thread_position_in_grid]], uint threads [[threads_per_grid]]) {
`+strings.ReplaceAll(c.body, "index", "(index % 8)")+"\n}", Options{Workers: 2})
			x, y := e.empty(100), e.empty(64)
			fine := dispatch(e.pipeline("fine", 32), [2]int{1, 1}, y)
			bad := dispatch(e.pipeline("f", 32), [2]int{2, 1}, x, y)
			bad.Name = "layer 4"
			e.run(fine)
			_, err := e.Run([]gpu.Dispatch{fine, bad, fine})
			if !errors.Is(err, gpu.ErrFault) || errors.Is(err, gpu.ErrLost) {
				t.Fatalf("%v, want a fault", err)
			}
			for _, want := range []string{c.want, `dispatch "layer 4"`, "kernel f"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
			if strings.HasPrefix(c.want, "fault") && !strings.Contains(err.Error(), "threadgroup (") {
				t.Errorf("%v does not say where", err)
			}
			if _, err := e.Run([]gpu.Dispatch{fine}); !errors.Is(err, gpu.ErrLost) {
				t.Errorf("after a fault: %v", err)
			}
			if _, err := e.NewBuffer("b", 4); !errors.Is(err, gpu.ErrLost) {
				t.Errorf("a buffer after a fault: %v", err)
			}
			x.Release()
		})
	}
}

func TestPoison(t *testing.T) {
	e := open(t, prelude+`
kernel void f(device float *y [[buffer(0)]], device half *x [[buffer(1)]], uint index [[thread_position_in_grid]]) {
  threadgroup half a[32];
  threadgroup float b[32];
  simdgroup_half8x8 m;
  y[index] = isnan(a[index % 32]) && isnan(b[index % 32]) && isnan(x[index]) && isnan(m.thread_elements().x);
  a[index % 32] = b[index % 32] = 1; // which the next threadgroup does not see
}`, Options{Workers: 1})
	y := e.empty(4 * 96)
	e.run(dispatch(e.pipeline("f", 32), [2]int{3, 1}, y, e.empty(2*96)))
	for i, got := range singles(y) {
		if got != 1 {
			t.Fatalf("thread %d finds memory that is not poisoned", i)
		}
	}
}

// TestRunApart: every dispatch takes some time, all together no less than each.
func TestRunApart(t *testing.T) {
	e := open(t, prelude+`
kernel void f(device uint *y [[buffer(0)]], uint index [[thread_position_in_grid]]) { y[index]++; }`, Options{})
	y := e.full(make([]byte, 4*64))
	d := dispatch(e.pipeline("f", 32), [2]int{2, 1}, y)
	work := []gpu.Dispatch{d, d, d}
	each := make([]time.Duration, 3)
	times, err := e.RunApart(work, each)
	if err != nil {
		t.Fatal(err)
	}
	var sum time.Duration
	for i, one := range each {
		if one <= 0 {
			t.Errorf("dispatch %d took %v", i, one)
		}
		sum += one
	}
	if times.Busy < sum || times.Wait != 0 {
		t.Errorf("times %+v, with %v for the dispatches", times, sum)
	}
	if _, err := e.RunApart(work, each[:2]); err == nil {
		t.Error("room for two times of three is enough")
	}
	if _, err := e.Run(nil); err != nil {
		t.Error(err)
	}
	if got := y.Bytes()[4*63]; got != 3 {
		t.Errorf("three dispatches counted to %d", got)
	}
}
