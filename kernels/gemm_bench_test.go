package kernels

import (
	"fmt"
	"testing"
)

// The four products of MiniLM's encoder layer in every way that there is.
func BenchmarkMatrix(b *testing.B) {
	for _, v := range Variants() {
		for _, s := range []struct{ in, out int }{{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}} {
			for _, rows := range []int{1, 32, 128, 2048} {
				if v.ISA == Generic && rows > 32 {
					continue
				}
				b.Run(fmt.Sprintf("%v/%dx%dx%d", v, rows, s.in, s.out), func(b *testing.B) {
					x, dst := make([]float32, rows*s.in), make([]float32, rows*s.out)
					m := Pack(make([]float32, s.out*s.in), make([]float32, s.out), s.out, s.in, v, Inputs{})
					var in Input
					in.Set(v, x, rows, s.in, s.in, Keep{})
					for b.Loop() {
						m.Linear(dst, &in, s.out)
					}
					flops := 2 * float64(rows*s.in*s.out) * float64(b.N)
					b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

// What it takes to make an Input of 128 rows.
func BenchmarkInput(b *testing.B) {
	for _, v := range Variants() {
		for _, width := range []int{384, 1536} {
			if v.Format == F32 {
				continue
			}
			b.Run(fmt.Sprintf("%v/%d", v, width), func(b *testing.B) {
				x := make([]float32, 128*width)
				var in Input
				b.SetBytes(int64(4 * len(x)))
				for b.Loop() {
					in.Set(v, x, 128, width, width, Keep{})
				}
			})
		}
	}
}

// Attention of one sequence of n tokens, MiniLM's heads.
func BenchmarkVectorAttention(b *testing.B) {
	heads := Heads{Count: 12, Size: 32}
	for _, isa := range Permitted() {
		for _, n := range []int{32, 64, 128, 256, 512} {
			if isa.AttendsBF16(heads) {
				b.Run(fmt.Sprintf("%v/bf16/%d", isa, n), func(b *testing.B) {
					qkv, dst := make([]uint16, n*3*384), make([]float32, n*384)
					scratch := make([]float32, isa.AttentionScratch(n, heads))
					for b.Loop() {
						isa.AttentionBF16(dst, qkv, qkv[384:], qkv[768:], n, n, 3*384, 3*384, heads, scratch)
					}
					flops := 4 * float64(n*n*384) * float64(b.N)
					b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			if isa == Generic || isa != isa.vectors() {
				continue
			}
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
	for _, v := range Variants() {
		if v.ISA == Generic {
			continue
		}
		b.Run(v.String(), func(b *testing.B) {
			up := Pack(make([]float32, inner*width), make([]float32, inner), inner, width, v, Inputs{})
			down := Pack(make([]float32, inner*width), make([]float32, width), width, inner, v, Inputs{})
			var in Input
			n := &Norm{Gain: make([]float32, width), Bias: make([]float32, width), Eps: 1e-12}
			x, h, scratch := make([]float32, rows*width), make([]float32, rows*inner), make([]float32, rows*width)
			for b.Loop() {
				in.Set(v, x, rows, width, width, Keep{})
				up.LinearGELU(h, &in, inner)
				in.Set(v, h, rows, inner, inner, Keep{})
				down.Linear(scratch, &in, width)
				v.ISA.AddNorm(x, scratch, n, rows)
			}
			flops := 4 * float64(rows*width*inner) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
