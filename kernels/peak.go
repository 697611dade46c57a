package kernels

import "time"

// PeakFLOPS measures how many floating-point operations a second one core does
// with isa's registers when nothing is read or written: fused multiply-adds,
// each two a lane. It returns the best of the rounds that fit into about the
// given time. What a kernel reaches is reported as a share of it.
func (i ISA) PeakFLOPS(budget time.Duration) float64 {
	best := 0.0
	for end := time.Now().Add(budget); ; {
		start := time.Now()
		work := i.peakRound()
		now := time.Now()
		if seconds := now.Sub(start).Seconds(); seconds > 0 {
			best = max(best, work/seconds)
		}
		if now.After(end) && best > 0 {
			return best
		}
	}
}

// peakRound does a fraction of a millisecond's work and returns how many
// operations it was.
func (i ISA) peakRound() float64 {
	const sums = 12 // as many as the assembly has
	width := map[ISA]int{NEON: 4, AVX2: 8, AVX512: 16}[i]
	if i != Generic {
		const n = 100_000
		peak(i, n)
		return 2 * sums * n * float64(width)
	}
	// The generic kernel's own inner loop, which multiplies and adds.
	const rounds = 2000
	var row [sumBlock]float32
	for range rounds {
		dot2x4(row[:], row[:], row[:], row[:], row[:], row[:])
	}
	return 2 * 8 * sumBlock * rounds
}
