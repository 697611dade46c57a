package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// scanner converts a text (a query or a passage) to tokens in one pass over its bytes. It
// collects a word in normalised form, and cuts it into pieces where it ends.
//
// The tokens go to a separate output, so that the word's buffer can stay on the stack.
type scanner struct {
	t     *Tokenizer
	chars *charTable
	word  []byte // normalised bytes of the current word: word[:n], then slack
	n     int

	// For Encode only; in AppendPair align is nil.
	align  []Span // for each byte of word, what it came from
	last   int    // where the current word ends in the text so far
	origin []Span // for each byte of the scanned text, where it came from, if the text was normalised before
}

// output receives tokens.
type output struct {
	ids   []int32
	spans []Span // for each id; only for Encode

	stop int   // stop after the word with which this number of ids is reached
	done bool  // that word has ended: ignore the rest
	err  error // if not nil, nothing else in output has a meaning
}

// stackWord is the size of a word buffer that is enough for most tokenizers, and small
// enough for the stack.
const stackWord = utf8.UTFMax*(defaultWordChars+1) + slack

// wordBytes is the size of the buffer for the words of a text of n bytes. If a word does
// not fit, it is longer than maxWordChars, and its bytes are not needed.
func (t *Tokenizer) wordBytes(n int) int {
	return min(utf8.UTFMax*(t.maxWordChars+1), maxExpansion*n) + slack
}

// maxExpansion is the largest factor by which normalisation can lengthen a text, in bytes:
// CJK spacing makes 5 of 3, decomposition 6 of 2.
const maxExpansion = 3

// scan splits text[from:to] into words and appends their pieces' ids.
func (s *scanner) scan(out *output, text string, from, to int) {
	text = text[:to]
	fold := &s.chars.fold
	if s.align != nil {
		fold = new([256]byte) // no fast path: each code point's place must be recorded
	}
	word, n := s.word[:len(s.word)-slack], 0
	for i := from; i < len(text); {
		// Most bytes of most texts are ASCII letters and digits.
		for i < len(text) {
			b := fold[text[i]]
			if b == 0 {
				break
			}
			if n < len(word) {
				word[n] = b
				n++
			}
			i++
		}
		if i == len(text) {
			break
		}
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		s.n = n
		switch c := s.chars.at(r); c.kind() {
		case drops, strips:
		case space:
			s.flush(out)
		case punct, chinese:
			s.flush(out)
			s.put(c.to(), i, i+size)
			s.flush(out)
		default:
			size = s.inWord(c, text, i, size)
		}
		n = s.n
		i += size
		if out.done {
			return
		}
	}
	s.n = n
	s.flush(out)
}

// inWord adds the normalised code point at text[i:i+size] to the word. It returns how many
// bytes of text it has used: for combining marks, a whole run.
func (s *scanner) inWord(c char, text string, i, size int) int {
	switch c.kind() {
	case becomes:
		s.put(c.to(), i, i+size)
	case expands:
		for _, r := range s.chars.images[c.to()-1] {
			s.put(r, i, i+size)
		}
	case hangul:
		lead, vowel, tail := jamo(c.to())
		s.put(lead, i, i+size)
		s.put(vowel, i, i+size)
		if tail != 0 {
			s.put(tail, i, i+size)
		}
	case mark:
		return s.marks(text, i)
	}
	return size
}

// put adds a code point that came from text[from:to] to the word, if it fits.
func (s *scanner) put(r rune, from, to int) {
	end := s.n + utf8.RuneLen(r)
	fits := end <= len(s.word)-slack
	if s.align != nil {
		span := s.span(from, to)
		s.last = span.End
		for k := s.n; fits && k < end; k++ {
			s.align[k] = span
		}
	}
	if fits {
		utf8.EncodeRune(s.word[s.n:end], r)
		s.n = end
	}
}

// span returns where text[from:to] came from.
func (s *scanner) span(from, to int) Span {
	if s.origin != nil {
		return Span{s.origin[from].Start, s.origin[to-1].End}
	}
	return Span{from, to}
}

// marks adds a run of combining marks, which begins at text[i], to the word and returns its
// length in bytes. NFD sorts a run by combining class before accents are removed, so the
// order matters for the few marks that are not accents. (None of them has a lower case.)
//
// The library moves the code points but not the spans that they came from: the first of a
// sorted run always has the first span.
func (s *scanner) marks(text string, i int) int {
	type part struct {
		r    rune
		rank uint8
		more bool // of a decomposition, after its first code point
	}
	run := make([]part, 0, 16)
	spans := make([]Span, 0, 16)
	end := i
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		c := s.chars.at(r)
		if c.kind() == drops {
			end += size
			continue
		}
		parts, decomposes := lookup(decompositions, r)
		starter := decomposes && combiningRank(firstRune(parts)) == 0
		if c.kind() != mark || starter && end > i {
			break
		}
		spans = append(spans, Span{end, end + size})
		end += size
		if !decomposes {
			run = append(run, part{r, combiningRank(r), false})
		}
		for k, p := range parts {
			run = append(run, part{p, combiningRank(p), k > 0})
		}
	}
	// If there is a starter, it is first and stays first.
	slices.SortStableFunc(run, func(a, b part) int { return int(a.rank) - int(b.rank) })
	from := -1
	for _, p := range run {
		if !p.more {
			from++
		}
		if !inRanges(accentRanges, p.r) {
			s.put(p.r, spans[from].Start, spans[from].End)
		}
	}
	return end - i
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// normalize fills word, which is large enough, with the normalised text[from:to].
func (s *scanner) normalize(text string, from, to int) {
	text = text[:to]
	for i := from; i < to; {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch c := s.chars.at(r); c.kind() {
		case drops, strips:
		case space, punct:
			s.put(c.to(), i, i+size)
		case chinese:
			s.put(' ', i, i+size)
			s.put(c.to(), i, i+size)
			s.put(' ', i, i+size)
		default:
			size = s.inWord(c, text, i, size)
		}
		i += size
	}
}
