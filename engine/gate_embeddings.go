package engine

import (
	"math"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// embeddingBounds returns the allowance of a precision for embeddings.
//
// The measure is all-MiniLM-L6-v2 on 100 passages of MS MARCO, by 1 - cosine and by the orders
// of neighbours: bfloat16 loses 1.2e-5 and 0.17 % of ours, and in PyTorch 4.3e-5 and 0.31 %.
// Int8 loses 2.5e-4 and 0.75 % of ours, and in ONNX Runtime, quantized dynamically, 5.1e-3 and
// 3.7 % per channel, 4.4e-2 and 11 % per tensor. On the gate's random tokens ours loses about
// the same: 1.5e-5 and 0.24 %, 2.5e-4 and 0.81 %.
//
// A cosine may be off by 0.001 on average and 0.004 for one text, the same ratio as for
// scores: someone may compare embeddings with others that were made in float32, or with a
// threshold, and 0.001 is the last digit that is read. How much cosines differ among texts
// depends on the model: in some, all are between 0.7 and 1, and what the error does to a search
// is the share of orders. Of it 1.5 % may be swapped, at which a twentieth of the ten nearest
// neighbours is lost, half of what int8 elsewhere does; bfloat16 and half may swap 3 %, as of
// scores.
func embeddingBounds(precision string) allowance {
	a := allowance{Mean: 0.001, Worst: 0.004, Swapped: 0.03}
	if precision == kernels.Int8.String() {
		a.Swapped = 0.015
	}
	return a
}

// embeddingDeviation compares embeddings with the expected ones of the same texts.
func embeddingDeviation(got, want []float32, width int) *Deviation {
	d := &Deviation{Of: ofEmbeddings}
	n := len(want) / width
	apart := 0.0 // the largest distance of two texts
	for i := range n {
		a, b := got[i*width:][:width], want[i*width:][:width]
		off := distance(a, b)
		d.Mean += off / float64(n)
		d.Worst = max(d.Worst, off)
		apart = max(apart, distance(b, want[:width]))
	}
	if apart == 0 {
		return beyondMeasure(ofEmbeddings)
	}
	d.Swapped = swappedNeighbours(cosines(got, width), cosines(want, width), n)
	return d.finite()
}

// distance is half the square of the distance of a from b, by the square of b's length. If
// both are of length 1 it is 1 minus their cosine, without the rounding of a difference of two
// numbers that are nearly equal. Both may be zero.
func distance(a, b []float32) float64 {
	var square, size float64
	for i, v := range b {
		e := float64(a[i]) - float64(v)
		square += e * e
		size += float64(v) * float64(v)
	}
	if square == 0 {
		return 0
	}
	return square / size / 2
}

// cosines returns those of all twos of embeddings, n×n. That to zero is 0.
func cosines(x []float32, width int) []float64 {
	n := len(x) / width
	all := make([]float64, n*n)
	for i := range n {
		a := x[i*width:][:width]
		for j := range i + 1 {
			sum := 0.0
			for k, v := range x[j*width:][:width] {
				sum += float64(a[k]) * float64(v)
			}
			all[i*n+j], all[j*n+i] = sum, sum
		}
	}
	length := make([]float64, n)
	for i := range length {
		if length[i] = math.Sqrt(all[i*n+i]); length[i] == 0 {
			length[i] = 1
		}
	}
	for i := range all {
		all[i] /= length[i/n] * length[i%n]
	}
	return all
}

// swappedNeighbours returns how often, over all texts i and any two others j and k, it is no
// longer the same one of j and k that is nearer to i, by the cosines of n texts. It is a share;
// a tie does not count.
func swappedNeighbours(got, want []float64, n int) float64 {
	swapped, all := 0, 0
	for i := range n {
		a, b := got[i*n:][:n], want[i*n:][:n]
		for j := range n {
			for k := range j {
				if i == j || i == k {
					continue
				}
				all++
				if reversed(a[j], a[k], b[j], b[k]) {
					swapped++
				}
			}
		}
	}
	return float64(swapped) / float64(max(all, 1))
}
