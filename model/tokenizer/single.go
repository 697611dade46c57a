package tokenizer

import (
	"fmt"
	"math"
)

// CheckText returns an error if AppendText is not what the tokenizer's files say: if they put
// other tokens around a single text.
func (t *Tokenizer) CheckText() error {
	if t.otherSingle {
		return fmt.Errorf("tokenizer: %s: post_processor.single: want the template [CLS]:0 $A:0 [SEP]:0", jsonFile)
	}
	return nil
}

// AppendText appends the tokens of one text, [CLS] text [SEP], to ids, and to types a 0 for
// each. A text that is too long is cut, unless the [Strategy] is DoNotTruncate; then the error
// is one that wraps [ErrTooLong], and ids and types are unchanged.
func (t *Tokenizer) AppendText(ids, types []int32, text string) (outIDs, outTypes []int32, err error) {
	var stack [stackWord]byte
	s := scanner{t: t, chars: t.chars, word: t.wordBuffer(stack[:], text, "")}
	out := output{ids: ids}
	n, _, err := s.single(&out, text)
	if err != nil {
		return ids, types, err
	}
	return out.ids, appendZeros(types, n+2), nil
}

// EncodeText returns the tokens of one text and where they came from. Ids, types and the error are
// those of AppendText.
func (t *Tokenizer) EncodeText(text string) (Encoding, error) {
	s := scanner{t: t, chars: t.chars, word: t.wordBuffer(nil, text, "")}
	s.align = make([]Span, len(s.word))
	var out output
	n, truncated, err := s.single(&out, text)
	if err != nil {
		return Encoding{}, err
	}
	e := t.encoding(&out, truncated)
	e.Types = appendZeros(nil, n+2)
	return e, nil
}

// TextLength is PairLength for one text by itself.
func (t *Tokenizer) TextLength(text string) int {
	s := scanner{t: t, chars: t.chars, word: t.wordBuffer(nil, text, "")}
	var out output
	n := s.length(&out, text, math.MaxInt) + textSpecials
	if out.err != nil {
		return NoLimit
	}
	return n
}

// single appends one text. It returns how many tokens of it were kept, and whether some were
// not. After an error, what it appended has no meaning.
func (s *scanner) single(out *output, text string) (n int, truncated bool, err error) {
	cutting := &s.t.truncation
	room := cutting.MaxLength - textSpecials
	s.special(out, s.t.class)
	first := len(out.ids)
	out.stop, out.done = math.MaxInt, false
	if cutting.Side == TruncateRight || cutting.Strategy == DoNotTruncate {
		out.stop = first + room + 1
	}
	s.text(out, text)
	n = len(out.ids) - first
	switch truncated = n > room; {
	case out.err != nil:
		return 0, false, out.err
	case truncated && cutting.Strategy == DoNotTruncate:
		return 0, false, fmt.Errorf("%w: more than %d tokens, and do_not_truncate keeps them all", ErrTooLong, cutting.MaxLength)
	case truncated:
		out.ids = cut(out.ids, first, n, room, cutting.Side)
		if s.align != nil {
			out.spans = cut(out.spans, first, n, room, cutting.Side)
		}
		n = room
	}
	s.special(out, s.t.separator)
	return n, truncated, nil
}
