package emulator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// orders are those that a test of shaders should run in.
var orders = []string{"f", "r", "s1", "s2", "s3", "s4", "s5"}

// exchange reverses numbers by way of threadgroup memory, twice; the barriers are
// to be filled in.
const exchange = prelude + `
kernel void f(device float *y [[buffer(0)]], uint index [[%s]]) {
  threadgroup float a[128];
  a[index] = index;
  %s
  float x = a[N - 1 - index];
  %s
  a[index] = 2 * x;
  %s
  y[index] = a[N - 1 - index];
}`

// differs returns the orders in which y is not what it is with all barriers.
func differs(t *testing.T, source string, n int) (wrong []string) {
	for _, order := range orders {
		for i, got := range open(t, source, Options{Order: order}).compute("f", n, 1, n) {
			if got != float32(2*i) {
				wrong = append(wrong, order)
				break
			}
		}
	}
	return wrong
}

func TestMissingBarriers(t *testing.T) {
	for _, scope := range []struct {
		position, barrier string
		n                 int
	}{
		{"thread_index_in_threadgroup", "threadgroup_barrier(mem_flags::mem_threadgroup);", 128},
		{"thread_index_in_simdgroup", "simdgroup_barrier(mem_flags::mem_threadgroup);", 32},
	} {
		barriers := []any{scope.position, scope.barrier, scope.barrier, scope.barrier}
		for missing := range 4 { // 0: none is
			lines := append([]any(nil), barriers...)
			if missing > 0 {
				lines[missing] = ""
			}
			source := strings.ReplaceAll(fmt.Sprintf(exchange, lines...), "N -", fmt.Sprintf("%d -", scope.n))
			wrong := differs(t, source, scope.n)
			if missing == 0 && wrong != nil {
				t.Errorf("%s: wrong results in orders %v", scope.barrier, wrong)
			}
			if missing > 0 && wrong == nil {
				t.Errorf("%s: that number %d is missing changes nothing", scope.barrier, missing)
			}
		}
	}
}

// TestMatrixBarriers: a matrix's store is seen by other lanes after a barrier only.
func TestMatrixBarriers(t *testing.T) {
	const source = prelude + `
kernel void f(device float *y [[buffer(0)]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float a[64];
  a[lane] = lane;
  a[lane + 32] = lane + 32;
  BEFORE
  simdgroup_float8x8 m;
  simdgroup_load(m, a, 8, ulong2(0), true);
  AFTER
  simdgroup_store(m, a, 8);
  AFTER
  y[lane] = a[lane / 8 + lane % 8 * 8] * 2;
}`
	const barrier = "simdgroup_barrier(mem_flags::mem_threadgroup);"
	for _, c := range []struct {
		before, after string
		same          bool
	}{{barrier, barrier, true}, {"", barrier, false}, {barrier, "", false}} {
		wrong := differs(t, strings.NewReplacer("BEFORE", c.before, "AFTER", c.after).Replace(source), 32)
		if c.same != (wrong == nil) {
			t.Errorf("barriers %q, %q: wrong in orders %v", c.before, c.after, wrong)
		}
	}
}

func TestDivergence(t *testing.T) {
	const barrier = "threadgroup_barrier(mem_flags::mem_threadgroup);"
	for _, c := range []struct{ body, want string }{
		{"if (index == 40) return; " + barrier, "divergent barrier: thread 0 waits at line 5, thread 40 has ended"},
		{"if (index < 32) { " + barrier + " } else {\n" + barrier + " }", "divergent barrier: thread 0 waits at line 5, thread 32 at line 6"},
		{"if (index < 32) " + barrier, "divergent barrier"},
		{"if (index < 7) y[0] = simd_sum(1.0f);", "divergent simdgroup operation"},
		{"if (index == 33) return; y[index] = simd_sum(1.0f);", "divergent simdgroup operation"},
		{"if (index % 2) simd_sum(1.0f); else simd_max(1.0f);", "divergent simdgroup operation"},
		{"simdgroup_float8x8 m; if (index % 2) simdgroup_load(m, y); simdgroup_barrier(mem_flags::mem_none);", "divergent simdgroup operation"},
		{"simdgroup_float8x8 m; if (index > 8) simdgroup_multiply_accumulate(m, m, m, m);", "divergent simdgroup operation"},
	} {
		source := prelude + "kernel void f(device float *y [[buffer(0)]],\n uint index [[thread_index_in_threadgroup]]) {\n" + c.body + "\n}"
		e := open(t, source, Options{})
		_, err := e.Run([]gpu.Dispatch{dispatch(e.pipeline("f", 64), [2]int{1, 1}, e.empty(1024))})
		if !errors.Is(err, gpu.ErrFault) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.body, err, c.want)
		}
	}
}
