package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// AddedToken is a token that is found in the text before it is split into
// words: a special token such as [SEP], or one that a user added.
type AddedToken struct {
	Content    string
	SingleWord bool // not found beside a letter, digit, mark or connector (\w)
	LStrip     bool // takes the white space before it
	RStrip     bool // takes the white space after it
	Normalized bool // both token and text are normalised before they are compared
	Special    bool
}

// addedSet finds added tokens in a text. The zero value finds none.
type addedSet struct {
	byFirst [256][]addedEntry // by the first byte of text, longest first
	firsts  string            // those first bytes
}

type addedEntry struct {
	text string // the content, normalised if it is to be
	id   int32
	AddedToken
}

// add puts a token into the set, unless one with the same text is there.
func (a *addedSet) add(e addedEntry) {
	list := &a.byFirst[e.text[0]]
	if slices.ContainsFunc(*list, func(o addedEntry) bool { return o.text == e.text }) {
		return
	}
	if len(*list) == 0 {
		a.firsts += e.text[:1]
	}
	*list = append(*list, e)
	slices.SortFunc(*list, func(x, y addedEntry) int { return cmp.Compare(len(y.text), len(x.text)) })
}

// find returns the leftmost token at or after text[at], the longest of those
// that begin there, and its place; nil if there is none.
func (a *addedSet) find(text string, at int) (*addedEntry, int) {
	for ; at < len(text); at++ {
		if len(a.firsts) == 1 {
			skip := strings.IndexByte(text[at:], a.firsts[0])
			if skip < 0 {
				break
			}
			at += skip
		}
		for i := range a.byFirst[text[at]] {
			if e := &a.byFirst[text[at]][i]; strings.HasPrefix(text[at:], e.text) {
				return e, at
			}
		}
	}
	return nil, len(text)
}

// matches walks over the tokens in a text.
type matches struct {
	set  *addedSet
	text string
	at   int // where the search goes on
	end  int // where the last match ended, white space taken with it
}

// next returns the id of the next token and the part of the text that it takes.
func (m *matches) next() (id int32, from, to int, ok bool) {
	if m.set.firsts == "" {
		return 0, 0, 0, false
	}
	for {
		e, from := m.set.find(m.text, m.at)
		if e == nil {
			return 0, 0, 0, false
		}
		to := from + len(e.text)
		m.at = to
		if e.SingleWord && (endsInWord(m.text[:from]) || beginsWithWord(m.text[to:])) {
			continue
		}
		if e.LStrip {
			from = max(m.end, len(strings.TrimRightFunc(m.text[:from], isSpace)))
		}
		if e.RStrip {
			to = len(m.text) - len(strings.TrimLeftFunc(m.text[to:], isSpace))
		}
		m.end = to
		return e.id, from, to, true
	}
}

func isSpace(r rune) bool { return inRanges(spaceRanges, r) }

func endsInWord(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return size > 0 && inRanges(wordRanges, r)
}

func beginsWithWord(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && inRanges(wordRanges, r)
}
