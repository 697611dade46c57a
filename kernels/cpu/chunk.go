package cpu

import (
	"github.com/klauspost/cpuid/v2"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// chunkRows returns how many rows go through a block's products together. h and f are the
// hidden and the intermediate size. It is as many rows as keep everything between two
// products in the L2 cache. More rows save reading the weights from L3 once for each chunk,
// but cost more than that. On Zen 4 and Zen 5, with 1 MB of L2, 96 rows were measured to be
// best, and there it returns 96; with a larger L2 it returns more.
//
// On tiles the products are so fast that it is the other way round: reading the weights costs
// more than rows that do not fit into L2. Measured on two cores with AMX and 2 MB of L2, with
// random turns (n, 95 % interval): 480 rows had 1.045 (16, 1.026 to 1.054) times the speed of
// 240 in bfloat16, and 1.02 (16, 0.99 to 1.05) in int8, with 384 and 1536 channels; the median
// of 4 or 5 turns with 768 and 3072 channels was 1.06 of that of 96 rows in both. Pauses are no
// further apart than those of 96 rows in float32, which takes five times as long. But they are
// further apart than before: a call of one pair beside bulk took 3.07 ms in place of 2.77 (P50,
// medians of four runs of each; alone 3.9), and the bulk had 1.03 times the speed.
func chunkRows(v kernels.Variant, h, f int) int {
	const (
		fewest, most = 96, 512
		step         = 48      // tiles of 6 and of 8 rows divide it without a rest
		usual        = 1 << 20 // bytes of L2 if the system does not say
	)
	if v.WritesBF16() { // on tiles, but for bf16x3, with its three products
		return most
	}
	l2 := cpuid.CPU.Cache.L2
	if l2 <= 0 {
		l2 = usual
	}
	row := 4 * (h + h + f) // x, what is added to it, and GELU's output before it is converted
	if v.Format != kernels.F32 {
		row += int(bytesOf(v.Format)) * (h + f) // the converted inputs of products
	}
	return min(most, max(fewest, l2/8*7/row/step*step))
}
