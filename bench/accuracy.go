package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
)

const (
	// accuracyPairs is how many pairs the gate scores if time allows; the
	// float64 reference takes a third of a second for an average one.
	accuracyPairs = 24
	// fewPairs is where the logits' standard deviation starts to mean something.
	fewPairs = 8
	// topMost is the k of top-k agreement, where a third of the pairs is more.
	topMost = 10
)

// ErrInaccurate is in the error of a run whose scores are too far from the
// reference: of wrong scores no speed is told.
var ErrInaccurate = errors.New("bench: scores too far from the float64 reference")

// tolerances is the mean |error| that each precision is allowed, as a share of
// the logits' standard deviation, which is the scale on which a ranking lives.
//
// f32: one product of K terms in float32, summed in any order, is off by about
// sqrt(K)·u relative to its terms, u = 2^-24; K is 384 to 1536, so 1e-6 to 2e-6.
// Six layers have about 36 such steps in a row, each renormalised by a
// LayerNorm, and independent errors add as sqrt(36): 1e-5. PyTorch and ONNX
// Runtime measure 4e-6 to 1e-5; twice that is a defect.
//
// f16 and bf16 keep 11 and 8 bits where float32 keeps 24, of activations that
// are rounded at every step: PyTorch's bf16 measures 0.04 to 0.12 on the same
// models, and f16 has an eighth of its rounding. int8 with a scale for each row measures
// 0.21 at its best. Above these limits the order of passages starts to change
// in ways a reader of results would notice.
var tolerances = map[string]float64{
	"f64":  1e-6, // what rounding a score to float32 leaves
	"f32":  2e-5,
	"f16":  0.03,
	"bf16": 0.15,
	"int8": 0.25,
}

// checkAccuracy scores a sample of the workload by the measured engine and by
// the reference, and compares. It stops asking the reference once limit is
// over; limit 0 is no limit.
func checkAccuracy(ctx context.Context, measured, reference scorer, w *workload, limit time.Duration, progress func(done, total int)) (*Accuracy, error) {
	tolerance, ok := tolerances[measured.Info().Precision]
	if !ok {
		return nil, fmt.Errorf("bench: accuracy: precision %q has no tolerance", measured.Info().Precision)
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
	a := compareScores(widen(got), widen(want), tolerance)
	if !a.Passed {
		return a, fmt.Errorf("%w: mean |error| %.3g of logits with standard deviation %.3g, over %d pairs; %s allows %.3g of it",
			ErrInaccurate, a.MeanError, a.LogitSD, a.Pairs, measured.Info().Precision, tolerance)
	}
	return a, nil
}

// accuracySample returns the indices of n pairs whose lengths are spread evenly
// over the workload's. Any first few of them are spread too (van der Corput
// order), so that a sample that is cut short has short and long pairs.
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

// compareScores compares got with want, pair by pair and as rankings.
func compareScores(got, want []float64, tolerance float64) *Accuracy {
	n := len(want)
	a := &Accuracy{Pairs: n, Tolerance: tolerance, KendallTau: kendall(got, want)}
	mean, square := 0.0, 0.0
	for i := range want {
		e := math.Abs(got[i] - want[i])
		a.MaxError = max(a.MaxError, e)
		a.MeanError += e / float64(n)
		mean += want[i] / float64(n)
		square += want[i] * want[i] / float64(n)
	}
	for _, x := range want {
		a.LogitSD += (x - mean) * (x - mean)
	}
	if n > 1 {
		a.LogitSD = math.Sqrt(a.LogitSD / float64(n-1))
	}
	// One pair has no spread, and a few have one by chance: their logits' own
	// size is the scale then.
	scale := a.LogitSD
	if n < fewPairs {
		scale = max(scale, math.Sqrt(square))
	}
	a.Passed = a.MeanError <= tolerance*scale
	a.TopK = max(1, min(topMost, n/3))
	a.TopKAgreement = topAgreement(got, want, a.TopK)
	return a
}

// kendall returns Kendall's tau-b (Kendall 1945, "The treatment of ties in
// ranking problems"): pairs of items in the same order less those in opposite
// order, over the geometric mean of the pairs that x orders and that y orders.
// It is 1 for equal rankings, and 1 by convention where neither orders anything,
// 0 where one orders nothing. (gonum's stat.Kendall is tau-a, which falls below
// 1 for equal rankings with ties.)
func kendall(x, y []float64) float64 {
	same, inX, inY := 0, 0, 0
	for i := range x {
		for j := range i {
			a, b := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			same += a * b
			inX += a * a
			inY += b * b
		}
	}
	if inX == 0 && inY == 0 {
		return 1
	}
	if inX == 0 || inY == 0 {
		return 0
	}
	return float64(same) / math.Sqrt(float64(inX)*float64(inY))
}

// topAgreement returns the share of want's k highest that are among got's.
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
