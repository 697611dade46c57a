package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
)

// The wanted figures are numpy's: np.percentile, np.mean, np.std.
func TestPercentileIsNumpys(t *testing.T) {
	at := []float64{0, 1, 25, 50, 75, 90, 95, 99, 100}
	for _, c := range []struct{ x, want []float64 }{
		{[]float64{3}, []float64{3, 3, 3, 3, 3, 3, 3, 3, 3}},
		{[]float64{1, 2}, []float64{1, 1.01, 1.25, 1.5, 1.75, 1.9, 1.95, 1.99, 2}},
		{[]float64{1, 4, 5}, []float64{1, 1.06, 2.5, 4, 4.5, 4.8, 4.9, 4.98, 5}},
		{[]float64{0.1, 0.2, 0.3, 0.7, 11.5}, []float64{0.1, 0.10400000000000001, 0.2, 0.3, 0.7, 7.180000000000001, 9.339999999999998, 11.068, 11.5}},
		{[]float64{1e9, 1e9 + 1, 1e9 + 3}, []float64{1e9, 1000000000.02, 1000000000.5, 1000000001, 1000000002, 1000000002.6, 1000000002.8, 1000000002.96, 1000000003}},
	} {
		for i, p := range at {
			if got := Percentile(c.x, p); got != c.want[i] {
				t.Errorf("P%v of %v = %v, numpy says %v", p, c.x, got, c.want[i])
			}
		}
	}
}

func TestSummarize(t *testing.T) {
	x := []float64{11.5, 0.3, 0.1, 0.7, 0.2}
	before := slices.Clone(x)
	s := Summarize(x)
	if !slices.Equal(x, before) {
		t.Error("Summarize changed its sample")
	}
	if s.N != 5 || s.Min != 0.1 || s.Max != 11.5 || s.P50 != 0.3 {
		t.Errorf("got %+v", s)
	}
	for name, c := range map[string]struct{ got, want float64 }{"mean": {s.Mean, 2.56}, "sd": {*s.SD, 4.474639650295876}} {
		if math.Abs(c.got-c.want) > 1e-14*c.want {
			t.Errorf("%s = %v, numpy says %v", name, c.got, c.want)
		}
	}
	if Summarize(nil) != nil {
		t.Error("a summary of nothing")
	}
	if s := Summarize([]float64{7}); s.SD != nil || s.P99 != 7 {
		t.Errorf("of one value: %+v; its deviation is not known", s)
	}
}

func TestCorrelation(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want *float64
	}{
		{[]float64{1, 2, 3}, []float64{10, 20, 30}, new(1.0)},
		{[]float64{1, 2, 3}, []float64{5, 3, 1}, new(-1.0)},
		{[]float64{1, 2, 3, 4}, []float64{1, -1, -1, 1}, new(0.0)},
		{[]float64{1, 2, 3, 5}, []float64{2, 1, 4, 3}, new(0.5291502622129182)}, // np.corrcoef
		{[]float64{1, 1}, []float64{1, 2}, nil},
		{[]float64{1}, []float64{1}, nil},
		{nil, nil, nil},
	} {
		got := Correlation(c.x, c.y)
		if (got == nil) != (c.want == nil) || got != nil && math.Abs(*got-*c.want) > 1e-15 {
			t.Errorf("correlation(%v, %v) = %v, want %v", c.x, c.y, figure.Shortest(got), figure.Shortest(c.want))
		}
	}
}

func TestSamplesNeeded(t *testing.T) {
	for q, want := range map[float64]int{0.5: 5, 0.9: 29, 0.95: 59, 0.99: 299} {
		if got := SamplesNeeded(q, Confidence); got != want {
			t.Errorf("samplesNeeded(%v) = %d, want %d", q, got, want)
		}
		if k := UpperOrder(want, q, Confidence); k != want {
			t.Errorf("of %d draws the %d-th bounds the %v-quantile, want the largest", want, k, q)
		}
		if k := UpperOrder(want-1, q, Confidence); k != want {
			t.Errorf("%d draws bound the %v-quantile by their %d-th: too few to do so", want-1, q, k)
		}
	}
}

// By the definition, with binomial coefficients multiplied out.
func TestOrders(t *testing.T) {
	atMost := func(n, k int, q float64) float64 {
		sum := 0.0
		for i := 0; i <= k; i++ {
			p := 1.0
			for j := range i {
				p *= float64(n-j) / float64(i-j) * q
			}
			sum += p * math.Pow(1-q, float64(n-i))
		}
		return sum
	}
	for n := 1; n <= 120; n += 7 {
		for _, q := range []float64{0.1, 0.5, 0.9, 0.95} {
			want := 1
			for want <= n && atMost(n, want-1, q) < 0.95 {
				want++
			}
			if got := UpperOrder(n, q, 0.95); got != want {
				t.Errorf("upperOrder(%d, %v) = %d, want %d", n, q, got, want)
			}
		}
	}
}
