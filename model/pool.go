package model

import (
	"fmt"
	"math"
	"slices"
)

// ReduceKind says how the rows of a sequence become one row.
type ReduceKind int

const (
	First ReduceKind = iota // the first row, [CLS]
	Last                    // the last row, [SEP]
	Max                     // the largest value of each channel
	Sum                     // Σ w·x over the rows, each with a weight of its own
	MaxOf                   // the largest of the rows whose weight is not 0; of none, -Inf
)

// Weighted reports whether the kind reads weights.
func (k ReduceKind) Weighted() bool { return k == Sum || k == MaxOf }

// Reduce is what a pass reads off the hidden state of each sequence: a row of hidden_size.
// The zero value is First.
type Reduce struct {
	Kind    ReduceKind
	Weights []float32 // T, one for each token, if Kind is Weighted
}

// Firsts reads the [CLS] rows, as the head of a cross-encoder does.
var Firsts = []Reduce{{Kind: First}}

// LastRows returns the rows that the last layer must compute so that a pass can end in these
// reductions.
func LastRows(p []Reduce) Rows {
	if slices.ContainsFunc(p, func(r Reduce) bool { return r.Kind != First }) {
		return AllRows
	}
	return ClsRows
}

// CheckPool returns an error if a pass over b, of which the hidden state has these rows of
// width channels, cannot end in the reductions and write them to size values. Devices call it
// first in Pool, so that all refuse the same.
func CheckPool(p []Reduce, b *Batch, kept Rows, width, size int) error {
	if want := b.Len() * len(p) * width; size != want {
		return fmt.Errorf("model: %d reductions of %d sequences make %d values, dst has %d", len(p), b.Len(), want, size)
	}
	for i, r := range p {
		switch {
		case r.Kind < First || r.Kind > MaxOf:
			return fmt.Errorf("model: reduction %d: kind %d, want First, Last, Max, Sum or MaxOf", i, r.Kind)
		case r.Kind != First && kept == ClsRows:
			return fmt.Errorf("model: reduction %d: kind %d of [CLS] rows alone, want First", i, r.Kind)
		case r.Kind.Weighted() && len(r.Weights) != b.Tokens():
			return fmt.Errorf("model: reduction %d: %d weights for %d tokens", i, len(r.Weights), b.Tokens())
		}
	}
	return nil
}

// Pooling is a way of making one row of a sequence, by the names of sentence-transformers.
// Special tokens count.
type Pooling int

const (
	PoolCls          Pooling = iota // the first row
	PoolMean                        // Σx/n over the n rows
	PoolMax                         // the largest value of each channel
	PoolMeanSqrt                    // Σx/√n
	PoolWeightedMean                // Σi·x/Σi, i counted from 1
	PoolLast                        // the last row
)

// Reductions appends to dst what a pass over b reads for these poolings: all kinds of means
// are sums whose weights differ. It reuses the memory of the weights of elements behind dst.
func Reductions(dst []Reduce, pool []Pooling, b *Batch) []Reduce {
	for _, p := range pool {
		dst = slices.Grow(dst, 1)[:len(dst)+1]
		r := &dst[len(dst)-1]
		switch p {
		case PoolCls:
			r.Kind = First
		case PoolLast:
			r.Kind = Last
		case PoolMax:
			r.Kind = Max
		default:
			r.Kind = Sum
			r.Weights = p.weights(r.Weights[:0], b)
		}
	}
	return dst
}

// Reductions is the function of that name for a head. prompts says how many of each sequence's
// tokens are [CLS] and a prompt's; nil means that there are no prompts.
//
// Where a head skips those, everything is a sum or a MaxOf, in which they have the weight 0, so
// that what is pooled of a sequence does not depend on which others are in the batch. As in
// sentence-transformers, if nothing else is left of a sequence, it is pooled to zeros, by PoolCls
// to the first row, and by PoolMax to -Inf; and PoolWeightedMean counts positions from [CLS] on.
func (h *Head) Reductions(dst []Reduce, b *Batch, prompts []int) []Reduce {
	if !h.SkipPrompt {
		return Reductions(dst, h.Pool, b)
	}
	for _, p := range h.Pool {
		dst = slices.Grow(dst, 1)[:len(dst)+1]
		r := &dst[len(dst)-1]
		if r.Kind, r.Weights = Sum, r.Weights[:0]; p == PoolMax {
			r.Kind = MaxOf
		}
		for s := range b.Len() {
			lo, hi := b.Bounds(s)
			skip := 0
			if prompts != nil {
				skip = min(prompts[s], hi-lo)
			}
			r.Weights = p.weightsAfter(r.Weights, skip, hi-lo)
		}
	}
	return dst
}

// weightsAfter appends the weights of a sequence of n tokens of which the first skip do not
// count.
func (p Pooling) weightsAfter(w []float32, skip, n int) []float32 {
	first := len(w)
	w = append(w, make([]float32, n)...)
	of, left := w[first:], float64(n-skip)
	switch p {
	case PoolCls:
		of[skip%n] = 1
		return w
	case PoolLast:
		if skip < n {
			of[n-1] = 1
		}
		return w
	}
	all := 0.0 // Σi
	for i := skip; i < n; i++ {
		all += float64(i + 1)
	}
	for i := skip; i < n; i++ {
		weight := 1 / left
		switch p {
		case PoolMax:
			weight = 1
		case PoolMeanSqrt:
			weight = 1 / math.Sqrt(left)
		case PoolWeightedMean:
			weight = float64(i+1) / all
		}
		of[i] = float32(weight)
	}
	return w
}

// weights appends the weight of each token.
func (p Pooling) weights(w []float32, b *Batch) []float32 {
	for s := range b.Len() {
		lo, hi := b.Bounds(s)
		w = p.weightsAfter(w, 0, hi-lo)
	}
	return w
}
