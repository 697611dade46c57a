package synth

import (
	"errors"
	"fmt"
)

// Shape is the sizes of a BERT cross-encoder. A field left zero takes the
// value of ms-marco-MiniLM-L-6-v2, given beside it.
type Shape struct {
	Layers       int // 6
	Hidden       int // 384
	Heads        int // 12
	Intermediate int // 1536
	Vocab        int // 30522
	Positions    int // 512
	Types        int // 2
	Labels       int // 1
}

// ErrShape is in every error about a Shape that no checkpoint can have.
var ErrShape = errors.New("synth: bad shape")

// maxParameters keeps a typing error from filling the memory: 2^30 float32 values are 4 GB,
// and BERT large has a third of them.
const maxParameters = 1 << 30

// Resolve replaces zero fields by their defaults and checks the result.
func (s Shape) Resolve() (Shape, error) {
	for _, f := range []struct {
		name     string
		value    *int
		standard int
		least    int
	}{
		{"layers", &s.Layers, 6, 1},
		{"hidden size", &s.Hidden, 384, 1},
		{"heads", &s.Heads, 12, 1},
		{"intermediate size", &s.Intermediate, 1536, 1},
		{"vocabulary", &s.Vocab, 30522, specialEntries},
		{"positions", &s.Positions, 512, 1},
		{"types", &s.Types, 2, 1},
		{"labels", &s.Labels, 1, 1},
	} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if *f.value < f.least || *f.value > 1<<24 {
			return s, fmt.Errorf("%w: %s %d, want %d to %d", ErrShape, f.name, *f.value, f.least, 1<<24)
		}
	}
	if s.Hidden%s.Heads != 0 {
		return s, fmt.Errorf("%w: hidden size %d is no multiple of %d heads", ErrShape, s.Hidden, s.Heads)
	}
	if n := s.parameters(); n > maxParameters {
		return s, fmt.Errorf("%w: %.0f parameters, want at most %d", ErrShape, n, maxParameters)
	}
	return s, nil
}

// parameters counts the weights in floating point, which cannot overflow and is exact up to
// 2^53.
func (s Shape) parameters() float64 {
	h, f := float64(s.Hidden), float64(s.Intermediate)
	embeddings := (float64(s.Vocab) + float64(s.Positions) + float64(s.Types) + 2) * h
	layer := 4*(h*h+h) + (h*f + f) + (f*h + h) + 4*h
	head := h*h + h + float64(s.Labels)*(h+1)
	return embeddings + float64(s.Layers)*layer + head
}
