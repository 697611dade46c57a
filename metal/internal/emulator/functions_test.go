package emulator

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestFunctions computes expressions in every thread of a simdgroup and looks at
// one lane's.
func TestFunctions(t *testing.T) {
	inf := math.Inf(1)
	cases := []struct {
		expression string
		want       float64
	}{
		{"exp(1.5f)", math.Exp(1.5)},
		{"exp2(-3.5f)", math.Exp2(-3.5)},
		{"log(7.0f)", math.Log(7)},
		{"log2(10.0f)", math.Log2(10)},
		{"sqrt(2.0f)", math.Sqrt2},
		{"rsqrt(2.0f)", 1 / math.Sqrt2},
		{"tanh(0.7f)", math.Tanh(0.7)},
		{"precise::tanh(0.7f) + precise::tanh(90.0f)", math.Tanh(0.7) + 1},
		{"isnan(tanh(90.0f)) && isnan(fast::tanh(half2(half(90.0f))).y) && tanh(-90.0f) == -1", 1},
		{"fast::exp(1.0f)", math.E},
		{"fabs(-2.5f) + abs(-1) + abs(-0.5f)", 4},
		{"floor(-1.5f)", -2},
		{"fma(2.0f, 3.0f, 4.0f)", 10},
		{"min(2.0f, 3.0f) + max(2.0f, 3.0f)", 5},
		{"max(half(-1.0f), half(0.5f))", 0.5},
		{"min(7u, 3u) + max(-7, 3)", 6},
		{"clamp(5.0f, -1.0f, 1.0f) + clamp(half(-5.0f), half(-2.0f), half(2.0f))", -1},
		{"select(1.0f, 2.0f, lane == 5)", 2},
		{"copysign(3.0f, -0.0f)", -3},
		{"as_type<float>(0x40490fdbu)", math.Pi},
		{"as_type<uint>(1.0f) == 0x3f800000u", 1},
		{"as_type<half>(ushort(0x3c00))", 1},
		{"INFINITY", inf},
		{"M_LOG2E_F * M_SQRT1_2_F", math.Log2E / math.Sqrt2},
		{"half(2049.0f)", 2048}, // to even
		{"half(2051.0f)", 2052}, // to even
		{"half(65520.0f)", inf}, // past the largest
		{"half(1.0f) / half(3.0f)", 0.333251953125},
		{"half(2048.0f) + half(1.0f) + half(1.0f)", 2048},                              // each operation rounds
		{"0.1 + 0.2 == 0.3f", float64(b2i(float32(0.1)+float32(0.2) == float32(0.3)))}, // floats, though they have no f
		{"float4(2.0f).w + float4{1.0f, 2.0f, 3.0f, 4.0f}.z + float4{1, 2, 3, 4}[3]", 9},
		{"(float2{1.0f, 2.0f} * float2{3.0f, 4.0f} + 1.0f).y", 9},
		{"dot(float3{1, 2, 3}, float3{4, 5, 6})", 32},
		{"exp(float4(1.0f)).z", math.E},
		{"max(half4(half(1.0f)), half4(half(2.0f))).w", 2},
		{"uint2{1u, 2u}.y + int3{-1, -2, -3}.z + ushort4(ushort(7)).x + ulong2{1, 2}.y", 8},
		{"char4{-1, 2, 3, 4}.x + uchar4{255, 0, 0, 0}.x", 254},
		{"sizeof(float3) + sizeof(half4) + sizeof(half) + sizeof(ulong)", 16 + 8 + 2 + 8},
		{"simd_sum(float(lane))", 496},
		{"simd_sum(half(lane))", 496},
		{"simd_sum(uint(lane)) + simd_sum(-int(lane))", 0},
		{"simd_max(float(lane % 7)) + simd_min(float(lane) - 3.0f)", 3},
		{"simd_max(half(lane)) + simd_min(int(lane)) + simd_max(uint(lane))", 62},
		{"simd_shuffle(float(lane), ushort(31 - lane))", 26},
		{"simd_shuffle_xor(int(lane), ushort(16))", 21},
		{"simd_shuffle_down(half(lane), ushort(3))", 8},
		{"simd_broadcast(uint(lane), ushort(9))", 9},
	}
	var source strings.Builder
	source.WriteString(prelude + "kernel void f(device float *y [[buffer(0)]], ushort lane [[thread_index_in_simdgroup]]) {\n")
	for i, c := range cases {
		fmt.Fprintf(&source, "  { float x = float(%s); if (lane == 5) y[%d] = x; }\n", c.expression, i)
	}
	source.WriteString("}\n")
	for _, order := range []string{"f", "r", "s4"} {
		got := open(t, source.String(), Options{Order: order}).compute("f", 32, 1, len(cases))
		for i, c := range cases {
			if float64(got[i]) != c.want && !(math.Abs(float64(got[i])-c.want) <= 4e-7*math.Abs(c.want)) {
				t.Errorf("order %s: %s = %v, want %v", order, c.expression, got[i], c.want)
			}
		}
	}
	if err := CheckStrict(source.String()); err != nil {
		t.Error(err)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestPositions has each thread write what it is told of where it is.
func TestPositions(t *testing.T) {
	const source = prelude + `
kernel void f(device float *y [[buffer(0)]], uint3 group [[threadgroup_position_in_grid]],
              uint2 groups [[threadgroups_per_grid]], uint index [[thread_index_in_threadgroup]],
              ushort simd [[simdgroup_index_in_threadgroup]], ushort lane [[thread_index_in_simdgroup]],
              uint2 at [[thread_position_in_grid]], uint threads [[threads_per_threadgroup]]) {
  bool right = index == simd * 32u + lane && at.x == group.x * threads + index && at.y == group.y;
  y[(group.y * groups.x + group.x) * threads + index] = right ? group.x + 10 * group.y + 100 * index : -1;
}`
	const threads, columns, rows = 96, 3, 4
	for _, workers := range []int{1, 3} {
		e := open(t, source, Options{Workers: workers})
		y := e.empty(4 * threads * columns * rows)
		e.run(dispatch(e.pipeline("f", threads), [2]int{columns, rows}, y))
		for i, got := range singles(y) {
			group := i / threads
			if want := float32(group%columns + 10*(group/columns) + 100*(i%threads)); got != want {
				t.Fatalf("%d workers: y[%d] = %v, want %v", workers, i, got, want)
			}
		}
	}
}
