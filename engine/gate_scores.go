package engine

import (
	"math"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// scoreBounds returns the allowance of a precision for scores.
//
// Scores of bfloat16 and half precision may be off by 0.075 on average. That reverses about
// 0.39 times this share of all orders: 3 %, those of scores that nearly tie. PyTorch's
// bfloat16 reverses 1.3 and 4.8 % on two synthetic models, ours 0.2 % on a trained one.
// Int8 may reverse 0.6 %, because no other engine uses it by default.
//
// A single pair may be off by 0.3. Rounding errors are about normally distributed: of
// seventy pairs with the largest allowed mean, the worst is usually at 0.25. The bound on
// single pairs finds errors that occur at one length only, which a mean over pairs of all
// lengths hides.
func scoreBounds(precision string) allowance {
	a := allowance{Mean: 0.075, Worst: 0.3, Swapped: 0.03}
	if precision == kernels.Int8.String() {
		a.Swapped = 0.006
	}
	return a
}

// scoreDeviation compares scores with the expected scores of the same pairs.
func scoreDeviation(got, want []float32, _ int) *Deviation {
	n := float64(len(got))
	// Values are relative to the first score: then scores that are all equal have a
	// deviation of exactly 0, without the rounding error of their mean.
	from := func(i int) float64 { return float64(want[i]) - float64(want[0]) }
	var mean, offset float64
	for i := range got {
		mean += from(i) / n
		offset += (float64(got[i]) - float64(want[i])) / n
	}
	var square, off, worst float64
	for i := range got {
		square += (from(i) - mean) * (from(i) - mean) / n
		e := math.Abs(float64(got[i]) - float64(want[i]) - offset)
		off += e / n
		worst = max(worst, e)
	}
	sd := math.Sqrt(square)
	d := &Deviation{Mean: off / sd, Worst: worst / sd, Swapped: swapped(got, want)}
	return d.finite()
}

// swapped returns the share of all pairs of scores whose order is the reverse of the
// expected one. A tie does not count.
func swapped(got, want []float32) float64 {
	n, all := 0, len(got)*(len(got)-1)/2
	for i := range got {
		for j := range i {
			if reversed(got[i], got[j], want[i], want[j]) {
				n++
			}
		}
	}
	return float64(n) / float64(max(all, 1))
}

// reversed reports whether a and b are in one order, and those that were expected of them in
// the other. A tie is no order.
func reversed[T float32 | float64](a, b, wantA, wantB T) bool {
	return a < b && wantA > wantB || a > b && wantA < wantB
}
