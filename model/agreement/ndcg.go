package agreement

import (
	"cmp"
	"math"
	"slices"
)

// NDCG is the normalised discounted cumulated gain of the first k of a query's passages, by
// score (Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques").
// The gain of a passage is its grade, as it is there; at rank r, from 1, it is divided by
// log2(r+1). The sum is divided by the largest that any k judged passages of the query could
// have: those that are scored, with these grades, and those that are not, whose grades are in
// unlisted. These are trec_eval's ndcg_cut and the figures of TREC's Deep Learning tracks. The
// gain 2^grade-1, which others use, gives other figures.
//
// Among passages with the same score there is no order, and the result is the mean over all
// of them (McSherry and Najork 2008). trec_eval puts such passages in the order of their
// names, the last one first.
//
// A query without a relevant passage has 0, as in trec_eval.
func NDCG(scores []float64, grades, unlisted []int, k int) float64 {
	best := 0.0
	for i, grade := range slices.SortedFunc(slices.Values(slices.Concat(grades, unlisted)), func(a, b int) int { return cmp.Compare(b, a) }) {
		if i == k || grade <= 0 {
			break
		}
		best += float64(grade) * discount(i)
	}
	if best == 0 {
		return 0
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	sum := 0.0
	for from := 0; from < min(k, len(order)); {
		// The passages from from to to have one score: each of their ranks has their mean gain.
		to, gain, weight := from, 0, 0.0
		for ; to < len(order) && scores[order[to]] == scores[order[from]]; to++ {
			gain += max(0, grades[order[to]])
			if to < k {
				weight += discount(to)
			}
		}
		if to == from { // NaN equals nothing, and has no rank
			break
		}
		sum += weight * float64(gain) / float64(to-from)
		from = to
	}
	return sum / best
}

// discount is what the gain at a rank, here from 0, counts.
func discount(rank int) float64 { return 1 / math.Log2(float64(rank)+2) }
