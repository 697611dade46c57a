package model

import (
	"math"
	"slices"
)

// Head is what a checkpoint computes from the encoder's last hidden state. Devices pool; the
// steps are the same for all of them. The processor runs them in float32 (package
// kernels/cpu), whatever the device and its precision are: in half, close scores would tie.
type Head struct {
	Pool  []Pooling // what it reads of a sequence; several rows are put side by side
	Steps []Step    // what it does with that, one after the other
	// SkipPrompt says that pooling leaves out [CLS] and the tokens of a prompt, where there is
	// one. Then PoolMax is not in Pool.
	SkipPrompt bool
}

// Step is one step of a head on a row: the one of the following that is set.
type Step struct {
	Dense *Linear // W·x + b; without b if that is nil
	// Around is a residual connection around steps f: f(x) + x, or f(x) + W·x with a Dense.
	Around []Step
	Act    func(x float64) float64 // of each value
	Norm   *Norm                   // LayerNorm, with Eps
	Eps    float64
	Unit   bool // x/max(‖x‖, 1e-12)
	Cut    int  // only that many values are kept, the first ones
}

// Unscaled returns the head without its last step, if that makes results of length 1; a step
// after it that keeps the first values stays. Otherwise it returns the head as it is.
func (h Head) Unscaled() Head {
	if i := h.LastUnit(); i >= 0 {
		h.Steps = slices.Delete(slices.Clone(h.Steps), i, i+1)
	}
	return h
}

// LastUnit is the index of the step that Unscaled leaves out, or -1.
func (h *Head) LastUnit() int {
	for i := len(h.Steps) - 1; i >= 0; i-- {
		switch s := &h.Steps[i]; {
		case s.Unit:
			return i
		case s.Cut == 0:
			return -1
		}
	}
	return -1
}

// Row applies a step that is neither Dense nor Around to a row, in place, and returns what is left of it.
func (s *Step) Row(x []float64) []float64 {
	switch {
	case s.Cut > 0:
		return x[:s.Cut]
	case s.Norm != nil:
		s.Norm.row(x, s.Eps)
	case s.Unit:
		squares := 0.0
		for _, v := range x {
			squares += v * v
		}
		// Like sentence-transformers: a row of zeros stays one.
		size := max(math.Sqrt(squares), 1e-12)
		for i := range x {
			x[i] /= size
		}
	default:
		for i, v := range x {
			x[i] = s.Act(v)
		}
	}
	return x
}

// Apply64 returns what the steps make of rows x, in float64: what all faster ways are compared
// with. It may change x.
func (h *Head) Apply64(x []float64, rows int) []float64 {
	for i := range h.Steps {
		s := &h.Steps[i]
		if s.Around != nil {
			x = s.around64(x, rows)
			continue
		}
		if s.Dense != nil {
			x = apply(*s.Dense, x)
			continue
		}
		var next []float64
		for r, width := 0, len(x)/max(rows, 1); r < rows; r++ {
			next = append(next, s.Row(x[r*width:][:width])...)
		}
		x = next
	}
	return x
}

// around64 is Apply64 for a residual connection.
func (s *Step) around64(x []float64, rows int) []float64 {
	inner := Head{Steps: s.Around}
	y := inner.Apply64(slices.Clone(x), rows)
	if s.Dense != nil {
		x = apply(*s.Dense, x)
	}
	for i, v := range x {
		y[i] += v
	}
	return y
}

// Out returns the values of a result, where Pool makes rows of that width.
func (h *Head) Out(width int) int {
	for i := range h.Steps {
		if s := &h.Steps[i]; s.Dense != nil { // around others, it makes as many as they do
			width = s.Dense.W.Shape()[0]
		} else if s.Cut > 0 {
			width = s.Cut
		}
	}
	return width
}
