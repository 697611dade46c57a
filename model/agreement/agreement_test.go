package agreement

import (
	"math"
	"testing"
)

func TestTau(t *testing.T) {
	tests := []struct {
		name string
		x, y []float64
		want float64
	}{
		{"equal", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 1},
		{"reversed", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		{"one swap of six", []float64{1, 2, 3, 4}, []float64{2, 1, 3, 4}, 4. / 6},
		{"equal with ties", []float64{1, 1, 2}, []float64{5, 5, 9}, 1},
		// The example in SciPy's manual of kendalltau: -0.4714045207910316.
		{"ties in both", []float64{12, 2, 1, 12, 2}, []float64{1, 4, 7, 1, 0}, -0.4714045207910316},
		// 5 of 6 twos are ordered by x, all agree: 5/sqrt(5·6).
		{"a tie in one", []float64{1, 1, 2, 3}, []float64{1, 2, 3, 4}, 5 / math.Sqrt(30)},
		{"one item", []float64{1}, []float64{3}, 1},
		{"all ties", []float64{2, 2}, []float64{3, 3}, 1},
		{"all ties in one", []float64{2, 2}, []float64{3, 4}, 0},
	}
	for _, tt := range tests {
		if got := Count(tt.x, tt.y).Tau(); math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if got := Count(tt.y, tt.x).Tau(); math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%s, exchanged: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSwappedShare(t *testing.T) {
	tests := []struct {
		name string
		x, y []float64
		want float64
	}{
		{"equal", []float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 0},
		{"reversed", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, 1},
		{"one swap of ten", []float64{1, 2, 3, 4, 5}, []float64{1, 3, 2, 4, 5}, 0.1},
		{"the last one first", []float64{1, 2, 3, 4, 5}, []float64{1, 2, 3, 4, 0}, 0.4},
		{"a tie is no swap", []float64{1, 2, 3, 4, 5}, []float64{1, 3, 3, 4, 5}, 0},
	}
	for _, tt := range tests {
		o := Count(tt.x, tt.y)
		if got := *o.SwappedShare(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		// Without ties, tau says the same.
		if o.InX == o.All && o.InY == o.All && math.Abs((1-o.Tau())/2-*o.SwappedShare()) > 1e-15 {
			t.Errorf("%s: tau %v, %v swapped", tt.name, o.Tau(), *o.SwappedShare())
		}
	}
	if share := Count([]float64{1}, []float64{2}).SwappedShare(); share != nil {
		t.Errorf("one item: %v of its orders are swapped, and it has none", *share)
	}
}

func TestOf(t *testing.T) {
	queries := []Query{
		// Errors 0.5, -0.5, 1; the last two change places, and only the grades see it.
		{Exact: []float64{4, 2, 1}, Scores: []float64{4.5, 1.5, 2}, Grades: []int{0, 1, 0}},
		// Nobody judged this one. Its passages are not compared with those above.
		{Exact: []float64{0, 0}, Scores: []float64{0.5, 0.5}},
		{Exact: []float64{3}, Scores: []float64{3}, Grades: []int{2}, Unlisted: []int{2}},
	}
	f := Of(queries, 2)
	if f.Pairs != 6 || f.Queries != 3 || f.Orders != 3 || f.Swapped != 1 || f.Judged != 2 || f.LogitSD != 2 {
		t.Errorf("%+v", f)
	}
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"mean", *f.MeanError, 3. / 6 / 2}, {"max", *f.MaxError, 0.5}, {"offset", *f.Offset, 2. / 6 / 2},
		{"sd", *f.ErrorSD, math.Sqrt(2./6-1./9) / 2}, // squares 0.25, 0.25, 1, 0.25, 0.25, 0; their mean less the mean's square
		{"share", f.SwappedShare(), 1. / 3},
		{"nDCG", *f.NDCG, (0.5 + 1/(1+1/math.Log2(3))) / 2},
		{"exact nDCG", *f.ExactNDCG, (1/math.Log2(3) + 1/(1+1/math.Log2(3))) / 2},
		{"own deviation", Of(queries, 0).LogitSD, math.Sqrt(30./6 - 100./36)},
	} {
		if math.Abs(tt.got-tt.want) > 1e-15 {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if f := Of([]Query{{Exact: []float64{1, 1}, Scores: []float64{1, 2}}}, 0); f.MeanError != nil || f.NDCG != nil || f.SwappedShare() != 0 {
		t.Errorf("of equal logits that nobody judged: %+v", f)
	}
	if f := Of([]Query{{Exact: []float64{1, 2}, Scores: []float64{1, math.NaN()}}}, 0); !math.IsInf(*f.MaxError, 1) || !math.IsInf(*f.MeanError, 1) {
		t.Errorf("of a score that is no number: %+v", f)
	}
}
