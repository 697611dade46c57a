package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/minilm-metal/minilm-metal/testdata"
)

// leastTolerance is how far off a score may be in any precision, even where nothing is
// known about it: float32 engines differ by this much.
const leastTolerance = 1e-4

// deviations says how far off the scores of a precision are on average, in standard
// deviations of the scores: the largest figure in the README's table of precisions, over
// trained weights and two synthetic models. float32 and float64 are not in it, since
// published scores come with tolerances for float32.
var deviations = map[string]float64{"bf16x3": 9.8e-5, "f16": 0.0057, "bf16": 0.066, "int8": 0.031}

// worst is the ratio of the largest of some fifty distances to their average. It is about
// three if they are normally distributed; the rest allows for weights, whose rounding
// varies from model to model.
const worst = 4

// cosineDistances says how far off the cosine of two texts' embeddings is on average: that of
// all-MiniLM-L6-v2, over all twos of 100 passages of MS MARCO. f16 and bf16x3 keep three and
// eight bits more than bf16, and were not measured.
var cosineDistances = map[string]float64{"bf16x3": 1.4e-6, "f16": 4.5e-5, "bf16": 3.6e-4, "int8": 1.6e-3}

// worstCosine is the ratio of the largest of those distances to their average, which is five
// and six, with room for other instructions.
const worstCosine = 8

// verdict is the comparison of scores with published ones.
type verdict struct {
	published []testdata.PublishedScore
	logits    []float32
	distances []float64 // one for each score
	allowed   []float64

	off     int     // how many scores are farther off than allowed
	largest float64 // the largest distance

	// The orders that are counted are of two passages of the same query with different
	// published scores.
	orders, swapped int
	wrong           int // swapped orders of scores that are farther apart than their tolerances explain
}

// scoreDistance returns how far off a logit may be in a precision.
func scoreDistance(published []testdata.PublishedScore, precision string) float64 {
	return worst * deviations[precision] * spread(published)
}

// judge compares scores with the published ones, from which a logit or similarity may be as
// far off as off says, beside what float32 engines differ by.
func judge(published []testdata.PublishedScore, logits []float32, off float64) *verdict {
	v := &verdict{published: published, logits: logits}
	for i, s := range published {
		ours := float64(logits[i])
		if s.Activation == "sigmoid" {
			ours = sigmoid(ours)
		}
		distance, allowed := math.Abs(ours-s.Score), allowedOf(s, off)
		if !(distance <= allowed) { // NaN counts as off, too
			v.off++
		}
		v.largest = max(v.largest, distance)
		v.distances, v.allowed = append(v.distances, distance), append(v.allowed, allowed)
	}
	v.order()
	return v
}

// spread returns the standard deviation of the published logits, or their size if there are
// too few of them.
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

// allowedOf returns how far off a score may be if its logit or similarity may be off by share.
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

// order counts the orders of each query's passages, which are what a reranker is for. It
// skips scores by sigmoid, since their pairs are also there as logits.
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

// write writes each given score beside ours, and the totals. The argument called names the
// column of the given scores.
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
