package cpu

import (
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/internal/reuse"
	"github.com/minilm-metal/minilm-metal/model"
)

// Head computes the steps of a model's head on the processor, in float32, from what any device
// has pooled. Products are those of package kernels; every other step is model.Step's, in
// float64 and rounded once. A result does not depend on other rows. It may be used by several
// goroutines.
type Head struct {
	isa     kernels.ISA
	in, out int // widths of a row and of a result
	steps   []headStep
}

// headStep is a step as it runs.
type headStep struct {
	model.Step
	packed *kernels.Matrix // a Dense of several outputs
	w, b   []float32       // a Dense of one, which is not packed: nearly all of a panel would be padding
	around *Head           // the steps of a residual connection
}

// HeadMemory is what a head needs while it runs. Whoever runs heads keeps one, so that running
// them allocates nothing; it serves one goroutine at a time.
type HeadMemory struct {
	in     kernels.Input
	rows   [2][]float32 // a step's input and its output, in turn
	exact  []float64    // one row
	short  []float32    // what a residual connection adds, if it is not the input itself
	around *HeadMemory  // of the steps in one
}

// NewHead copies and packs a head's weights for an instruction set. width is the hidden size.
func NewHead(h *model.Head, width int, isa kernels.ISA) *Head {
	return newHead(h, width*len(h.Pool), isa)
}

// newHead is NewHead for rows of that width.
func newHead(h *model.Head, width int, isa kernels.ISA) *Head {
	c := &Head{isa: isa, in: width}
	for i, s := range h.Steps {
		step := headStep{Step: s}
		if s.Around != nil {
			before := model.Head{Steps: h.Steps[:i]}
			step.around = newHead(&model.Head{Steps: s.Around}, before.Out(width), isa)
		}
		if d := s.Dense; d != nil {
			// Copies, because Pack may keep what it is given, and the file may change.
			w, b, out := slices.Clone(model.Float32s(d.W)), slices.Clone(d.Bias()), d.W.Shape()[0]
			if out > 1 {
				step.packed = kernels.Pack(w, b, out, d.W.Shape()[1], c.plain(), kernels.Inputs{})
			} else {
				step.w, step.b = w, b
			}
		}
		c.steps = append(c.steps, step)
	}
	c.out = h.Out(width)
	return c
}

// Without returns the head without the step of that index, which has no weights; for one below
// 0 it returns h. Both share their weights.
func (h *Head) Without(step int) *Head {
	if step < 0 {
		return h
	}
	c := *h
	c.steps = slices.Delete(slices.Clone(h.steps), step, step+1)
	return &c
}

func (h *Head) plain() kernels.Variant { return kernels.Variant{ISA: h.isa, Format: kernels.F32} }

// Out returns the number of values in a result.
func (h *Head) Out() int { return h.out }

// Run writes the results of rows x to dst, one after the other.
func (h *Head) Run(m *HeadMemory, dst, x []float32) {
	rows := len(x) / h.in
	dst, x = dst[:rows*h.out], x[:rows*h.in]
	for i := range h.steps {
		x = h.steps[i].run(h, m, &m.rows[i%2], x, rows)
	}
	copy(dst, x)
	m.in = kernels.Input{} // which may refer to the caller's rows
}

// run returns what the step makes of rows x, in memory that it may grow.
func (s *headStep) run(h *Head, m *HeadMemory, memory *[]float32, x []float32, rows int) []float32 {
	switch {
	case s.around != nil:
		*memory = reuse.Slice(*memory, rows*s.around.out)
		if m.around == nil {
			m.around = new(HeadMemory)
		}
		s.around.Run(m.around, *memory, x)
		if s.Dense != nil {
			x = s.dense(h, m, &m.short, x, rows)
		}
		for i, v := range x {
			(*memory)[i] += v
		}
	case s.Dense != nil:
		s.dense(h, m, memory, x, rows)
	default:
		width := len(x) / max(rows, 1)
		*memory, m.exact = reuse.Slice(*memory, len(x))[:0], reuse.Slice(m.exact, width)
		for r := 0; r < len(x); r += width {
			for i, v := range x[r:][:width] {
				m.exact[i] = float64(v)
			}
			for _, v := range s.Row(m.exact) {
				*memory = append(*memory, float32(v))
			}
		}
	}
	return *memory
}

// dense is run for the product alone.
func (s *headStep) dense(h *Head, m *HeadMemory, memory *[]float32, x []float32, rows int) []float32 {
	width := len(x) / max(rows, 1)
	if s.packed != nil {
		*memory = reuse.Slice(*memory, rows*s.packed.Out())
		m.in.Set(h.plain(), x, rows, width, width, kernels.Keep{})
		s.packed.Linear(*memory, &m.in, s.packed.Out())
	} else {
		*memory = reuse.Slice(*memory, rows*len(s.b))
		kernels.Linear(*memory, x, s.w, s.b, rows, width, len(s.b))
	}
	return *memory
}
