package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/agreement"
)

const (
	// accuracyPairs is how many pairs the gate scores, if there is time: the float64
	// reference takes a third of a second for an average pair.
	accuracyPairs = 24
	// With fewer than fewPairs pairs, the logits' standard deviation means little.
	fewPairs = 8
	// topMost is the largest k of top-k agreement; k is at most a third of the pairs.
	topMost = 10
)

// ErrInaccurate is in the error of a run whose scores are too far from the reference. No
// speed is reported for wrong scores.
var ErrInaccurate = errors.New("bench: scores too far from the float64 reference")

// tolerances has the limits for each precision, as shares of the logits' standard
// deviation, which is the scale that matters for a ranking.
//
// The error of a logit has two parts. One is the same for all pairs, the
// [recording.Accuracy.Offset]. It does not change any order, but it shifts a score that is
// read as a probability or compared with a threshold. The other differs from pair to pair,
// the [recording.Accuracy.CentredError]. It reverses the order of pairs with close logits:
// about 0.39 times this share of all orders (1 % of the orders at 0.026).
//
// f64 and f32 do not round the weights further, so nothing excuses an offset: their mean
// error has the same limit as its parts. For f64 it is what rounding a score to float32
// leaves. For f32: a product of K terms in float32, summed in any order, has an error of
// about sqrt(K)·u relative to its terms, with u = 2^-24; K is 384 to 1536, so that is 1e-6
// to 2e-6. Six layers have about 36 such steps in a row, each renormalised by a LayerNorm,
// and independent errors add up as sqrt(36): 1e-5. Twice that is a defect.
//
// The others round the weights and the inputs of products, and keep the sums between the
// layers in float32. With trained weights (4,300 pairs of MS MARCO) their centred error is
// 0.009 for int8 and 0.0034 for bf16. With made-up weights, much of the error is offset:
// the mean effect of rounding the weights, which is 0.003 to 0.6 by chance. The centred
// error is then 0.015 to 0.03 for int8, 0.018 to 0.037 for bf16, and 0.0025 to 0.004 for
// f16 with products summed in float32. In the built-in synthetic model, one row in thirteen
// of each matrix has a weight eight times as large as the others, which makes int8's steps
// coarse, and its centred error is 0.08.
//
// So the limit for bf16's centred error is not quite twice its worst, which reverses 3 % of
// the orders, and that for int8 is 0.15, 6 %. Anything worse is a defect of ours. Anything
// better may still be too much for some uses; when the engine chooses a precision, it has a
// limit of its own. f16's limit of 0.03, 1 %, leaves room for sums in half precision. The
// limits of the offset catch what rounding does not explain. int8 rounds a weight by a
// share of its row's largest, and its limit is 1, more than chance has ever given; bf16 and
// f16 round a weight by a share of itself, and their limits are 0.3 and 0.03. Since |error|
// <= |error - offset| + |offset|, the limit of these three for the mean error is the sum of
// the two others. bf16x3 keeps 8 more bits than bf16 of everything that bf16 rounds, so
// each of its limits is a 256th.
var tolerances = map[string]recording.Tolerances{
	"f64":  {Tolerance: 1e-6, CentredTolerance: 1e-6, OffsetTolerance: 1e-6},
	"f32":  {Tolerance: 2e-5, CentredTolerance: 2e-5, OffsetTolerance: 2e-5},
	"f16":  {Tolerance: 0.06, CentredTolerance: 0.03, OffsetTolerance: 0.03},
	"bf16": {Tolerance: 0.375, CentredTolerance: 0.075, OffsetTolerance: 0.3},
	"int8": {Tolerance: 1.15, CentredTolerance: 0.15, OffsetTolerance: 1},

	// A server does not tell how it computes, and is held to the loosest of these.
	untold: {Tolerance: 1.15, CentredTolerance: 0.15, OffsetTolerance: 1},

	"bf16x3": {Tolerance: 1.5e-3, CentredTolerance: 3e-4, OffsetTolerance: 1.2e-3},
}

// checkAccuracy scores a sample of the workload with the measured engine and with the
// reference, and compares. It stops using the reference when limit is over; a limit of 0
// means none.
func checkAccuracy(ctx context.Context, measured, reference scorer, w *workload, limit time.Duration, progress func(done, total int)) (*recording.Accuracy, error) {
	precision := measured.Info().Precision
	allowed, ok := tolerances[precision]
	if !ok {
		return nil, fmt.Errorf("bench: accuracy: precision %q has no tolerances", precision)
	}
	sample := accuracySample(w.tokens, accuracyPairs)
	pairs := make([]engine.Pair, len(sample))
	for i, at := range sample {
		pairs[i] = w.pairs[at]
	}
	var (
		err   error
		want  []float32
		step  = max(reference.Info().Workers, 1)
		begun = time.Now()
	)
	for len(want) < len(pairs) && (len(want) < 2 || limit == 0 || time.Since(begun) < limit) {
		next := min(len(want)+step, len(pairs))
		if want, _, err = reference.ScoreStats(ctx, want, pairs[len(want):next]); err != nil {
			return nil, fmt.Errorf("bench: accuracy: reference: %w", err)
		}
		progress(len(want), len(pairs))
	}
	got, _, err := measured.ScoreStats(ctx, nil, pairs[:len(want)])
	if err != nil {
		return nil, fmt.Errorf("bench: accuracy: %w", err)
	}
	found := widen(got)
	if s, ok := measured.(scaler); ok {
		found = s.logits(found, widen(want))
	}
	a, broken := compareScores(found, widen(want), allowed)
	if !a.Passed {
		return a, fmt.Errorf("%w: %s over %d pairs: %s", ErrInaccurate, precision, a.Pairs, strings.Join(broken, "; "))
	}
	return a, nil
}

// accuracySample returns the indices of n pairs whose lengths are spread evenly over the
// workload's. The first few of them are spread as well (van der Corput order), so that a
// sample that is cut short has short and long pairs.
func accuracySample(tokens []int32, n int) []int {
	byLength := make([]int, len(tokens))
	for i := range byLength {
		byLength[i] = i
	}
	slices.SortStableFunc(byLength, func(a, b int) int { return cmp.Compare(tokens[a], tokens[b]) })
	n = min(n, len(tokens))
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Compare(bits.Reverse32(uint32(a)), bits.Reverse32(uint32(b)))
	})
	sample := make([]int, n)
	for i, part := range order {
		// The middle of the part-th of n equal parts.
		sample[i] = byLength[(2*part+1)*len(tokens)/(2*n)]
	}
	return sample
}

// compareScores compares got with want, pair by pair and as rankings. broken lists the
// limits that are exceeded, with the figures; it is empty if the gate is passed.
func compareScores(got, want []float64, allowed recording.Tolerances) (a *recording.Accuracy, broken []string) {
	a, broken = compareErrors(got, want, allowed)
	o := agreement.Count(got, want)
	a.KendallTau, a.FlippedOrders = o.Tau(), o.SwappedShare()
	a.TopK = max(1, min(topMost, len(want)/3))
	a.TopKAgreement = topAgreement(got, want, a.TopK)
	return a, broken
}

// compareErrors is compareScores without the rankings.
func compareErrors(got, want []float64, allowed recording.Tolerances) (a *recording.Accuracy, broken []string) {
	n := len(want)
	a = &recording.Accuracy{Pairs: n, Tolerances: allowed}
	offset, centred, mean, square := 0.0, 0.0, 0.0, 0.0
	for i := range want {
		e := got[i] - want[i]
		a.MaxError = max(a.MaxError, math.Abs(e))
		a.MeanError += math.Abs(e) / float64(n)
		offset += e / float64(n)
		mean += want[i] / float64(n)
		square += want[i] * want[i] / float64(n)
	}
	for i, x := range want {
		centred += math.Abs(got[i]-x-offset) / float64(n)
		a.LogitSD += float64((x - mean) * (x - mean))
	}
	if n > 1 {
		a.LogitSD = math.Sqrt(a.LogitSD / float64(n-1))
	}
	a.Offset, a.CentredError = &offset, &centred

	// One pair has no standard deviation, and that of a few is random. Then the scale is
	// the size of the logits.
	scale, name := a.LogitSD, "standard deviation"
	if size := math.Sqrt(square); n < fewPairs && size > scale {
		scale, name = size, "size"
	}
	for _, limit := range []struct {
		name       string
		off, share float64
	}{
		{"centred error", centred, allowed.CentredTolerance},
		{"|offset|", math.Abs(offset), allowed.OffsetTolerance},
		{"mean |error|", a.MeanError, allowed.Tolerance},
	} {
		if !(limit.off <= limit.share*scale) { // NaN exceeds the limit, too
			broken = append(broken, fmt.Sprintf("%s %.3g, allowed %.3g (%g of the logits' %s, %.3g)",
				limit.name, limit.off, limit.share*scale, limit.share, name, scale))
		}
	}
	a.Passed = len(broken) == 0
	return a, broken
}

// topAgreement returns the share of want's k highest scores that are among got's k highest.
func topAgreement(got, want []float64, k int) float64 {
	both := 0
	best := top(want, k)
	for _, i := range top(got, k) {
		if slices.Contains(best, i) {
			both++
		}
	}
	return float64(both) / float64(k)
}

// top returns the indices of the k highest scores, ties in input order.
func top(scores []float64, k int) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return order[:k]
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
