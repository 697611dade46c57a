package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/minilm-metal/minilm-metal/testdata"
)

// leastTolerance is what a score may be off in any precision where nothing is known of
// it: what float32 engines differ by.
const leastTolerance = 1e-4

// deviations is how far off the scores of a precision are on average, in standard
// deviations of them: the largest of the figures in the README's table of precisions, of
// trained weights and of two synthetic models. float32 and float64 are not here:
// published scores have tolerances, which are float32's.
var deviations = map[string]float64{"bf16x3": 9.8e-5, "f16": 0.0057, "bf16": 0.066, "int8": 0.031}

// worst is how many times the average the largest of some fifty distances is: three times
// where they are about normal, and a little for the weights, whose rounding is more or
// less lucky from model to model.
const worst = 4

// verdict compares scores with published ones.
type verdict struct {
	published []testdata.PublishedScore
	logits    []float32
	distances []float64 // of each score
	allowed   []float64

	off     int     // scores that are farther off than is allowed
	largest float64 // distance

	// Orders are of two passages of one query with different scores.
	orders, swapped int
	wrong           int // swapped ones of scores that are farther apart than either may be off
}

func judge(published []testdata.PublishedScore, logits []float32, precision string) *verdict {
	v := &verdict{published: published, logits: logits}
	share := worst * deviations[precision] * spread(published)
	for i, s := range published {
		ours := float64(logits[i])
		if s.Activation == "sigmoid" {
			ours = sigmoid(ours)
		}
		distance, allowed := math.Abs(ours-s.Score), allowedOf(s, share)
		if !(distance <= allowed) { // NaN is off too
			v.off++
		}
		v.largest = max(v.largest, distance)
		v.distances, v.allowed = append(v.distances, distance), append(v.allowed, allowed)
	}
	v.order()
	return v
}

// spread is the standard deviation of the published logits, or their size where they are
// too few to tell.
func spread(published []testdata.PublishedScore) float64 {
	const few = 8
	var n, mean, square float64
	for _, s := range published {
		if s.Activation != "sigmoid" {
			n, mean, square = n+1, mean+s.Score, square+s.Score*s.Score
		}
	}
	if n == 0 {
		return 1
	}
	mean, square = mean/n, square/n
	if n < few {
		return math.Sqrt(square)
	}
	return math.Sqrt(max(0, square-mean*mean))
}

// allowedOf is how far off a score may be whose logit may be off by share.
func allowedOf(s testdata.PublishedScore, share float64) float64 {
	known := s.Tolerance
	if known == 0 {
		known = leastTolerance
	}
	if s.Activation == "sigmoid" && share > 0 {
		logit := math.Log(s.Score / (1 - s.Score))
		share = max(sigmoid(logit+share)-s.Score, s.Score-sigmoid(logit-share))
	}
	return max(known, share)
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// order counts the orders of each query's passages, which is what a reranker is for.
// Scores by sigmoid are of pairs that are there as logits, too.
func (v *verdict) order() {
	for i, a := range v.published {
		for j, b := range v.published[:i] {
			if a.Query != b.Query || a.Score == b.Score || a.Activation == "sigmoid" || b.Activation == "sigmoid" {
				continue
			}
			v.orders++
			if (v.logits[i] > v.logits[j]) == (a.Score > b.Score) && v.logits[i] != v.logits[j] {
				continue
			}
			v.swapped++
			if math.Abs(a.Score-b.Score) > max(v.allowed[i], v.allowed[j]) {
				v.wrong++
			}
		}
	}
}

// write writes each score, which is called what it is, beside ours, and the sums.
func (v *verdict) write(w io.Writer, called string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, called+"\tours\tdistance\tallowed\tverdict\t  pair")
	for i, s := range v.published {
		ours, said := float64(v.logits[i]), "ok"
		if s.Activation == "sigmoid" {
			ours = sigmoid(ours)
		}
		if !(v.distances[i] <= v.allowed[i]) {
			said = "off"
		}
		fmt.Fprintf(t, "%.6f\t%.6f\t%.1e\t%.0e\t%s\t  %s\n", s.Score, ours, v.distances[i], v.allowed[i], said,
			shorten(s.Query, 28)+" | "+shorten(s.Passage, 36))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of %d %s scores are met; the largest distance is %.2g.\n"+
		"%d of %d orders of a query's passages are swapped, %d of them of scores farther apart than is allowed.\n",
		len(v.published)-v.off, len(v.published), called, v.largest, v.swapped, v.orders, v.wrong)
	return err
}
