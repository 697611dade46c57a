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
