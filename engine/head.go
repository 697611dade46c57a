package engine

import (
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// head makes results of the rows that passes have pooled: for each sequence its rows side by
// side. It may be used by several goroutines, each with memory of its own.
type head interface {
	Run(memory *cpu.HeadMemory, dst, x []float32)
}

// useHead makes the head ready for the processor's instruction set. All devices have the same
// head, so that a score differs only by what they pool.
func (e *Engine) useHead(isa kernels.ISA) {
	h := cpu.NewHead(&e.weights.Head, e.info.Config.HiddenSize, isa)
	e.head, e.unscaled = h, h.Without(e.weights.Head.LastUnit())
}

// flops returns the floating-point operations of the encoder for a sequence of n tokens: those
// that the device's kernels count, too.
func (e *Engine) flops(n int) int64 { return e.info.Config.FLOPs(n, e.last) }

// exactHead runs a head in float64, for the reference.
type exactHead struct {
	*model.Head
	width int // the hidden size
}

func (h exactHead) Run(_ *cpu.HeadMemory, dst, x []float32) {
	exact := make([]float64, len(x))
	for i, v := range x {
		exact[i] = float64(v)
	}
	for i, v := range h.Apply64(exact, len(x)/(h.width*len(h.Pool))) {
		dst[i] = float32(v)
	}
}
