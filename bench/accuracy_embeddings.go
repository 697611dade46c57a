package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/agreement"
)

const (
	// nearest is how many neighbours of a text are compared, among neighbourTexts texts, which
	// float32 embeds, too. With fewer than fewestNeighbours texts nearly all are near.
	nearest          = 10
	neighbourTexts   = 256
	fewestNeighbours = 3 * nearest
	neighbourStep    = 32 // texts in a call

	// fewestEmbeddings of the reference are waited for: fewer have no neighbours to speak of.
	fewestEmbeddings = 4
)

// allowedDistance is the limit of the mean distance, 1 minus the cosine, of embeddings from the
// reference's. An error of a share e of an embedding's length, in any direction but its own,
// turns it by the angle e, whose cosine is 1 - e²/2; and e has the limit of a score's error at
// that precision. (The limit of bf16 is then 0.0028; the worst that is known of ours is a tenth
// of that.)
func allowedDistance(t recording.Tolerances) float64 {
	return t.CentredTolerance * t.CentredTolerance / 2
}

// checkEmbeddings is checkAccuracy for embeddings: a sample of the texts against the reference,
// then the neighbours among more texts against float32, which is thousands of times nearer to the
// reference than the other precisions are to it. It is for a limit of time, 0 for none.
func (s *session) checkEmbeddings(ctx context.Context, measured, reference scorer, w *workload, limit time.Duration, progress func(done, total int)) (*recording.Accuracy, error) {
	precision := measured.Info().Precision
	allowed, ok := tolerances[precision]
	if !ok {
		return nil, fmt.Errorf("bench: accuracy: precision %q has no tolerances", precision)
	}
	pairs := pick(w.pairs, accuracySample(w.tokens, accuracyPairs))
	want, n, err := embedUntil(ctx, reference, pairs, max(reference.Info().Workers, 1), fewestEmbeddings, limit/2, progress)
	if err != nil {
		return nil, fmt.Errorf("bench: accuracy: reference: %w", err)
	}
	got, _, err := measured.ScoreStats(ctx, nil, pairs[:n])
	if err != nil {
		return nil, fmt.Errorf("bench: accuracy: %w", err)
	}
	a, broken := compareEmbeddings(widen(got), widen(want), n, allowed)
	if a.Embeddings.Neighbours, err = s.neighbours(ctx, measured, w, limit/2); err != nil {
		return nil, err
	}
	if !a.Passed {
		return a, fmt.Errorf("%w: %s over %d texts: %s", ErrInaccurate, precision, a.Pairs, strings.Join(broken, "; "))
	}
	return a, nil
}

func pick(pairs []engine.Pair, at []int) (out []engine.Pair) {
	for _, i := range at {
		out = append(out, pairs[i])
	}
	return out
}

// embedUntil embeds the first n texts, step of them in a call: at least least, and then until
// limit is over, unless that is 0.
func embedUntil(ctx context.Context, e scorer, pairs []engine.Pair, step, least int, limit time.Duration, progress func(done, total int)) (values []float32, n int, err error) {
	begun := time.Now()
	for n < len(pairs) && (n < least || limit == 0 || time.Since(begun) < limit) {
		next := min(n+step, len(pairs))
		if values, _, err = e.ScoreStats(ctx, values, pairs[n:next]); err != nil {
			return nil, n, err
		}
		n = next
		progress(n, len(pairs))
	}
	return values, n, nil
}

// exactTexts are texts with their embeddings in float32.
type exactTexts struct {
	pairs  []engine.Pair
	values []float32
}

// neighbours compares the nearest neighbours of texts in the measured engine with those in
// float32; nil for float32 itself, and where the data set or the time is too short.
func (s *session) neighbours(ctx context.Context, measured scorer, w *workload, limit time.Duration) (*recording.Neighbours, error) {
	const exact = "f32"
	info := measured.Info()
	if info.Device == "reference" || info.Device == "cpu" && info.Precision == exact {
		return nil, nil
	}
	if s.exact == nil { // once, for all precisions of a sweep
		e, err := s.open("cpu", exact)
		if err != nil {
			return nil, fmt.Errorf("bench: accuracy: neighbours: %w", err)
		}
		x := &exactTexts{pairs: distinct(pick(w.pairs, accuracySample(w.tokens, neighbourTexts)))}
		var n int
		x.values, n, err = embedUntil(ctx, e, x.pairs, neighbourStep, 0, limit, func(done, total int) { s.Progress("accuracy: neighbours", done, total) })
		x.pairs = x.pairs[:n]
		if err := errors.Join(err, e.Close()); err != nil {
			return nil, fmt.Errorf("bench: accuracy: neighbours: %w", err)
		}
		s.exact = x
	}
	n := len(s.exact.pairs)
	if n < fewestNeighbours {
		return nil, nil
	}
	got, _, err := measured.ScoreStats(ctx, nil, s.exact.pairs)
	if err != nil {
		return nil, fmt.Errorf("bench: accuracy: neighbours: %w", err)
	}
	return &recording.Neighbours{Texts: n, K: nearest, Reference: exact,
		Overlap: neighbourOverlap(cosines(widen(got), n), cosines(widen(s.exact.values), n), nearest)}, nil
}

// distinct leaves out texts that were there before: who is nearer than a copy is a matter of
// order.
func distinct(pairs []engine.Pair) []engine.Pair {
	seen := map[engine.Pair]bool{}
	return slices.DeleteFunc(pairs, func(p engine.Pair) bool {
		before := seen[p]
		seen[p] = true
		return before
	})
}

// compareEmbeddings compares n embeddings with the reference's: their directions, and the
// cosines between them as [recording.Accuracy] has them. broken lists the limits that are
// exceeded, with the figures.
func compareEmbeddings(got, want []float64, n int, allowed recording.Tolerances) (a *recording.Accuracy, broken []string) {
	x, y := cosines(got, n), cosines(want, n)
	var ours, theirs []float64
	for i := range n {
		ours, theirs = append(ours, x[i][:i]...), append(theirs, y[i][:i]...)
	}
	k := min(max(1, min(nearest, n/3)), n-1) // 0 of a text that is alone: it has no neighbours
	a, broken = compareErrors(ours, theirs, allowed)
	a.Pairs, a.TopK, a.TopKAgreement = n, k, neighbourOverlap(x, y, k)
	a.KendallTau, a.FlippedOrders = neighbourOrders(x, y)

	far := &recording.Embeddings{AllowedDistance: allowedDistance(allowed)}
	for i, d := range distances(got, want, n) {
		if math.IsNaN(d) { // the worst that there is, and not lost among maxima
			d = 2
		}
		far.MeanDistance += (d - far.MeanDistance) / float64(i+1)
		far.WorstDistance = max(far.WorstDistance, d)
	}
	if !(far.MeanDistance <= far.AllowedDistance) {
		broken = append(broken, fmt.Sprintf("mean distance (1 - cosine) of the embeddings %.3g, allowed %.3g", far.MeanDistance, far.AllowedDistance))
	}
	a.Embeddings, a.Passed = far, len(broken) == 0
	return a, broken
}

// units returns n embeddings of length 1. One of zeros stays as it is.
func units(values []float64, n int) (out [][]float64) {
	each := len(values) / n
	for i := range n {
		v := slices.Clone(values[i*each : (i+1)*each])
		square := 0.0
		for _, x := range v {
			square += float64(x * x)
		}
		if square > 0 {
			length := math.Sqrt(square)
			for j := range v {
				v[j] /= length
			}
		}
		out = append(out, v)
	}
	return out
}

// cosines returns those between n embeddings, each with each.
func cosines(values []float64, n int) [][]float64 {
	u := units(values, n)
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
	}
	for i := range out {
		for j := range i + 1 {
			dot := 0.0
			for k, x := range u[i] {
				dot += float64(x * u[j][k])
			}
			out[i][j], out[j][i] = dot, dot
		}
	}
	return out
}

// distances returns 1 minus the cosine of each embedding with its other: as half the square of
// the distance of the ends of two unit vectors, which small angles do not cancel out of.
func distances(got, want []float64, n int) (out []float64) {
	u, v := units(got, n), units(want, n)
	for i := range u {
		square := 0.0
		for k, x := range u[i] {
			square += float64((x - v[i][k]) * (x - v[i][k]))
		}
		out = append(out, square/2)
	}
	return out
}

// neighbourOverlap returns the share of the k nearest texts of each text, itself left out, that
// two tables of cosines have in common.
func neighbourOverlap(x, y [][]float64, k int) float64 {
	sum := 0.0
	for i := range x {
		if k = min(k, len(x)-1); k > 0 {
			sum += topAgreement(others(x, i), others(y, i), k) / float64(len(x))
		}
	}
	return sum
}

// neighbourOrders returns, over all twos of neighbours of the same text, Kendall's tau-b, the
// mean over the texts, and the share of orders that are swapped.
func neighbourOrders(got, want [][]float64) (tau float64, swapped *float64) {
	orders, wrong := 0, 0
	for i := range got {
		o := agreement.Count(others(want, i), others(got, i))
		tau += o.Tau() / float64(len(got))
		orders, wrong = orders+o.InX, wrong+o.Swapped
	}
	share := float64(wrong) / float64(max(1, orders))
	return tau, &share
}

// others is row i of a table of cosines without the text itself.
func others(table [][]float64, i int) []float64 {
	return append(slices.Clone(table[i][:i]), table[i][i+1:]...)
}
