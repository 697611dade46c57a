package serve

import (
	"context"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// token is one token of a text.
type token struct {
	id          int32
	text        string // the part of the text, or the token's name if it is not from the text
	special     bool   // around the text: [CLS] or [SEP]
	start, stop int    // in bytes of the text, unless special
}

// cutting is the model's tokenizer, which cuts texts as the question wants.
func (m *served) cutting(q *question) (*tokenizer.Tokenizer, error) {
	t := m.Engine.Tokenizer()
	how := t.Truncation()
	how.MaxLength = m.limit(q)
	if q.side != nil {
		how.Side = *q.side
	}
	if q.uncut {
		how.Strategy = tokenizer.DoNotTruncate
	}
	return t.Truncating(how)
}

// tokenize gives the tokens of texts, whole, whatever the model takes.
func (m *served) tokenize(ctx context.Context, q *question, a *answer) error {
	prompt := ""
	if q.prompt != "" {
		p, has := m.info.Prompts[q.prompt]
		if !has {
			return about("prompt_name", invalid, "model %q has no prompt %.80q", m.Name, q.prompt)
		}
		prompt = p
	}
	if f := m.takesSingles(); f != nil && !q.bare {
		return f
	}
	t, err := m.Engine.Tokenizer().Truncating(tokenizer.Truncation{MaxLength: tokenizer.NoLimit})
	if err != nil {
		return err
	}
	a.tokens = make([][]token, len(q.texts))
	for i, text := range q.texts {
		if err := ctx.Err(); err != nil {
			return err
		}
		text = prompt + text
		e, err := t.EncodeText(text)
		if err != nil {
			return &engine.TextError{Index: i, Err: err}
		}
		a.tokens[i] = tokensOf(text, &e, q.bare)
		a.stats.Tokens += len(a.tokens[i])
	}
	return nil
}

// tokensOf are those of an encoding, or those without the special ones around the text.
func tokensOf(text string, e *tokenizer.Encoding, bare bool) []token {
	all := make([]token, 0, len(e.IDs))
	for i, id := range e.IDs {
		t := token{id: id, text: e.Tokens[i], special: e.Special[i]}
		if t.special && bare {
			continue
		}
		if !t.special {
			t.start, t.stop = e.Offsets[i].Start, e.Offsets[i].End
			t.text = text[t.start:t.stop]
		}
		all = append(all, t)
	}
	return all
}

// clipped are the question's pairs, with each text cut to the tokens that the question allows
// it by itself. A token's bytes are left out whole.
func (m *served) clipped(ctx context.Context, q *question) ([]engine.Pair, error) {
	if q.first == 0 && q.second == 0 {
		return q.pairs, nil
	}
	pairs := make([]engine.Pair, len(q.pairs))
	before, query := "", ""
	for i, p := range q.pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i == 0 || p.Query != before { // nearly always there is one query
			before, query = p.Query, m.clip(p.Query, q.first)
		}
		pairs[i] = engine.Pair{Query: query, Passage: m.clip(p.Passage, q.second)}
	}
	return pairs, nil
}

// clip cuts the end of a text so that at most n tokens are left; 0 cuts nothing.
func (m *served) clip(text string, n int) string {
	if n == 0 || len(text) <= n { // no token is shorter than a byte
		return text
	}
	const around = 2 // [CLS] and [SEP]
	t, err := m.Engine.Tokenizer().Truncating(tokenizer.Truncation{MaxLength: n + around})
	if err != nil {
		return text
	}
	e, err := t.EncodeText(text)
	if err != nil || !e.Truncated {
		return text
	}
	return text[:e.Offsets[n].End]
}

// characters counts those of all texts, the query once for each pair: what the model reads.
func (q *question) characters() (n int) {
	for i := range q.pairs {
		n += utf8.RuneCountInString(q.pairs[i].Query) + utf8.RuneCountInString(q.pairs[i].Passage)
	}
	for _, t := range q.texts {
		n += utf8.RuneCountInString(t)
	}
	for i := range q.sequences {
		n += utf8.RuneCountInString(q.sequences[i].first) + utf8.RuneCountInString(q.sequences[i].second)
	}
	return n
}
