package serve

import (
	"context"
	"errors"
	"slices"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// onlyLabel is what transformers call a model's only label where its files have no name for it.
const onlyLabel = "LABEL_0"

// labels are the names of what classify gives.
func (m *served) labels() []string {
	if m.does == scoring {
		return []string{onlyLabel}
	}
	return m.info.Labels
}

// classify gives a value for each label of each sequence. Single texts and pairs are two calls
// of the engine.
func (m *served) classify(ctx context.Context, q *question, a *answer) error {
	a.width = len(m.labels())
	a.values, a.lengths = make([]float32, len(q.sequences)*a.width), make([]int, len(q.sequences))
	for _, pairs := range []bool{false, true} {
		var of []int
		var texts []string
		var both []engine.Pair
		for i, s := range q.sequences {
			switch {
			case s.pair != pairs:
				continue
			case pairs:
				both = append(both, engine.Pair{Query: s.first, Passage: s.second})
			default:
				texts = append(texts, s.first)
			}
			of = append(of, i)
		}
		if len(of) == 0 {
			continue
		}
		var stats engine.CallStats
		var lengths []int
		values, err := m.values(ctx, q, texts, both, &stats, &lengths)
		if err != nil {
			return reindexed(err, of)
		}
		for k, i := range of {
			copy(a.row(i), values[k*a.width:])
			if k < len(lengths) {
				a.lengths[i] = lengths[k]
			}
		}
		addStats(&a.stats, &stats)
	}
	return nil
}

// values are those of single texts, or of pairs. The engine gives logits, whatever options it was
// opened with, and what is made of them is what it would make.
func (m *served) values(ctx context.Context, q *question, texts []string, pairs []engine.Pair, stats *engine.CallStats, lengths *[]int) (values []float32, err error) {
	opts := append(q.options(stats, lengths), engine.RawScores())
	if pairs == nil {
		if f := m.takesSingles(); f != nil {
			return nil, f
		}
	}
	switch {
	case m.does == classifying && pairs == nil:
		values, err = m.Engine.Classify(ctx, nil, texts, opts...)
	case m.does == classifying:
		values, err = m.Engine.ClassifyPairs(ctx, nil, pairs, opts...)
	case pairs == nil:
		var b *model.Batch
		if b, err = m.batch(ctx, q, texts, lengths); err == nil {
			values, err = m.Engine.ScoreTokens(ctx, nil, b, engine.StatsTo(stats), engine.RawScores())
		}
	default:
		values, err = m.Engine.Score(ctx, nil, pairs, opts...)
	}
	if err == nil && q.scale == sigmoid {
		m.probable(values)
	}
	return values, err
}

// takesSingles returns a failure if the model's files put other tokens around a single text than can be
// put there.
func (m *served) takesSingles() *failure {
	if err := m.Engine.Tokenizer().CheckText(); err != nil {
		return failed(invalid, "model %q takes pairs of texts, and no single ones: %v", m.Name, err)
	}
	return nil
}

// probable makes logits what they stand for: probabilities, but of a regression.
func (m *served) probable(logits []float32) {
	if m.does == scoring {
		squash(logits)
		return
	}
	of := model.Meaning{Final: m.info.Final}
	for row := range slices.Chunk(logits, len(m.labels())) {
		of.Apply(row)
	}
}

// batch makes the tokens of single texts for a cross-encoder, which is asked for pairs
// otherwise.
func (m *served) batch(ctx context.Context, q *question, texts []string, lengths *[]int) (*model.Batch, error) {
	t, err := m.cutting(q)
	if err != nil {
		return nil, err
	}
	b := new(model.Batch)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		before := len(b.IDs)
		b.IDs, b.Types, err = t.AppendText(b.IDs, b.Types, text)
		length := len(b.IDs) - before
		if err != nil || length == m.limit(q) { // it may have been cut
			length = t.TextLength(text)
		}
		if err != nil {
			return nil, &engine.TextError{Index: i, Err: &engine.TooLongError{Tokens: length, Limit: m.limit(q)}}
		}
		*lengths = append(*lengths, length)
		b.End()
	}
	return b, nil
}

// addStats adds what another call cost.
func addStats(s, more *engine.CallStats) {
	s.Pairs += more.Pairs
	s.Tokens += more.Tokens
	s.Padded += more.Padded
	s.FLOPs += more.FLOPs
	s.Passes += more.Passes
	s.Admit += more.Admit
	s.Queue += more.Queue
	s.Tokenize += more.Tokenize
	s.Overlapped += more.Overlapped
	s.Infer += more.Infer
	s.Pack += more.Pack
	s.Deliver += more.Deliver
	s.GPU += more.GPU
	s.GPUWait += more.GPUWait
}

// reindexed makes the index in an error that of a sequence of the question.
func reindexed(err error, of []int) error {
	if one := (*engine.TextError)(nil); errors.As(err, &one) {
		return &engine.TextError{Index: of[one.Index], Err: one.Err}
	}
	if one := (*engine.PairError)(nil); errors.As(err, &one) {
		return &engine.PairError{Index: of[one.Index], Err: one.Err}
	}
	return err
}
