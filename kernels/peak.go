package kernels

import (
	"time"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// PeakFLOPS measures how many operations a second one core does in v's registers without
// reading or writing memory. Multiplications and additions count, also those of integers.
// It returns the best of the rounds that fit into about the time budget. Rates of kernels
// are reported as a share of it.
func (v Variant) PeakFLOPS(budget time.Duration) float64 {
	best := 0.0
	for end := time.Now().Add(budget); ; {
		start := time.Now()
		work := v.peakRound()
		now := time.Now()
		if seconds := now.Sub(start).Seconds(); seconds > 0 {
			best = max(best, work/seconds)
		}
		if now.After(end) && best > 0 {
			return best
		}
	}
}

// peakRound does work of a fraction of a millisecond and returns the number of operations.
func (v Variant) peakRound() float64 {
	if v.ISA != Generic {
		const work = 4e7
		n := int(work / v.product().PeakFLOPs)
		asm.Peak(asm.ISA(v.ISA), asm.Format(v.Format), n)
		return float64(n * v.product().PeakFLOPs)
	}
	// This is the inner loop of the generic kernel itself, which multiplies and adds. Its
	// integer loops are no faster.
	const rounds = 2000
	var row [sumBlock]float32
	for range rounds {
		dot2x4(row[:], row[:], row[:], row[:], row[:], row[:])
	}
	return 2 * 8 * sumBlock * rounds
}
