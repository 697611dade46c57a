package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

func TestKendall(t *testing.T) {
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
		// 5 of 6 pairs are ordered by x, all agree: 5/sqrt(5·6).
		{"a tie in one", []float64{1, 1, 2, 3}, []float64{1, 2, 3, 4}, 5 / math.Sqrt(30)},
		{"one pair", []float64{1}, []float64{3}, 1},
		{"all ties", []float64{2, 2}, []float64{3, 3}, 1},
		{"all ties in one", []float64{2, 2}, []float64{3, 4}, 0},
	}
	for _, tt := range tests {
		if got := kendall(tt.x, tt.y); math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if got := kendall(tt.y, tt.x); math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%s, exchanged: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTopAgreement(t *testing.T) {
	want := []float64{9, 1, 8, 2, 7, 3}
	tests := []struct {
		got  []float64
		k    int
		want float64
	}{
		{[]float64{3, 0, 2, 0, 1, 0}, 3, 1}, // another order within the top is no loss
		{[]float64{9, 1, 8, 2, 2.5, 3}, 3, 2. / 3},
		{[]float64{1, 9, 2, 8, 3, 7}, 3, 0},
		{[]float64{5, 5, 5, 5, 5, 5}, 2, 0.5}, // ties in input order: 0 and 1
	}
	for _, tt := range tests {
		if got := topAgreement(tt.got, want, tt.k); math.Abs(got-tt.want) > 1e-15 {
			t.Errorf("%v: %v, want %v", tt.got, got, tt.want)
		}
	}
}

func TestCompareScores(t *testing.T) {
	want := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	got := slices.Clone(want)
	got[0] += 0.002
	got[7] -= 0.006
	a := compareScores(got, want, 0.001)
	sd := math.Sqrt(6) // of 1..8, divided by n-1
	if a.Pairs != 8 || math.Abs(a.MaxError-0.006) > 1e-12 || math.Abs(a.MeanError-0.001) > 1e-12 || math.Abs(a.LogitSD-sd) > 1e-12 {
		t.Errorf("%+v", a)
	}
	if a.KendallTau != 1 || a.TopK != 2 || a.TopKAgreement != 1 || a.Tolerance != 0.001 {
		t.Errorf("%+v", a)
	}
	// The mean error is 0.001/sqrt(6) = 4.08e-4 of the standard deviation.
	for tolerance, passed := range map[float64]bool{4.0e-4: false, 4.2e-4: true} {
		if a := compareScores(got, want, tolerance); a.Passed != passed {
			t.Errorf("tolerance %v: passed %v", tolerance, a.Passed)
		}
	}
	// A single pair has no standard deviation: its own size is the scale.
	for tolerance, passed := range map[float64]bool{0.9e-3: false, 1.1e-3: true} {
		if a := compareScores([]float64{-5.005}, []float64{-5}, tolerance); a.Passed != passed || a.LogitSD != 0 || a.TopK != 1 {
			t.Errorf("one pair, tolerance %v: %+v", tolerance, a)
		}
	}
	if a := compareScores(make([]float64, 40), make([]float64, 40), 0); a.TopK != topMost || !a.Passed {
		t.Errorf("40 equal pairs: %+v", a)
	}
}

func TestAccuracySample(t *testing.T) {
	tokens := make([]int32, 1000)
	for i := range tokens {
		tokens[i] = int32(i * 7 % 1000) // each length from 0 to 999 once
	}
	sample := accuracySample(tokens, 24)
	seen := map[int]bool{}
	lengths := []float64{}
	for _, at := range sample {
		seen[at] = true
		lengths = append(lengths, float64(tokens[at]))
	}
	if len(seen) != 24 {
		t.Fatalf("%d different pairs, want 24", len(seen))
	}
	// Every prefix reaches over the range: no gap is much over an even one.
	for n := 4; n <= 24; n++ {
		head := slices.Sorted(slices.Values(lengths[:n]))
		gap := max(head[0], 999-head[n-1])
		for i := 1; i < n; i++ {
			gap = max(gap, head[i]-head[i-1])
		}
		if even := 1000 / float64(n); gap > 2.7*even {
			t.Errorf("the first %d lengths %v leave a gap of %v", n, head, gap)
		}
	}
	for n := range 30 {
		got := slices.Sorted(slices.Values(accuracySample(tokens[:n], 24)))
		if len(got) != min(n, 24) || len(slices.Compact(got)) != len(got) {
			t.Errorf("of %d pairs: %v", n, got)
		}
	}
}

func TestCheckAccuracy(t *testing.T) {
	tests := []struct {
		name      string
		limit     time.Duration
		shift     float32
		precision string
		pairs     int
		want      string // in the error; empty: none
	}{
		{"all", 0, 0, "f32", 24, ""},
		// Two at a time, a second each.
		{"limited", 4500 * time.Millisecond, 0, "f32", 10, ""},
		{"no time", time.Nanosecond, 0, "f32", 2, ""},
		{"off by 0.01", 0, 0.01, "f32", 24, "mean |error| 0.01"},
		{"which is good for f16", 0, 0.01, "f16", 24, ""},
		{"unknown", 0, 0, "fp3", 0, `precision "fp3"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				measured, reference := newFake(nil), newFake(func([]engine.Pair) time.Duration { return time.Second })
				measured.shift, measured.info.Precision = tt.shift, tt.precision
				heard := 0
				a, err := checkAccuracy(t.Context(), measured, reference, numbered(100), tt.limit, func(done, total int) {
					if heard = done; total != 24 {
						t.Errorf("progress total %d", total)
					}
				})
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Fatalf("error %v, want %q", err, tt.want)
				}
				if tt.pairs == 0 {
					return
				}
				if a.Pairs != tt.pairs || heard != tt.pairs || a.Passed != (err == nil) || len(measured.scored) != tt.pairs {
					t.Errorf("%+v, progress to %d, %d scored", a, heard, len(measured.scored))
				}
				if err != nil && !errors.Is(err, ErrInaccurate) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
	t.Run("errors", func(t *testing.T) {
		broken := errors.New("broken")
		for _, who := range []int{0, 1} {
			engines := []*fake{newFake(nil), newFake(nil)}
			engines[who].fail = func([]engine.Pair) error { return broken }
			_, err := checkAccuracy(context.Background(), engines[0], engines[1], numbered(30), 0, func(int, int) {})
			if !errors.Is(err, broken) || strings.Contains(err.Error(), "reference") != (who == 1) {
				t.Errorf("engine %d: %v", who, err)
			}
		}
	})
}
