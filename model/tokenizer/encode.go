package tokenizer

import (
	"fmt"
	"math"
)

// Span is a range of bytes in a text.
type Span struct{ Start, End int }

// Encoding is a pair of texts as tokens, and where they came from. All slices have the same
// length.
type Encoding struct {
	IDs    []int32
	Types  []int32  // 0 up to and including the first separator, then 1, or 0 with OneType
	Tokens []string // as in the vocabulary: pieces inside a word have the prefix
	// Offsets are byte ranges in the query or, after the first separator, in the passage;
	// {0, 0} for the special tokens around them.
	Offsets   []Span
	Truncated bool // something was cut off
}

// AppendPair appends the tokens of a pair, [CLS] query [SEP] passage [SEP], to ids. To
// types it appends, for each token, the text that it belongs to, 0 or 1 (always 0 with
// [Options].OneType). An empty text has no tokens, but both separators are there. It
// allocates nothing if both slices have enough capacity.
//
// The only error is one that wraps [ErrTooLong]: the pair is too long, and the [Strategy]
// does not cut it. Then it returns ids and types unchanged.
func (t *Tokenizer) AppendPair(ids, types []int32, query, passage string) (outIDs, outTypes []int32, err error) {
	var stack [stackWord]byte
	s := scanner{t: t, chars: t.chars, word: t.wordBuffer(stack[:], query, passage)}
	out := output{ids: ids}
	n1, n2, _, err := s.pair(&out, query, passage)
	if err != nil {
		return ids, types, err
	}
	return out.ids, t.appendTypes(types, n1, n2), nil
}

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
	out, cutting, room := output{ids: ids}, &t.truncation, t.truncation.MaxLength-specialsOfText
	s.special(&out, t.class)
	first := len(out.ids)
	out.stop, out.done = math.MaxInt, false
	if cutting.Side == TruncateRight || cutting.Strategy == DoNotTruncate {
		out.stop = first + room + 1
	}
	s.text(&out, text)
	n := len(out.ids) - first
	switch {
	case out.err != nil:
		return ids, types, out.err
	case n > room && cutting.Strategy == DoNotTruncate:
		return ids, types, fmt.Errorf("%w: more than %d tokens, and do_not_truncate keeps them all", ErrTooLong, cutting.MaxLength)
	case n > room:
		out.ids, n = cut(out.ids, first, n, room, cutting.Side), room
	}
	s.special(&out, t.separator)
	for range n + 2 {
		types = append(types, 0)
	}
	return out.ids, types, nil
}

// Encode returns the tokens of a pair and where they came from. Ids, types and the error
// are those of AppendPair.
func (t *Tokenizer) Encode(query, passage string) (Encoding, error) {
	s := scanner{t: t, chars: t.chars, word: t.wordBuffer(nil, query, passage)}
	s.align = make([]Span, len(s.word))
	var out output
	n1, n2, truncated, err := s.pair(&out, query, passage)
	if err != nil {
		return Encoding{}, err
	}
	tokens := make([]string, len(out.ids))
	for i, id := range out.ids {
		tokens[i] = t.Token(id)
	}
	return Encoding{out.ids, t.appendTypes(nil, n1, n2), tokens, out.spans, truncated}, nil
}

// PairLength returns how many tokens a pair has before it is cut, the special tokens
// included. It returns [NoLimit] if normalizers make a text so long that AppendPair returns
// an error.
func (t *Tokenizer) PairLength(query, passage string) int {
	s := scanner{t: t, chars: t.chars, word: t.wordBuffer(nil, query, passage)}
	var out output
	n := s.length(&out, query, math.MaxInt) + s.length(&out, passage, math.MaxInt) + specials
	if out.err != nil {
		return NoLimit
	}
	return n
}

// wordBuffer returns a word buffer for both texts: the given one if it is large enough.
func (t *Tokenizer) wordBuffer(stack []byte, query, passage string) []byte {
	length := max(len(query), len(passage))
	if t.steps != nil {
		length = math.MaxInt / maxExpansion // steps may replace anything by anything
	}
	if n := t.wordBytes(length); n > len(stack) {
		return make([]byte, n)
	}
	return stack
}

// appendTypes appends the types of a pair of n1 and n2 tokens.
func (t *Tokenizer) appendTypes(types []int32, n1, n2 int) []int32 {
	for range n1 + 2 {
		types = append(types, 0)
	}
	for range n2 + 1 {
		types = append(types, t.passage)
	}
	return types
}

// pair appends a pair. It returns how many tokens of each text were kept, and whether some
// were not. After an error, what it appended has no meaning.
func (s *scanner) pair(out *output, query, passage string) (k1, k2 int, truncated bool, err error) {
	cutting := &s.t.truncation
	s.special(out, s.t.class)
	first := len(out.ids)
	n1 := s.limited(out, query, OnlyFirst)
	s.special(out, s.t.separator)
	second := len(out.ids)
	n2 := s.limited(out, passage, OnlySecond)

	if err = out.err; err == nil {
		k1, k2, err = cutting.kept(n1, n2)
	}
	if err != nil {
		return 0, 0, false, err
	}
	room := cutting.room()
	if cutting.Strategy == LongestFirst && cutting.Side == TruncateRight && room%2 == 1 && min(n1, n2) > room {
		k1, k2 = s.longer(out, query, passage, room)
	}
	if truncated = k1+k2 < n1+n2; truncated {
		out.ids = cut(cut(out.ids, second, n2, k2, cutting.Side), first, n1, k1, cutting.Side)
		if s.align != nil {
			out.spans = cut(cut(out.spans, second, n2, k2, cutting.Side), first, n1, k1, cutting.Side)
		}
	}
	s.special(out, s.t.separator)
	return k1, k2, truncated, nil
}

// limited appends a text's tokens, as many as are needed to know which ones are kept, and
// returns their number. If the end of a text is cut, no more tokens can be kept than there
// is room for; if the text may not be cut, more are an error. So in both cases it stops
// with the word that exceeds the room. With longest first, if only one of the two texts
// stops like this, it is the longer one; if both do, longer must find out. only is the
// strategy that cuts this text and not the other.
func (s *scanner) limited(out *output, text string, only Strategy) int {
	cutting, first := &s.t.truncation, len(out.ids)
	out.stop, out.done = math.MaxInt, false
	if cutting.Side == TruncateRight || cutting.Strategy != LongestFirst && cutting.Strategy != only {
		out.stop = first + cutting.room() + 1
	}
	s.text(out, text)
	return len(out.ids) - first
}

// longer is longestFirst for two texts that each have more tokens than room. It counts all
// tokens of the text with fewer bytes, and those of the other only as far as needed to know
// which has more.
func (s *scanner) longer(out *output, query, passage string, room int) (int, int) {
	if len(query) <= len(passage) {
		n1 := s.length(out, query, math.MaxInt)
		return longestFirst(n1, s.length(out, passage, n1), room)
	}
	n2 := s.length(out, passage, math.MaxInt)
	return longestFirst(s.length(out, query, n2+1), n2, room)
}

// length returns how many tokens the text has. If it has most tokens or more, the result is
// at least most. It leaves out unchanged.
func (s *scanner) length(out *output, text string, most int) int {
	first, spans := len(out.ids), len(out.spans)
	out.stop, out.done = most, false
	if most <= math.MaxInt-first {
		out.stop += first
	}
	s.text(out, text)
	n := len(out.ids) - first
	out.ids, out.spans = out.ids[:first], out.spans[:spans]
	return n
}

// special appends one of the special tokens around the texts.
func (s *scanner) special(out *output, id int32) {
	out.ids = append(out.ids, id)
	if s.align != nil {
		out.spans = append(out.spans, Span{})
	}
}

// text appends one text's tokens.
func (s *scanner) text(out *output, text string) { s.split(out, &s.t.raw, text) }

// split appends the tokens of a text: the added tokens of set that are in it, and the words
// between them.
func (s *scanner) split(out *output, set *addedSet, text string) {
	m := matches{set: set, text: text}
	for from := 0; ; {
		id, start, end, ok := m.next()
		if !ok {
			start = len(text)
		}
		switch {
		case from >= start:
		case set == &s.t.raw && s.t.steps != nil:
			s.splitNormalized(out, text, from, start)
		default:
			s.scan(out, text, from, start)
		}
		if !ok || out.done {
			return
		}
		out.ids = append(out.ids, id)
		if s.align != nil {
			out.spans = append(out.spans, s.span(start, end))
		}
		if out.done = len(out.ids) >= out.stop; out.done {
			return
		}
		from = end
	}
}

// splitNormalized appends the tokens of text[from:to], which must first be normalised as a
// whole.
func (s *scanner) splitNormalized(out *output, text string, from, to int) {
	n, err := normalized(s.t.steps, text, from, to, s.align != nil)
	if err != nil {
		out.err, out.done = err, true
		return
	}
	plain := scanner{t: s.t, chars: s.t.plain, word: s.word, align: s.align, origin: n.spans}
	plain.split(out, s.t.normalized, string(n.text))
}
