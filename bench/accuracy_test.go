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

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

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
	a, _ := compareScores(got, want, tolerances["f16"])
	// The mean error is (0.002-0.006)/8; of that the errors are 0.0025, six
	// times 0.0005, and 0.0055 away.
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"max error", a.MaxError, 0.006},
		{"mean error", a.MeanError, 0.001},
		{"offset", *a.Offset, -0.0005},
		{"centred error", *a.CentredError, 0.011 / 8},
		{"standard deviation", a.LogitSD, math.Sqrt(6)}, // of 1..8, divided by n-1
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s %v, want %v", c.name, c.got, c.want)
		}
	}
	if a.Pairs != 8 || a.KendallTau != 1 || *a.FlippedOrders != 0 || a.TopK != 2 || a.TopKAgreement != 1 || a.Tolerances != tolerances["f16"] || !a.Passed {
		t.Errorf("%+v", a)
	}
	got[2], got[3] = got[3], got[2]
	if a, _ := compareScores(got, want, tolerances["f16"]); *a.FlippedOrders != 1./28 {
		t.Errorf("%v of the orders flipped, want one of 28", *a.FlippedOrders)
	}
	if a, _ := compareScores(make([]float64, 40), make([]float64, 40), recording.Tolerances{}); a.TopK != topMost || !a.Passed {
		t.Errorf("40 equal pairs: %+v", a)
	}
}

// Each limit is of a share of the logits' standard deviation, and a broken one
// is named with its figures.
func TestLimits(t *testing.T) {
	sd := math.Sqrt(6)
	eight := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	off := func(offset, scatter float64) []float64 {
		got := slices.Clone(eight)
		for i := range got {
			got[i] += (offset + scatter*float64(1-2*(i%2))) * sd
		}
		return got
	}
	loose := recording.Tolerances{Tolerance: 100, CentredTolerance: 100, OffsetTolerance: 100}
	centred, offset, mean := loose, loose, loose
	centred.CentredTolerance, offset.OffsetTolerance, mean.Tolerance = 0.075, 0.3, 0.2
	tests := []struct {
		name      string
		got, want []float64
		allowed   recording.Tolerances
		broken    []string // beginnings
	}{
		{"centred error within", off(2, 0.0749), eight, centred, nil},
		{"centred error over", off(2, -0.0751), eight, centred, []string{"centred error 0.184, allowed 0.184 (0.075 of the logits' standard deviation, 2.45)"}},
		{"offset within", off(-0.299, 9), eight, offset, nil},
		{"offset over", off(0.301, 9), eight, offset, []string{"|offset| 0.737, allowed 0.735 (0.3 of"}},
		{"offset over, down", off(-0.301, 9), eight, offset, []string{"|offset| 0.737, allowed 0.735 (0.3 of"}},
		{"mean error within", off(0.1, 0.199), eight, mean, nil},
		{"mean error over", off(0.1, 0.201), eight, mean, []string{"mean |error| 0.492, allowed 0.49 (0.2 of"}},
		{"all over", off(0.5, 0.6), eight, recording.Tolerances{Tolerance: 0.01, CentredTolerance: 0.02, OffsetTolerance: 0.03}, []string{"centred error", "|offset|", "mean |error|"}},
		{"no number", []float64{math.NaN(), 1}, []float64{0, 1}, loose, []string{"centred error NaN", "|offset| NaN", "mean |error| NaN"}},
		// The constant offset is good for int8, and for float32 it is a defect.
		{"int8's offset", off(0.6, 0.04), eight, tolerances["int8"], nil},
		{"at bf16", off(0.6, 0.04), eight, tolerances["bf16"], []string{"|offset|", "mean |error|"}},
		{"f32's offset", off(3e-5, 0), eight, tolerances["f32"], []string{"|offset|", "mean |error|"}},
		// Within the limits of its parts, and more than float32 explains.
		{"f32's mean error", slices.Concat([]float64{1 + 12e-5*sd}, off(0, 0)[1:4], []float64{5 + 12e-5*sd}, off(0, 0)[5:]), eight,
			recording.Tolerances{Tolerance: 2e-5, CentredTolerance: 5e-5, OffsetTolerance: 5e-5}, []string{"mean |error|"}},
		// A single pair has no standard deviation: its own size is the scale.
		{"one pair within", []float64{-5.0049}, []float64{-5}, recording.Tolerances{Tolerance: 1e-3, CentredTolerance: 1e-3, OffsetTolerance: 1e-3}, nil},
		{"one pair over", []float64{-5.0051}, []float64{-5}, recording.Tolerances{Tolerance: 1, CentredTolerance: 1e-3, OffsetTolerance: 1e-3}, []string{"|offset| 0.0051, allowed 0.005 (0.001 of the logits' size, 5)"}},
	}
	for _, tt := range tests {
		a, broken := compareScores(tt.got, tt.want, tt.allowed)
		if a.Passed != (len(tt.broken) == 0) || len(broken) != len(tt.broken) {
			t.Errorf("%s: passed %v, broken %q, want %q", tt.name, a.Passed, broken, tt.broken)
			continue
		}
		for i, want := range tt.broken {
			if !strings.HasPrefix(broken[i], want) {
				t.Errorf("%s: %q, want %q", tt.name, broken[i], want)
			}
		}
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
		scatter   float32
		precision string
		pairs     int
		want      string // in the error; empty: none
	}{
		{"all", 0, 0, 0, "f32", 24, ""},
		// Two at a time, a second each.
		{"limited", 4500 * time.Millisecond, 0, 0, "f32", 10, ""},
		{"no time", time.Nanosecond, 0, 0, "f32", 2, ""},
		// The logits' standard deviation is about 3.
		{"off by 0.01", 0, 0.01, 0, "f32", 24, "f32 over 24 pairs: |offset| 0.01, allowed"},
		{"which is good for f16", 0, 0.01, 0, "f16", 24, ""},
		{"off by 2", 0, 2, 0, "bf16", 24, "bf16 over 24 pairs: |offset| 2, allowed"},
		{"which is good for int8", 0, 2, 0, "int8", 24, ""},
		{"scattered by 0.6", 0, 0, 0.6, "int8", 24, "int8 over 24 pairs: centred error 0.6, allowed"},
		{"by 0.1", 0, 0, 0.1, "int8", 24, ""},
		{"unknown", 0, 0, 0, "fp3", 0, `precision "fp3"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				measured, reference := newFake(nil), newFake(func([]engine.Pair) time.Duration { return time.Second })
				measured.shift, measured.scatter, measured.info.Precision = tt.shift, tt.scatter, tt.precision
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
