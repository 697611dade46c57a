package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// AddedToken is a token that is searched for in the text before the text is split into
// words: a special token such as [SEP], or one that a user added.
type AddedToken struct {
	Content    string
	SingleWord bool // not matched next to a letter, digit, mark or connector (\w)
	LStrip     bool // includes white space before it
	RStrip     bool // includes white space after it
	Normalized bool // token and text are normalised before they are compared
	Special    bool
}

// addedSet finds added tokens in a text. The zero value finds none.
type addedSet struct {
	entries map[string]addedEntry // by the text to search for
	lengths [256][]int            // lengths of these texts, by their first byte, longest first
	firsts  string                // all first bytes
}

type addedEntry struct {
	id int32
	AddedToken
}

// add adds a token to the set, unless the set has one with the same text.
func (a *addedSet) add(text string, e addedEntry) {
	if _, ok := a.entries[text]; ok {
		return
	}
	if a.entries == nil {
		a.entries = make(map[string]addedEntry)
	}
	a.entries[text] = e
	lengths := &a.lengths[text[0]]
	if len(*lengths) == 0 {
		a.firsts += text[:1]
	}
	i, ok := slices.BinarySearchFunc(*lengths, len(text), func(a, b int) int { return b - a })
	if !ok {
		*lengths = slices.Insert(*lengths, i, len(text))
	}
}

// find returns the leftmost token that begins at or after text[at] (of several that begin
// there, the longest) and its place.
func (a *addedSet) find(text string, at int) (e addedEntry, from, to int, ok bool) {
	for ; at < len(text); at++ {
		if len(a.firsts) == 1 {
			skip := strings.IndexByte(text[at:], a.firsts[0])
			if skip < 0 {
				break
			}
			at += skip
		}
		for _, length := range a.lengths[text[at]] {
			if length > len(text)-at {
				continue
			}
			if e, ok = a.entries[text[at:at+length]]; ok {
				return e, at, at + length, true
			}
		}
	}
	return addedEntry{}, 0, 0, false
}

// matches iterates over the added tokens in a text.
type matches struct {
	set  *addedSet
	text string
	at   int // where the search continues
	end  int // end of the last match, including white space
}

// next returns the id of the next token and the part of the text that it includes.
func (m *matches) next() (id int32, from, to int, ok bool) {
	if m.set.firsts == "" {
		return 0, 0, 0, false
	}
	for {
		e, from, to, ok := m.set.find(m.text, m.at)
		if !ok {
			return 0, 0, 0, false
		}
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
		if from >= to {
			// This token is white space which the token before it has already included, and
			// nothing is left. (If the token before it included more than that, the library
			// panics.)
			continue
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
