package kernels

import (
	"fmt"
	"testing"
)

// The four products of MiniLM's encoder layer, at a short and a long batch.
func BenchmarkLinear(b *testing.B) {
	for _, s := range []struct{ in, out int }{{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}} {
		for _, rows := range []int{1, 32, 512} {
			b.Run(fmt.Sprintf("%dx%dx%d", rows, s.in, s.out), func(b *testing.B) {
				x, w, bias := make([]float32, rows*s.in), make([]float32, s.out*s.in), make([]float32, s.out)
				dst := make([]float32, rows*s.out)
				for b.Loop() {
					Linear(dst, x, w, bias, rows, s.in, s.out)
				}
				flops := 2 * float64(rows*s.in*s.out) * float64(b.N)
				b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	heads := Heads{Count: 12, Size: 32}
	for _, n := range []int{32, 87, 256, 512} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			qkv, dst, scores := make([]float32, n*3*384), make([]float32, n*384), make([]float32, n)
			for b.Loop() {
				Attention(dst, qkv, qkv[384:], qkv[768:], n, n, 3*384, 3*384, heads, scores)
			}
			flops := 4 * float64(n*n*384) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkGELU(b *testing.B) {
	x := make([]float32, 1536*32)
	b.SetBytes(int64(len(x) * 4))
	for b.Loop() {
		for i := range x {
			x[i] = float32(i%512-256) / 64
		}
		GELU(x)
	}
}
