package bench

import (
	"math"
	"testing"
	"time"
)

func TestArrivalsArePoisson(t *testing.T) {
	const n, batch, rate = 100_000, 32, 400.0
	mean := batch / rate
	a := newArrivals(7, batch, rate)
	var (
		gaps   []float64
		last   time.Duration
		counts = map[int]int{} // arrivals in each second
	)
	for range n {
		at := a.next()
		if at < last {
			t.Fatalf("arrival at %v after one at %v", at, last)
		}
		gaps = append(gaps, (at - last).Seconds())
		counts[int(at/time.Second)]++
		last = at
	}
	// The largest distance of the gaps' distribution from the exponential one
	// (Kolmogorov and Smirnov): 1.63/sqrt(n) is exceeded by chance in 1 % of
	// seeds, and this seed is fixed.
	const bins = 1000
	histogram := make([]int, bins)
	sum, product := 0.0, 0.0
	for i, g := range gaps {
		u := 1 - math.Exp(-g/mean) // uniform in [0, 1)
		histogram[min(bins-1, int(u*bins))]++
		sum += g
		if i > 0 {
			product += (gaps[i-1] - mean) * (g - mean)
		}
	}
	distance, below := 0.0, 0
	for i, count := range histogram {
		below += count
		distance = max(distance, math.Abs(float64(below)/n-float64(i+1)/bins))
	}
	if limit := 1.63 / math.Sqrt(n); distance > limit {
		t.Errorf("gaps are %.5f from exponential, want below %.5f", distance, limit)
	}
	if got := sum / n; math.Abs(got/mean-1) > 0.01 {
		t.Errorf("mean gap %v s, want %v", got, mean)
	}
	// Without memory: gaps next to each other are uncorrelated.
	if r := product / n / (mean * mean); math.Abs(r) > 0.01 {
		t.Errorf("correlation of neighbouring gaps %.4f", r)
	}
	// A Poisson count has its mean as its variance.
	variance, seconds := 0.0, float64(len(counts))
	for _, c := range counts {
		variance += (float64(c) - 1/mean) * (float64(c) - 1/mean) / seconds
	}
	if ratio := variance * mean; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("variance of counts is %.3f of their mean, want 1", ratio)
	}
}

func TestArrivalsFollowTheSeed(t *testing.T) {
	a, b, c := newArrivals(1, 8, 100), newArrivals(1, 8, 100), newArrivals(2, 8, 100)
	differ := false
	for i := range 100 {
		x, y, z := a.next(), b.next(), c.next()
		if x != y {
			t.Fatalf("arrival %d: %v and %v from one seed", i, x, y)
		}
		differ = differ || x != z
	}
	if !differ {
		t.Error("two seeds give the same arrivals")
	}
}
