package emulator

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// tiled is a matrix product in the shape of a real one: tiles in threadgroup
// memory, a grid of simdgroups, 32×32 elements each.
const tiled = `#include <metal_stdlib>
using namespace metal;

constant uint N [[function_constant(0)]];
constant uint K [[function_constant(1)]];

// y = x·wᵀ: x is M×K, w is N×K.
template <int BM, int BN, int BK, int SM, int SN>
[[kernel]] void linear(device const half *x [[buffer(0)]], device const half *w [[buffer(1)]],
                       device half *y [[buffer(2)]], uint2 group [[threadgroup_position_in_grid]],
                       ushort thread_index [[thread_index_in_threadgroup]],
                       ushort simd [[simdgroup_index_in_threadgroup]]) {
  constexpr int stride = BK + 8;
  threadgroup half xs[BM * stride];
  threadgroup half ws[BN * stride];
  constexpr int threads = 32 * SM * SN, TM = BM / SM / 8, TN = BN / SN / 8;
  const uint row = group.y * BM, column = group.x * BN;
  const int simdRow = simd / SN * (BM / SM), simdColumn = simd % SN * (BN / SN);
  simdgroup_float8x8 sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; i++)
#pragma unroll
    for (int j = 0; j < TN; j++)
      sum[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
  for (uint k = 0; k < K; k += BK) {
    for (int i = thread_index; i < BM * BK / 8; i += threads)
      *(threadgroup uint4 *)(xs + i / (BK / 8) * stride + i % (BK / 8) * 8) =
          *(device const uint4 *)(x + (row + i / (BK / 8)) * K + k + i % (BK / 8) * 8);
    for (int i = thread_index; i < BN * BK / 8; i += threads)
      *(threadgroup uint4 *)(ws + i / (BK / 8) * stride + i % (BK / 8) * 8) =
          *(device const uint4 *)(w + (column + i / (BK / 8)) * K + k + i % (BK / 8) * 8);
    threadgroup_barrier(mem_flags::mem_threadgroup);
#pragma unroll
    for (int kk = 0; kk < BK; kk += 8) {
      simdgroup_half8x8 a[TM], b[TN];
#pragma unroll
      for (int i = 0; i < TM; i++)
        simdgroup_load(a[i], xs + (simdRow + 8 * i) * stride + kk, stride);
#pragma unroll
      for (int j = 0; j < TN; j++)
        simdgroup_load(b[j], ws + (simdColumn + 8 * j) * stride + kk, stride, ulong2(0), true);
#pragma unroll
      for (int i = 0; i < TM; i++)
#pragma unroll
        for (int j = 0; j < TN; j++)
          simdgroup_multiply_accumulate(sum[i][j], a[i], b[j], sum[i][j]);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  const ushort lane = thread_index % 32;
  const ushort r = (lane >> 4 & 1) * 4 + (lane >> 1 & 3), c = (lane >> 3 & 1) * 4 + (lane & 1) * 2;
#pragma unroll
  for (int i = 0; i < TM; i++)
#pragma unroll
    for (int j = 0; j < TN; j++) {
      thread auto &e = sum[i][j].thread_elements();
      *(device half2 *)(y + (row + simdRow + 8 * i + r) * N + column + simdColumn + 8 * j + c) = half2{half(e[0]), half(e[1])};
    }
}

template [[host_name("linear_64x64x32")]] [[kernel]] decltype(linear<64, 64, 32, 2, 2>) linear<64, 64, 32, 2, 2>;
template [[host_name("linear_32x32x16")]] [[kernel]] decltype(linear<32, 32, 16, 1, 2>) linear<32, 32, 16, 1, 2>;
`

// small returns n numbers that halves hold, from -2 to 2, with their bytes.
func small(n int) (x []float32, bytes []byte) {
	for i := range n {
		v := float32(i*7919%33-16) / 8
		x = append(x, v)
		bytes = binary.LittleEndian.AppendUint16(bytes, halfBits(v))
	}
	return x, bytes
}

func TestTiledProduct(t *testing.T) {
	const m, n, k = 128, 192, 96
	for _, instance := range []struct {
		name        string
		tile, lanes int
	}{{"linear_64x64x32", 64, 128}, {"linear_32x32x16", 32, 64}} {
		e := open(t, tiled, Options{Order: "s3"})
		p := e.pipeline(instance.name, instance.lanes, uint32(n), uint32(k))
		x, xBytes := small(m * k)
		w, wBytes := small(n * k)
		y := e.empty(2 * m * n)
		e.run(gpu.Dispatch{Pipeline: p, Groups: [2]int{n / instance.tile, m / instance.tile},
			Bindings: bind(e.full(xBytes), e.full(wBytes), y)})
		got := halves(y)
		for i := range m {
			for j := range n {
				var want float32 // exact: products are multiples of 1/64, sums below 400
				for l := range k {
					want += x[i*k+l] * w[j*k+l]
				}
				if d := math.Abs(float64(got[i*n+j] - want)); !(d <= math.Abs(float64(want))/2048) {
					t.Fatalf("%s: y[%d, %d] = %v, want %v", instance.name, i, j, got[i*n+j], want)
				}
			}
		}
	}
}

func BenchmarkTiledProduct(b *testing.B) {
	const m, n, k = 2048, 1536, 384
	e := open(b, tiled, Options{})
	p := e.pipeline("linear_64x64x32", 128, uint32(n), uint32(k))
	_, xBytes := small(m * k)
	_, wBytes := small(n * k)
	bindings := bind(e.full(xBytes), e.full(wBytes), e.empty(2*m*n))
	for b.Loop() {
		e.run(gpu.Dispatch{Pipeline: p, Groups: [2]int{n / 64, m / 64}, Bindings: bindings})
	}
	b.ReportMetric(2*m*n*k*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
}
