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
	// mostWidth is what a simdgroup keeps of a row in registers: norm.metal's QUADS.
	mostWidth = 1024
	// rowSlack is how many rows are behind the last live one: those of a whole tile,
	// and those that attention reads beside it.
	rowSlack = 64
)

// headSizes are those that the attention kernels are made for. Heads are padded to
// the next.
var headSizes = []int{32, 64, 128}

// layout is the model's sizes, and what they are padded to so that tiles fit. What
// is padded is zero: weights, biases, gains, and so activations.
type layout struct {
	config   model.Config
	width    int // of a row of the hidden state: hidden, padded
	heads    int // padded
	headSize int // padded
	inner    int // of the feed-forward: intermediate, padded
}

// newLayout pads c's sizes to multiples of columns, which is what the tiles' widths
// all divide.
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

// context is the width of what the heads find.
func (l *layout) context() int { return l.heads * l.headSize }

// rows returns how many rows buffers have for n live ones.
func rowsFor(n int) int { return roundUp(n, rowSlack) + rowSlack }

// constants are the function constants of the shaders, in the order of their
// indices. Every pipeline is given all of them; what it does not use is zero.
type constants struct {
	hidden, width, heads int
	eps                  float32
	mapped               bool
	in, stride, first    int
	gelu, add, gather    bool
}

// constantNames are the names that the shaders have for them.
var constantNames = []string{"HIDDEN", "WIDTH", "HEADS", "EPS", "MAPPED", "IN", "STRIDE", "FIRST", "GELU", "ADD", "GATHER"}

func (c *constants) list() []gpu.Constant {
	values := []any{uint32(c.hidden), uint32(c.width), uint32(c.heads), c.eps, c.mapped,
		uint32(c.in), uint32(c.stride), uint32(c.first), c.gelu, c.add, c.gather}
	all := make([]gpu.Constant, len(values))
	for i, v := range values {
		all[i] = gpu.Constant{Index: i, Value: v}
	}
	return all
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
