package vectors

import (
	"fmt"
	"math"
)

// Similarity is a way to compare two embeddings, by the name that sentence-transformers has for
// it in a model's similarity_fn_name.
type Similarity string

// The larger, the more alike: the two distances are negative.
const (
	Cosine    Similarity = "cosine"    // from -1 to 1: the dot product of both at unit length
	Dot       Similarity = "dot"       // the dot product
	Euclidean Similarity = "euclidean" // minus the Euclidean distance
	Manhattan Similarity = "manhattan" // minus the sum of the distances in each dimension
)

// ParseSimilarity returns the similarity with that name; "" is Cosine, as in the library.
func ParseSimilarity(name string) (Similarity, error) {
	switch s := Similarity(name); s {
	case "":
		return Cosine, nil
	case Cosine, Dot, Euclidean, Manhattan:
		return s, nil
	}
	return "", fmt.Errorf("vectors: no similarity %.80q, want cosine, dot, euclidean or manhattan", name)
}

// Of compares two embeddings of the same width. It sums in float64, so that the result does
// not depend on the machine; an embedding of zeros has cosine 0 with all. It panics if
// the widths differ, or if s is none of the four.
func (s Similarity) Of(a, b []float32) float32 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("vectors: a similarity of %d and %d values", len(a), len(b)))
	}
	sum := 0.0
	switch s {
	case Cosine:
		return float32(dot(a, b) / (max(length(a), shortest) * max(length(b), shortest)))
	case Dot:
		return float32(dot(a, b))
	case Euclidean:
		for i := range a {
			d := float64(a[i]) - float64(b[i])
			sum += float64(d * d) // the conversion keeps a processor from fusing both
		}
		sum = math.Sqrt(sum)
	case Manhattan:
		for i := range a {
			sum += math.Abs(float64(a[i]) - float64(b[i]))
		}
	default:
		panic(fmt.Sprintf("vectors: no similarity %q", string(s)))
	}
	return 0 - float32(sum) // not -0 where both are the same
}

// shortest is what the length of a vector counts as at least, where it is divided by.
const shortest = 1e-12

// Normalize makes v of length 1, in place. A vector shorter than 1e-12 is divided by 1e-12, so
// that zeros stay zeros.
func Normalize(v []float32) {
	by := max(length(v), shortest)
	for i := range v {
		v[i] = float32(float64(v[i]) / by)
	}
}

func length(v []float32) float64 { return math.Sqrt(dot(v, v)) }

// dot returns the sum of the products, each of which is exact in float64.
func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i]) // exact, so that fusing changes nothing
	}
	return sum
}
