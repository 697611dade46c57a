package serve

import (
	"context"

	"github.com/minilm-metal/minilm-metal/engine"
)

// answer is what the engine says to a question, before a dialect encodes it.
type answer struct {
	model *served
	// values are the results in the question's order, width of them for each item: a score, a
	// vector, or a value for each of the model's labels.
	values []float32
	width  int
	// best are the indices of the pairs in the order of their scores, best first, as many as the
	// question wants. Equal scores keep their order. They are compared as logits, of which
	// fewer are equal in float32 than of their sigmoids.
	best []int
	// scale is sigmoid or raw, of scores.
	scale scale
	// lengths are how many tokens each item has before it is cut, special tokens included.
	lengths []int
	tokens  [][]token // of each text
	texts   []string  // of each list of ids
	stats   engine.CallStats
}

// score is that of a pair.
func (a *answer) score(i int) float32 { return a.values[i] }

// row is what one item has.
func (a *answer) row(i int) []float32 { return a.values[i*a.width:][:a.width] }

// run has the engine answer a question, and makes the reply.
func (h *Handler) run(x *exchange, q *question, encode encoder) (reply, *failure) {
	m, f := h.choose(q)
	if f != nil {
		return reply{}, f
	}
	facts := &x.facts
	facts.task, facts.model, facts.single, facts.items = q.task, m.Name, q.single, q.items()
	if facts.asked = true; q.items() == 0 {
		return reply{}, failed(noItems, "the list of texts is empty")
	}
	if !m.can(q) {
		return reply{}, failed(wrongModel, "model %q is %s, and this needs %s", m.Name, tasks[m.does], tasks[q.task])
	}
	if f := h.tooMuchText(q); f != nil {
		return reply{}, f
	}
	facts.length = q.characters() // not before: it reads a long query once for each of its passages
	end, f := h.takeTurn(x.r.Context(), q)
	if f != nil {
		return reply{}, f
	}
	defer end()
	if f := h.keep(x, m.results(q)); f != nil {
		return reply{}, f
	}
	a := &answer{model: m, width: 1}
	if err := m.counted(x.r.Context(), q, a); err != nil {
		f := whyNot(x.r.Context(), err)
		if f.kind == overloaded {
			f.retry = m.wait()
		}
		return reply{}, f
	}
	facts.stats, facts.scale, facts.lengths = a.stats, a.scale, a.lengths
	for _, n := range a.lengths {
		if n > m.limit(q) {
			facts.cut++
		}
	}
	p := encode(a)
	if f := h.keep(x, len(p.body)); f != nil {
		return reply{}, f
	}
	return p, nil
}

// counted is answer, which metrics see while it goes on.
func (m *served) counted(ctx context.Context, q *question, a *answer) error {
	m.note()
	m.meters.asked.Add(1)
	defer m.meters.asked.Add(-1)
	return m.answer(ctx, q, a)
}

// answer makes a of what the engine says to q. Errors are the engine's, or a *failure.
func (m *served) answer(ctx context.Context, q *question, a *answer) error {
	switch q.task {
	case scoring:
		return m.score(ctx, q, a)
	case embedding:
		return m.embed(ctx, q, a)
	case classifying:
		return m.classify(ctx, q, a)
	case detokenizing:
		m.detokenize(q, a)
		return nil
	}
	return m.tokenize(ctx, q, a)
}

// results are how many bytes the engine's results have, which are in memory from when it is asked. They
// count where an item, of which a body may have ten thousand, has many values.
func (m *served) results(q *question) int {
	const size = 4
	switch q.task {
	case embedding:
		return size * m.info.Dimensions * q.items()
	case classifying:
		return size * len(m.labels()) * q.items()
	}
	return 0
}

// limit is the most tokens of a pair or text.
func (m *served) limit(q *question) int {
	if q.most > 0 {
		return min(q.most, m.info.MaxLength)
	}
	return m.info.MaxLength
}

// options are those of the engine's call. What the call tells goes to stats and lengths.
func (q *question) options(stats *engine.CallStats, lengths *[]int) []engine.CallOption {
	opts := []engine.CallOption{engine.StatsTo(stats), engine.LengthsTo(lengths)}
	if q.uncut {
		opts = append(opts, engine.Uncut())
	}
	if q.most > 0 {
		opts = append(opts, engine.AtMost(q.most))
	}
	if q.side != nil {
		opts = append(opts, engine.CutSide(*q.side))
	}
	if q.prompt != "" {
		opts = append(opts, engine.PromptName(q.prompt))
	}
	return opts
}
