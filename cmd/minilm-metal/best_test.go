package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The best k are the first k of all in order, whatever comes in whatever order: few scores
// make many ties.
func TestBest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	scores := []float32{-1, 0, float32(math.Copysign(0, -1)), 1, 2, float32(math.Inf(1)), -3e38}
	for n := range 60 {
		var in []passage
		for i := range n {
			in = append(in, passage{index: i, score: scores[r.IntN(len(scores))]})
		}
		want := slices.Clone(in)
		slices.SortStableFunc(want, func(a, b passage) int {
			switch {
			case a.score > b.score:
				return -1
			case a.score < b.score:
				return 1
			}
			return 0
		})
		for _, k := range []int{0, 1, 2, 7, 59, 100} {
			kept := best{k: k}
			for i, p := range in {
				kept.add(p)
				if most := min(i+1, k); k > 0 && len(kept.kept) != most {
					t.Fatalf("the best %d of %d are %d", k, i+1, len(kept.kept))
				}
			}
			first := want
			if k > 0 {
				first = want[:min(k, n)]
			}
			if got := kept.sorted(); !slices.EqualFunc(got, first, func(a, b passage) bool { return a.index == b.index }) {
				t.Errorf("the best %d of %v are %v, want %v", k, in, got, first)
			}
		}
	}
}
