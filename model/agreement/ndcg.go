package agreement

import (
	"cmp"
	"slices"
)

// NDCG is the normalised discounted cumulated gain of the first Depth of a query's passages, by
// score (Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques").
// The gain of a passage is its grade, as it is there; at rank r, from 1, it is divided by
// log2(r+1). The sum is divided by the largest that any Depth judged passages of the query could
// have: those that are scored, with these grades, and those that are not, whose grades are in
// unlisted. These are trec_eval's ndcg_cut and the figures of TREC's Deep Learning tracks. The
// gain 2^grade-1, which others use, gives other figures.
//
// Among passages with the same score there is no order, and the result is the mean over all
// of them (McSherry and Najork 2008). trec_eval puts such passages in the order of their
// names, the last one first.
//
// A query without a relevant passage has 0, as in trec_eval.
func NDCG(scores []float64, grades, unlisted []int) float64 {
	best := 0.0
	for i, grade := range slices.SortedFunc(slices.Values(slices.Concat(grades, unlisted)), func(a, b int) int { return cmp.Compare(b, a) }) {
		if i == Depth || grade <= 0 {
			break
		}
		best += float64(float64(grade) * discounts[i])
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
	for from := 0; from < min(Depth, len(order)); {
		// The passages from from to to have one score: each of their ranks has their mean gain.
		to, gain, weight := from, 0, 0.0
		for ; to < len(order) && scores[order[to]] == scores[order[from]]; to++ {
			gain += max(0, grades[order[to]])
			if to < Depth {
				weight += discounts[to]
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

// discounts are what the gain at each rank counts: 1/log2(rank+1). They are written down, and
// products are rounded before they are added, so that all processors compute the same digits.
var discounts = [Depth]float64{1, 0.6309297535714575, 0.5, 0.43067655807339306, 0.38685280723454163, 0.3562071871080222, 0.3333333333333333, 0.31546487678572877, 0.3010299956639812, 0.2890648263178879}
