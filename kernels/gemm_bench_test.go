package kernels

import (
	"fmt"
	"testing"
)

// The four products of MiniLM's encoder layer on every instruction set.
func BenchmarkMatrix(b *testing.B) {
	for _, isa := range Available() {
		for _, s := range []struct{ in, out int }{{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}} {
			for _, rows := range []int{1, 32, 128, 2048} {
				if isa == Generic && rows > 32 {
					continue
				}
				b.Run(fmt.Sprintf("%v/%dx%dx%d", isa, rows, s.in, s.out), func(b *testing.B) {
					x, dst := make([]float32, rows*s.in), make([]float32, rows*s.out)
					m := Pack(make([]float32, s.out*s.in), make([]float32, s.out), s.out, s.in, isa)
					for b.Loop() {
						m.Linear(dst, x, rows, s.out, s.in)
					}
					flops := 2 * float64(rows*s.in*s.out) * float64(b.N)
					b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

// Attention of one sequence of n tokens, MiniLM's heads.
func BenchmarkVectorAttention(b *testing.B) {
	heads := Heads{Count: 12, Size: 32}
	for _, isa := range available() {
		for _, n := range []int{32, 64, 128, 256, 512} {
			b.Run(fmt.Sprintf("%v/%d", isa, n), func(b *testing.B) {
				qkv, dst := make([]float32, n*3*384), make([]float32, n*384)
				scratch := make([]float32, isa.AttentionScratch(n, heads))
				for b.Loop() {
					isa.Attention(dst, qkv, qkv[384:], qkv[768:], n, n, 3*384, 3*384, heads, scratch)
				}
				flops := 4 * float64(n*n*384) * float64(b.N)
				b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

// The feed-forward block's two products with their epilogues.
func BenchmarkFeedForward(b *testing.B) {
	const width, inner, rows = 384, 1536, 96
	for _, isa := range available() {
		b.Run(isa.String(), func(b *testing.B) {
			up := Pack(make([]float32, inner*width), make([]float32, inner), inner, width, isa)
			down := Pack(make([]float32, inner*width), make([]float32, width), width, inner, isa)
			n := &Norm{Gain: make([]float32, width), Bias: make([]float32, width), Eps: 1e-12}
			x, h, scratch := make([]float32, rows*width), make([]float32, rows*inner), make([]float32, down.Scratch(rows))
			for b.Loop() {
				up.LinearGELU(h, x, rows, inner, width)
				down.LinearAddNorm(x, h, rows, n, scratch)
			}
			flops := 4 * float64(rows*width*inner) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
