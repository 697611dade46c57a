package serve

import (
	"context"
	"slices"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// embedIDs makes vectors of texts that came as token ids. Special tokens go around them, unless
// they are there already, and they are cut as texts are.
func (m *served) embedIDs(ctx context.Context, q *question, a *answer) ([]float32, error) {
	if m.info.DefaultPrompt != "" {
		return nil, about("input", invalid, "model %q puts a prompt before each text, and cannot before token ids: send text", m.Name)
	}
	around, err := m.Engine.Tokenizer().EncodeText("")
	if err != nil {
		return nil, err
	}
	first, last := around.IDs[0], around.IDs[1]
	var b model.Batch
	for i, ids := range q.ids {
		if f := m.known(i, ids); f != nil {
			return nil, f
		}
		if n := len(ids); n >= 2 && ids[0] == first && ids[n-1] == last {
			ids = ids[1 : n-1]
		}
		a.lengths = append(a.lengths, len(ids)+2)
		if ids, err = m.fit(q, ids); err != nil {
			return nil, &engine.TextError{Index: i, Err: err}
		}
		ids = slices.Concat([]int32{first}, ids, []int32{last})
		b.Append(ids, make([]int32, len(ids)))
	}
	return m.Engine.EmbedTokens(ctx, nil, &b, append(q.length(), engine.StatsTo(&a.stats))...)
}

// known returns a failure that names the first id that is none of the vocabulary's.
func (m *served) known(i int, ids []int32) *failure {
	for k, id := range ids {
		if n := m.Engine.Tokenizer().VocabSize(); id < 0 || int(id) >= n {
			return about("input", badValue, "text %d, token %d: id %d is none of the %d of model %q: send text, or ids of this model's own tokenizer", i, k, id, n, m.Name)
		}
	}
	return nil
}

// fit cuts the ids of a text to what the question allows, the two special tokens included.
func (m *served) fit(q *question, ids []int32) ([]int32, error) {
	limit := m.limit(q)
	over := len(ids) + 2 - limit
	side := m.Engine.Tokenizer().Truncation().Side
	if q.side != nil {
		side = *q.side
	}
	switch {
	case over <= 0:
		return ids, nil
	case q.uncut:
		return nil, &engine.TooLongError{Tokens: len(ids) + 2, Limit: limit}
	case side == tokenizer.TruncateLeft:
		return ids[over:], nil
	}
	return ids[:len(ids)-over], nil
}
