package tokenizer

import "unicode/utf8"

// flush ends the current word and appends its ids.
func (s *scanner) flush(out *output) {
	if s.n == 0 || out.done {
		s.n = 0
		return
	}
	s.pieces(out, s.n)
	s.n = 0
	out.done = len(out.ids) >= out.stop
}

// pieces appends the ids of a word of n bytes: the word's own if it is in the vocabulary,
// else that of the longest piece with which it begins, and so on. If that fails, or the
// word is too long, it appends [UNK] for the whole word.
func (s *scanner) pieces(out *output, n int) {
	t := s.t
	if n > t.maxWordChars && utf8.RuneCount(s.word[:n]) > t.maxWordChars {
		s.emitUnknown(out)
		return
	}
	if id := t.words.find(s.word, 0, n); id >= 0 {
		s.emit(out, id, 0, n)
		return
	}
	first := len(out.ids)
	id, end := t.words.prefix(s.word, 0, n-1)
	for at := 0; id >= 0; {
		s.emit(out, id, at, end)
		if at = end; at == n {
			return
		}
		id, end = t.pieces.prefix(s.word, at, n)
	}
	out.ids = out.ids[:first]
	if s.align != nil {
		out.spans = out.spans[:first]
	}
	s.emitUnknown(out)
}

// emit appends the id of word[from:to].
func (s *scanner) emit(out *output, id int32, from, to int) {
	out.ids = append(out.ids, id)
	if s.align != nil {
		out.spans = append(out.spans, Span{s.align[from].Start, s.align[to-1].End})
	}
}

// emitUnknown appends [UNK] for the word that has just ended. The word may be longer than
// its buffer.
func (s *scanner) emitUnknown(out *output) {
	out.ids = append(out.ids, s.t.unknown)
	if s.align != nil {
		out.spans = append(out.spans, Span{s.align[0].Start, s.last})
	}
}
