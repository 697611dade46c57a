package report

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Of many samples about 95 % must have a bound at or above the true quantile,
// and none of a sample that is too small may claim one.
func TestBoundsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs = 1000
	held := 0
	for range runs {
		x := make([]float64, 100)
		for i := range x {
			x[i] = r.ExpFloat64()
		}
		b := bounds(x)
		if b[3].Percentile != 99 || b[3].Upper != nil {
			t.Fatalf("P99 of 100: %+v, want no bound", b[3])
		}
		if b[2].Percentile != 95 || b[2].Upper == nil {
			t.Fatalf("P95 of 100: %+v, want a bound", b[2])
		}
		if *b[2].Upper >= -math.Log(0.05) {
			held++
		}
	}
	// P(binomial(100, 0.95) <= 98) = 0.963; five deviations of the count are 30.
	if held < 933 || held > 993 {
		t.Errorf("the bound of P95 held %d times of %d, want about 963", held, runs)
	}
	if bounds(nil) != nil {
		t.Error("bounds of nothing")
	}
}
