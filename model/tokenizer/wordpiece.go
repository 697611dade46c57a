package tokenizer

import "unicode/utf8"

// flush ends the word and appends its ids.
func (s *scanner) flush(out *output) {
	if s.n == 0 || out.done {
		s.n = 0
		return
	}
	s.pieces(out, s.n)
	s.n = 0
	out.done = len(out.ids) >= out.stop
}

// pieces appends the ids of the word of n bytes: its own where the vocabulary has
// it, else that of the longest piece it begins with, and so on from there; [UNK]
// for the whole word where that fails or it is too long.
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

// emitUnknown appends [UNK] for the word just ended, which may have been longer
// than its buffer.
func (s *scanner) emitUnknown(out *output) {
	out.ids = append(out.ids, s.t.unknown)
	if s.align != nil {
		out.spans = append(out.spans, Span{s.align[0].Start, s.last})
	}
}
