package cpu

import (
	"github.com/klauspost/cpuid/v2"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// chunkRows returns how many rows go through a block's products together. h and f are the
// hidden and the intermediate size. It is as many rows as keep everything between two
// products in the L2 cache. More rows save reading the weights from L3 once for each chunk,
// but cost more than that. On Zen 4 and Zen 5, with 1 MB of L2, 96 rows were measured to be
// best, and there it returns 96; with a larger L2, or where GELU's output is written as
// bfloat16, it returns more.
func chunkRows(v kernels.Variant, h, f int) int {
	const (
		fewest, most = 96, 512
		step         = 48      // tiles of 6 and of 8 rows divide it without a rest
		usual        = 1 << 20 // bytes of L2 if the system does not say
	)
	l2 := cpuid.CPU.Cache.L2
	if l2 <= 0 {
		l2 = usual
	}
	row := 4 * (h + h) // x and what is added to it
	if !v.WritesInput() {
		row += 4 * f // GELU's output in float32, before it is converted
	}
	if v.Format != kernels.F32 {
		row += int(bytesOf(v.Format)) * (h + f) // the converted inputs of products
	}
	return min(most, max(fewest, l2/8*7/row/step*step))
}
