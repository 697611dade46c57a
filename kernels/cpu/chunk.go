package cpu

import (
	"github.com/klauspost/cpuid/v2"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// chunkRows returns how many rows go through a block's products at a time, h and f
// being the hidden and the intermediate size: as many as leave what lies between two
// products in the L2 cache. More would cost more than they save, which is to read the
// weights from L3 once more for each chunk. On Zen 4 and Zen 5, with L2 caches of 1 MB,
// 96 rows were measured to be best; there this gives 96. Where GELU's output is bfloat16
// at once, or L2 is larger, it gives more.
func chunkRows(v kernels.Variant, h, f int) int {
	const (
		fewest, most = 96, 512
		step         = 48      // no tile of 6 or 8 rows leaves a rest
		usual        = 1 << 20 // bytes, where the system does not tell
	)
	l2 := cpuid.CPU.Cache.L2
	if l2 <= 0 {
		l2 = usual
	}
	row := 4 * (h + h) // x and what is added to it
	if !v.WritesInput() {
		row += 4 * f // GELU's output, before it is narrowed
	}
	if v.Format != kernels.F32 {
		row += int(bytesOf(v.Format)) * (h + f) // inputs of products
	}
	return min(most, max(fewest, l2/8*7/row/step*step))
}
