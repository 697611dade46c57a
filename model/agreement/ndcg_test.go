package agreement

import (
	"math"
	"testing"
)

// The values are trec_eval's ndcg_cut_10 (pytrec_eval-terrier 0.5.11). With ties they are the
// mean over all ways to name the tied passages, by which it orders them.
func TestNDCG(t *testing.T) {
	for _, tt := range []struct {
		name             string
		scores           []float64
		grades, unlisted []int
		want             float64
	}{
		{"twenty passages", []float64{-2.375, -5.125, -1.25, 2.875, -6.75, -6.375, 5.625, 1, -6, -1.75, 1.75, -6.625, 7, 0.5, -4.125, -7, -6.125, -0.625, -0.875, -6.5},
			[]int{2, 2, 0, 2, 2, 0, 0, 0, 0, 2, 3, 2, 0, 2, 2, 0, 2, 0, 1, 0}, nil, 0.38643726746904866},
		{"some not judged, some not listed", []float64{5.125, -4.625, 3.625, 4.875, -3.625, -6.25, 1.625, -2.75, 0.875, 0.375, 6.5, -2.125, 4.125, -0.375, -3, 2.125, -6.375, -5.625, 0.625, -0.875},
			[]int{0, 1, 3, 2, 0, 0, 2, 0, 0, 0, 3, 3, 0, 0, 0, 0, 1, 0, 1, 2}, []int{0, 1, 0, 0, 0, 0}, 0.6141055870799578},
		{"fewer than ten", []float64{4.25, -3.625, -1.25, 7.125}, []int{0, 1, 0, 2}, []int{0, 3, 1}, 0.4681097112364759},
		{"more relevant than ten", []float64{-1.875, 3.375, 6.625, -1.5, -3.875, -5.125, -6.25, -4.75, 3, -7.375, 0.25, 5.75, 1.875, -4.625},
			[]int{1, 3, 3, 1, 3, 3, 1, 3, 2, 2, 3, 1, 1, 1}, []int{2, 3, 1, 1, 1, 3, 1, 3, 1, 2, 3, 1, 1, 1}, 0.6814562160433065},
		{"nothing relevant", []float64{2.25, -1.5, -5.125}, []int{0, 0, 0}, []int{0, 0}, 0},
		{"a grade below 0", []float64{3, 2, 1}, []int{-1, 2, 0}, nil, 0.6309297535714575},
		{"ties", []float64{3, 1, 1, 1, 0.5, 0.25}, []int{0, 3, 0, 1, 2, 0}, nil, 0.599733645867765},
		{"ties across the tenth", []float64{20, 19, 18, 17, 16, 15, 14, 13, 1, 1, 1, 1}, []int{0, 1, 0, 0, 2, 0, 0, 0, 3, 0, 1, 0}, nil, 0.38415336262846234},
	} {
		if got := NDCG(tt.scores, tt.grades, tt.unlisted); math.Abs(got-tt.want) > 1e-14 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A score that is no number ranks behind all others and has no gain, wherever it comes.
func TestNDCGOfNaN(t *testing.T) {
	nan := math.NaN()
	for _, scores := range [][]float64{{nan, 1, 2}, {2, nan, 1}, {1, 2, nan}} {
		grades := []int{0, 0, 0}
		for i, s := range scores {
			if s == 1 {
				grades[i] = 1
			}
			if s != s {
				grades[i] = 3
			}
		}
		want := 1 / math.Log2(3) / (3 + 1/math.Log2(3))
		if got := NDCG(scores, grades, nil); math.Abs(got-want) > 1e-15 {
			t.Errorf("%v: %v, want %v", scores, got, want)
		}
	}
}

func TestDiscounts(t *testing.T) {
	for i, d := range discounts {
		if want := 1 / math.Log2(float64(i)+2); math.Abs(d-want) > 1e-15 {
			t.Errorf("rank %d: %v, want %v", i+1, d, want)
		}
	}
}
