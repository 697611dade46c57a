package emulator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// body is where the text of a refused shader comes, on line 4.
const body = prelude + `struct Item { uint a, b; };
%s
kernel void f(device const half *x [[buffer(0)]], device half *y [[buffer(1)]],
              constant Item &item [[buffer(2)]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup half a[32];
  %s
  a[lane] = x[lane];
  y[lane] = a[lane];
}
template <typename T> [[kernel]] void g(device T *y [[buffer(0)]]) {
  threadgroup T a[4 * sizeof(T)];
  a[0] = T(0.0f);
  y[0] = a[0];
}
template [[host_name("g_half")]] [[kernel]] decltype(g<half>) g<half>;
`

// onlyCompiles skips a test under the race detector: it has a compiler do its work, alone.
func onlyCompiles(t *testing.T) {
	t.Helper()
	if memorytest.RaceDetector {
		t.Skip("what the compiler accepts does not depend on the race detector")
	}
}

// TestRefused: neither mode compiles these, or strict mode alone does not.
func TestRefused(t *testing.T) {
	onlyCompiles(t)
	for _, c := range []struct {
		outside, inside string
		strict          bool // only strict mode refuses it
		want            string
	}{
		{"", "y[0] = half(erf(1.0f));", false, ":8:"},
		{"", "y[0] = half(std::exp(1.0f));", false, ":8:"},
		{"", "y[0] = half(expf(1.0f));", false, ":8:"},
		{"#include <cmath>", "", false, ":4:"},
		{"#define LOW \\\n 1\nuint two() { return LOW + HIGH; }", "", false, ":6:"},
		{"inline double two() { return 2; }", "", false, ":4:"},
		{"", "if constexpr (true) y[0] = 1;", false, ":8:"},
		{"", "float4 v = float4(0.0f); uint4 u = v;", false, ":8:"},
		{"", "y[0] = max(x[0], 0.0f);", false, ":8:"}, // ambiguous
		{"", "simdgroup_float8x8 m; simdgroup_load(m, x);", false, ":8:"},
		{"inline void h() { threadgroup half b[4]; }", "", false, ":4:19: error: threadgroup memory is declared in kernels only"},
		{"kernel void h(device half *y) { }", "", false, ":4:15: error: kernel h: parameter y has no attribute"},
		{"kernel void h(device half *y [[buffer(31)]]) { }", "", false, "parameter y: buffer index 31"},
		{"kernel void h(device half *x [[buffer(1)]],\n device half *y [[buffer(1)]]) { }", "", false, ":5:2: error: kernel h: parameters x and y"},
		{"kernel void h(uint y [[vertex_id]]) { }", "", false, "attribute vertex_id is not supported"},
		{"constant int N [[function_constant(0)]];", "", false, "type int"},
		{"constant uint N [[function_constant(0)]]; constant bool M [[function_constant(0)]];", "", false, "N and M have the same index"},
		{`template [[host_name("n")]] [[kernel]] decltype(no<1>) no<1>;`, "", false, `"n" names no kernel`},

		{"", "threadgroup half *p = a; p = x;", true, ":8:"},
		{"", "device const half *p = a;", true, ":8:"},
		{"", "thread const half *p = x;", true, ":8:"},
		{"", "threadgroup half4 *p = (device half4 *)y;", true, ":8:"},
		{"inline half at(threadgroup const half *p) { return p[0]; }", "y[0] = at(x);", true, ":8:"},
		{"inline half at(device const half &p) { return p; }", "y[0] = at(a[0]);", true, ":8:"},
		{"inline half at(constant Item *p) { return half(float(p->a)); }", "y[0] = at((device const Item *)x);", true, ":8:"},
		{"constant uint N [[function_constant(0)]];", "N = 1;", true, ":8:"},
		{"constant uint N [[function_constant(0)]];", "half b[N];", true, ":8:"},
		{"", "threadgroup half4 *p = (threadgroup half4 *)y;", true, ":8: error: a cast to threadgroup half4 * from another"},
		{"", "y[0] = *(device const half *)(a + lane);", true, ":8: error: a cast to device half const *"},
		{"", "y[0] = *reinterpret_cast<device const half *>(a);", true, ":8:"},
		{"template <int N> inline half at(device const half *p) { return *(threadgroup const half *)(p + N); }", "y[0] = at<2>(x);", true, ":4: error: a cast"},
		{"", "half h[2]; y[0] = *(device const half *)h;", true, ":8: error: a cast"},
		{"", "y[0] = *(thread const half *)x;", true, ":8: error: a cast"},
		{"inline half at(half *p) { return p[0]; }", "", true, ":4:16: error: at: parameter p has no address space"},
		{"", "half h[2]; const half *p = h; y[0] = p[1];", true, ":8:14: error: f: p has no address space"},
		{"template <typename T> inline void set(T &x) { x = 0; }", "", true, ":4:39: error: set: parameter x has no address space"},
	} {
		source := fmt.Sprintf(body, c.outside, c.inside)
		errs := []error{CheckStrict(source)}
		if !c.strict {
			_, err := Open(source, Options{})
			errs = append(errs, err)
		}
		for _, err := range errs {
			if errors.Is(err, ErrNoCompiler) {
				t.Skip(err)
			}
			refused, ok := errors.AsType[*gpu.SourceError](err)
			if !ok || !strings.Contains(refused.Log, c.want) || !strings.Contains(refused.Log, sourceName+":") {
				t.Errorf("%s %s: %v, want %q", c.outside, c.inside, err, c.want)
			}
		}
	}
}

// TestAccepted: right code passes in strict mode, and compiles.
func TestAccepted(t *testing.T) {
	onlyCompiles(t)
	for _, c := range []struct{ outside, inside string }{
		{"", ""},
		{"inline half at(threadgroup const half *p) { return p[0]; }", "y[0] = at(a + 1);"},
		{"inline void set(thread half &h, constant Item &i) { h = half(float(i.b)); }", "half h; set(h, item); y[0] = h;"},
		{"template <int N> inline void copy(threadgroup half *to, device const half *from) { for (int i = 0; i < N; i++) to[i] = from[i]; }", "copy<4>(a, x);"},
		{"", "*(threadgroup half4 *)a = *(device const half4 *)x; *(device uint4 *)y = *(threadgroup const uint4 *)a;"},
		{"", "threadgroup half *p = a + 4, *q = p; y[0] = *q;"},
		{"constant uint N [[function_constant(0)]];", "for (uint i = 0; i < N; i++) y[i] = x[i];"},
		{"constant float table[2] = {1.0f, 2.0f};", "y[0] = half(table[lane % 2]);"},
		{"constant constexpr uint N = 4;", "threadgroup half b[N], c[N][N]; b[lane % N] = x[0]; c[1][0] = b[0];"},
		{"#define SIZE 8\n#define ADD(x, y) ((x) + (y))", "threadgroup float b[ADD(SIZE, 1)]; b[0] = ADD(1, 2);"},
		{"", "simdgroup_half8x8 m; simdgroup_load(m, x, 8); simdgroup_load(m, a, 8); simdgroup_store(m, a, 8); simdgroup_store(m, y, 8);"},
		{"inline void scale(thread simdgroup_float8x8 &m, float f) { m.thread_elements() *= f; }", "simdgroup_float8x8 m(1.0f); scale(m, 2.0f);"},
		{"", "device const Item *items = (device const Item *)x; device const Item &i = items[1]; y[i.a] = x[i.b];"},
		{"", "float4 s = float4(0.0f); s += float4{float(x[0]), float(x[1]), 0.0f, 1.0f}; y[0] = half(max(s.x, s[1]));"},
		{"", "half h[2]; thread const half *p = h; y[0] = half(p[0] * p[1]); if (lane * item.a == 3) y[1] = h[0];"},
		{"template <typename T> inline T twice(T x, vec<T, 2> v) { return 2 * x * v.x; }", "y[0] = half(twice(1.0f, float2(0.0f)));"},
		{"", "half h = x[0]; h = max(h, a[0]); float s = fma(float(x[0]), 2.0f, exp2(float(a[0]))); y[0] = half(s);"},
	} {
		source := fmt.Sprintf(body, c.outside, c.inside)
		if err := CheckStrict(source); errors.Is(err, ErrNoCompiler) {
			t.Skip(err)
		} else if err != nil {
			t.Errorf("%s %s: strict: %v", c.outside, c.inside, err)
		}
		e := open(t, source, Options{})
		if _, err := e.NewPipeline(gpu.Function{Name: "g_half", Threads: 32}); err != nil {
			t.Error(err)
		}
	}
	if err := CheckStrict(tiled); err != nil && !errors.Is(err, ErrNoCompiler) {
		t.Error(err)
	}
}

// TestConstants runs one kernel with other values, and one that uses them by way
// of a function and of constants computed from them.
func TestConstants(t *testing.T) {
	const source = prelude + `
constant uint N [[function_constant(0)]];
constant bool TWICE [[function_constant(1)]];
constant uint NEXT = N + 1;
constant uint LAST = TWICE ? 2 * NEXT : NEXT;
constant float EPS [[function_constant(2)]];
constant uint FIXED = 5;
inline uint last() { return LAST; }
kernel void f(device float *y [[buffer(0)]]) { y[0] = last() + 100 * N + 10000 * FIXED; }
kernel void g(device float *y [[buffer(0)]]) { y[0] = FIXED; }
kernel void h(device float *y [[buffer(0)]]) { y[0] = EPS + 1.0f; }`
	e := open(t, source, Options{})
	y := e.empty(4)
	for _, c := range []struct {
		n     uint32
		twice bool
		want  float32
	}{{7, false, 50708}, {7, true, 50716}, {9, true, 50920}} {
		e.run(dispatch(e.pipeline("f", 32, c.n, c.twice), [2]int{1, 1}, y))
		if got := singles(y)[0]; got != c.want {
			t.Errorf("N = %d, TWICE = %v: %v, want %v", c.n, c.twice, got, c.want)
		}
	}
	e.run(dispatch(e.pipeline("h", 32, uint32(1), false, float32(0.25)), [2]int{1, 1}, y))
	if got := singles(y)[0]; got != 1.25 {
		t.Errorf("EPS = 0.25: EPS + 1 = %v", got)
	}
	if got := e.compute("g", 32, 1, 1)[0]; got != 5 {
		t.Errorf("g: %v, want 5", got)
	}
	if _, err := e.NewPipeline(gpu.Function{Name: "f", Threads: 32, Constants: []gpu.Constant{{Index: 0, Value: uint32(1)}}}); err == nil {
		t.Error("TWICE is used, not given, and not missed")
	}
	if err := CheckStrict(source); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for _, order := range []string{"x", "s", "s-1", "ff"} {
		if _, err := Open(prelude, Options{Order: order}); err == nil {
			t.Errorf("order %q is taken", order)
		}
	}
}
