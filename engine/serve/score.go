package serve

import (
	"context"
	"slices"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// score scores pairs. The engine gives logits, so that they can be ranked; their sigmoids are
// those that it would give.
func (m *served) score(ctx context.Context, q *question, a *answer) error {
	pairs, err := m.clipped(ctx, q)
	if err != nil {
		return err
	}
	if a.values, err = m.Engine.Score(ctx, nil, pairs, append(q.options(&a.stats, &a.lengths), engine.RawScores())...); err != nil {
		return err
	}
	a.best = ranked(a.values, q.top)
	if a.scale = q.scale; a.scale == ofModel {
		a.scale = raw
		if m.info.Sigmoid {
			a.scale = sigmoid
		}
	}
	if a.scale == sigmoid {
		squash(a.values)
	}
	return nil
}

// squash makes logits their sigmoids, as the engine does.
func squash(logits []float32) {
	for i, v := range logits {
		logits[i] = model.SigmoidOf(v)
	}
}

// ranked returns the indices of the best scores, best first; all, if top is 0.
func ranked(scores []float32, top int) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	if top > 0 && top < len(order) {
		order = order[:top]
	}
	return order
}
