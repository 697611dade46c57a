package kernels

import (
	"fmt"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

func TestReadBandwidth(t *testing.T) {
	for _, isa := range Permitted() {
		// Once over, and more values than a round's.
		for _, n := range []int{asm.ReadBlock, 9 << 20} {
			if got := isa.ReadBandwidth(make([]float32, n), time.Microsecond); !(got > 0) {
				t.Errorf("%v, %d values: %v bytes/s", isa, n, got)
			}
		}
		for _, n := range []int{0, 1, asm.ReadBlock + 1} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%v: %d values are read", isa, n)
					}
				}()
				isa.ReadBandwidth(make([]float32, n), time.Microsecond)
			}()
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, isa := range Permitted() {
		for _, kib := range []int{16, 24, 32, 40, 48, 512, 8 << 10, 16 << 10, 128 << 10} {
			b.Run(fmt.Sprintf("%v/%dKiB", isa, kib), func(b *testing.B) {
				x := make([]float32, kib<<8)
				for i := range x {
					x[i] = 1
				}
				for b.Loop() {
					b.ReportMetric(isa.ReadBandwidth(x, 50*time.Millisecond)/1e9, "GB/s")
				}
			})
		}
	}
}
