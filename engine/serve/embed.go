package serve

import (
	"context"
	"strings"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// unit is the module of an embedder that makes its vectors of length 1, as Info has it.
const unit = "normalize:"

// unitary reports whether the model makes vectors of length 1 by itself: whether that is the last
// that it does, since a vector of which the first values are kept is shorter.
func (m *served) unitary() bool {
	last := len(m.info.Modules) - 1
	return last >= 0 && strings.HasPrefix(m.info.Modules[last], unit)
}

// embed makes vectors.
func (m *served) embed(ctx context.Context, q *question, a *answer) (err error) {
	whole := m.info.Dimensions
	if q.dimensions > whole {
		return about("dimensions", invalid, "%d dimensions, and model %q has %d", q.dimensions, m.Name, whole)
	}
	if q.ids != nil {
		a.values, err = m.embedIDs(ctx, q, a)
	} else {
		a.values, err = m.Engine.Embed(ctx, nil, q.texts, append(q.options(&a.stats, &a.lengths), q.length()...)...)
	}
	if err != nil {
		return err
	}
	if a.width = whole; q.dimensions > 0 {
		a.width = q.dimensions
	}
	if a.width == whole && (q.long || m.unitary()) {
		return nil // they are the engine's, bit for bit
	}
	n := q.items()
	for i := range n {
		row := a.values[i*a.width:][:a.width]
		copy(row, a.values[i*whole:]) // in place: what is overwritten has moved already
		if !q.long {
			vectors.Normalize(row)
		}
	}
	a.values = a.values[:n*a.width]
	return nil
}

// length is the engine's option where vectors are to keep their length.
func (q *question) length() []engine.CallOption {
	if q.long {
		return []engine.CallOption{engine.Unnormalized()}
	}
	return nil
}
