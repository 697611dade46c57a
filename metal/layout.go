package metal

import (
	"errors"
	"fmt"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// ErrModel is in every error about a model that the shaders do not fit.
var ErrModel = errors.New("metal: the model does not fit the shaders")

const (
	// mostWidth is the widest row that a simdgroup can keep in registers: norm.metal's
	// QUADS.
	mostWidth = 1024
	// rowSlack is how many rows of memory there must be behind the last live one: those
	// that fill up a tile, and those that attention reads beyond it.
	rowSlack = 64
)

// headSizes are the sizes of heads that the attention kernels exist for. Other heads are
// padded to the next size.
var headSizes = []int{32, 64, 128}

// layout is the model's sizes, padded so that tiles fit. The padding is zero: in weights,
// biases and gains, and therefore in activations.
type layout struct {
	config   model.Config
	width    int // of a row of the hidden state: the hidden size, padded
	heads    int // number of heads, padded
	headSize int // padded
	inner    int // the intermediate size of the feed-forward block, padded
}

// newLayout pads c's sizes to multiples of columns, which all tiles' widths divide.
func newLayout(c model.Config, columns int) (layout, error) {
	if min(c.Heads, c.HiddenSize, c.IntermediateSize, c.Layers) < 1 {
		return layout{}, fmt.Errorf("%w: %d layers, %d channels, %d heads, %d inner channels", ErrModel, c.Layers, c.HiddenSize, c.Heads, c.IntermediateSize)
	}
	l := layout{config: c, width: roundUp(c.HiddenSize, columns), inner: roundUp(c.IntermediateSize, columns)}
	for _, size := range headSizes {
		if c.HeadSize() <= size {
			l.headSize = size
			break
		}
	}
	if l.headSize == 0 {
		return layout{}, fmt.Errorf("%w: heads of %d channels, at most %d will do", ErrModel, c.HeadSize(), headSizes[len(headSizes)-1])
	}
	if l.width > mostWidth {
		return layout{}, fmt.Errorf("%w: %d channels (%d in whole tiles), at most %d will do", ErrModel, c.HiddenSize, l.width, mostWidth)
	}
	if most := 1 << 16; c.MaxPositions > most || c.TypeVocabSize > most {
		return layout{}, fmt.Errorf("%w: %d positions and %d types, at most %d will do", ErrModel, c.MaxPositions, c.TypeVocabSize, most)
	}
	for l.heads = c.Heads; l.heads*l.headSize%columns != 0; {
		l.heads++
	}
	return l, nil
}

// context returns the width of the context, which all heads of attention write together.
func (l *layout) context() int { return l.heads * l.headSize }

// rowsFor returns how many rows of memory buffers need for n live rows.
func rowsFor(n int) int { return roundUp(n, rowSlack) + rowSlack }

// constants are the shaders' function constants, in the order of their indices. Every
// pipeline gets all of them; those that it does not use are zero.
type constants struct {
	hidden, width, heads int
	eps                  float32
	mapped               bool
	in, stride, first    int
	gelu, add, gather    bool
	kind                 int // a model.ReduceKind
}

// constantNames are the constants' names in the shaders.
var constantNames = []string{"HIDDEN", "WIDTH", "HEADS", "EPS", "MAPPED", "IN", "STRIDE", "FIRST", "GELU", "ADD", "GATHER", "KIND"}

func (c *constants) list() []gpu.Constant {
	values := []any{uint32(c.hidden), uint32(c.width), uint32(c.heads), c.eps, c.mapped,
		uint32(c.in), uint32(c.stride), uint32(c.first), c.gelu, c.add, c.gather, uint32(c.kind)}
	all := make([]gpu.Constant, len(values))
	for i, v := range values {
		all[i] = gpu.Constant{Index: i, Value: v}
	}
	return all
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
