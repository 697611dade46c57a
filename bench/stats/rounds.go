package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// Resamples is how often a bootstrap draws. Its ends then lie within a few tenths of
	// a per cent of probability of where endless drawing would put them.
	Resamples = 10_000
	// MostExact is how many values SignFlip takes every sign of: 2^19 sums, some
	// milliseconds. For more it draws signs, flips times.
	MostExact = 20
	flips     = 100_000
	// bootstrapSeed makes the same interval of the same values, wherever and whenever.
	bootstrapSeed = 1
	// FewestForMedian is how many values the median of what they are drawn from needs to lie
	// between the least and the largest with 95 % confidence: five lie all on one side of it
	// once in 16, six once in 32. MedianInterval of fewer says too little to be told.
	FewestForMedian = 6
)

// Median is the middle of x, which it leaves as it is; NaN of nothing.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	return Percentile(slices.Sorted(slices.Values(x)), 50)
}

// MedianInterval is the 95 % percentile bootstrap of the median: of so many samples of
// len(x) values drawn from x with replacement, the medians between which 95 % of all lie.
// It assumes of the values that they are independent draws from one distribution, and
// nothing of that. NaN of nothing.
func MedianInterval(x []float64) (low, high float64) {
	return bootstrap(middle, func(draw func([]float64) float64) float64 { return draw(x) })
}

// MeanInterval is MedianInterval of the mean.
func MeanInterval(x []float64) (low, high float64) {
	return bootstrap(Mean, func(draw func([]float64) float64) float64 { return draw(x) })
}

// MedianDifferenceInterval is MedianInterval of median(b) - median(a), for samples that are
// not paired: each is drawn from for itself.
func MedianDifferenceInterval(a, b []float64) (low, high float64) {
	return bootstrap(middle, func(draw func([]float64) float64) float64 { return draw(b) - draw(a) })
}

// middle is the median of x, which it sorts.
func middle(x []float64) float64 {
	slices.Sort(x)
	return Percentile(x, 50)
}

// bootstrap draws a statistic, which asks draw for the centre of a sample drawn anew.
func bootstrap(centre func([]float64) float64, statistic func(draw func([]float64) float64) float64) (low, high float64) {
	random := rand.New(rand.NewPCG(bootstrapSeed, 0))
	var drawn []float64
	draw := func(x []float64) float64 {
		if len(x) == 0 {
			return math.NaN()
		}
		drawn = drawn[:0]
		for range x {
			drawn = append(drawn, x[random.IntN(len(x))])
		}
		return centre(drawn)
	}
	values := make([]float64, Resamples)
	for i := range values {
		values[i] = statistic(draw)
	}
	slices.Sort(values)
	const tail = 100 * (1 - Confidence) / 2
	return Percentile(values, tail), Percentile(values, 100-tail)
}

// NullReach is how far from 0 the median of n values lies in 95 % of all cases, if they are as
// x is and either sign of each is as likely: x is what two runs of the same differ by. It is a
// bootstrap like MedianInterval's, of x with signs at random. NaN of nothing.
func NullReach(x []float64, n int) float64 {
	if len(x) == 0 || n < 1 {
		return math.NaN()
	}
	random := rand.New(rand.NewPCG(bootstrapSeed, 2))
	drawn, reach := make([]float64, n), make([]float64, Resamples)
	for i := range reach {
		for k := range drawn {
			at := random.IntN(2 * len(x))
			drawn[k] = x[at/2]
			if at%2 == 1 {
				drawn[k] = -drawn[k]
			}
		}
		slices.Sort(drawn)
		reach[i] = math.Abs(Percentile(drawn, 50))
	}
	slices.Sort(reach)
	return Percentile(reach, 100*Confidence)
}

// SignFlip is the two-sided p of the sign-flip test: how often would the sum of x be as far
// from 0 as it is, if each value might as well have had the other sign? So it is where the
// values are differences of two runs that do not differ, whose names are chance; nothing else
// is assumed. p is exact, of all 2^n signs, up to MostExact values, and of drawn signs beyond.
// n values cannot have a p below 2/2^n. Nothing has p 1.
func SignFlip(x []float64) (p float64, exact bool) {
	total, size := 0.0, 0.0
	for _, v := range x {
		total, size = total+v, size+math.Abs(v)
	}
	least := math.Abs(total) - float64(1e-12*size) // sums of the same values in another order differ by rounding
	if len(x) <= MostExact {
		if len(x) == 0 {
			return 1, true
		}
		// The first value keeps its sign: turning all of them gives the same distance.
		return float64(far(x[1:], x[0], least)) / math.Exp2(float64(len(x)-1)), true
	}
	random := rand.New(rand.NewPCG(bootstrapSeed, 1))
	count := 1 // the signs that there were
	for range flips {
		sum := 0.0
		for i := 0; i < len(x); i += 64 {
			signs := random.Uint64()
			for _, v := range x[i:min(i+64, len(x))] {
				if signs&1 != 0 {
					v = -v
				}
				sum, signs = sum+v, signs>>1
			}
		}
		if math.Abs(sum) >= least {
			count++
		}
	}
	return float64(count) / (flips + 1), false
}

// far counts the signs of x for which sum plus x is at least so far from 0.
func far(x []float64, sum, least float64) int {
	if len(x) == 0 {
		if math.Abs(sum) >= least {
			return 1
		}
		return 0
	}
	return far(x[1:], sum+x[0], least) + far(x[1:], sum-x[0], least)
}

// Holm adjusts the p of several tests so that calling those below a level significant is
// wrong of any of them no more often than the level says: the i-th smallest of m is
// multiplied by m-i+1, and none is below a smaller one's.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return -1
		case p[i] > p[j]:
			return 1
		}
		return 0
	})
	adjusted := make([]float64, len(p))
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = largest
	}
	return adjusted
}
