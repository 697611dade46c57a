package tokenizer

import (
	"sort"
	"unicode/utf8"
)

// The types of unicode_tables.go.
type (
	runeRange      struct{ lo, hi rune }
	combiningRange struct {
		lo, hi rune
		rank   uint8
	}
	mapping struct {
		from rune
		to   string
	}
)

// inRanges reports whether a sorted table contains r.
func inRanges(ranges []runeRange, r rune) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].hi >= r })
	return i < len(ranges) && ranges[i].lo <= r
}

// lookup returns what a sorted table maps r to. The result is false if r is not in it.
func lookup(table []mapping, r rune) (string, bool) {
	i := sort.Search(len(table), func(i int) bool { return table[i].from >= r })
	if i < len(table) && table[i].from == r {
		return table[i].to, true
	}
	return "", false
}

// combiningRank returns the rank of r's canonical combining class among all classes; 0 for
// starters.
func combiningRank(r rune) uint8 {
	i := sort.Search(len(combining), func(i int) bool { return combining[i].hi >= r })
	if i < len(combining) && combining[i].lo <= r {
		return combining[i].rank
	}
	return 0
}

// Hangul syllables decompose by arithmetic (The Unicode Standard, section 3.12).
const (
	hangulFirst, hangulLast = 0xAC00, 0xD7A3
	leadFirst, leads        = 0x1100, 19
	vowelFirst, vowels      = 0x1161, 21
	tailFirst, tails        = 0x11A7, 28 // tail 0 means no tail
)

// jamo returns the parts of a Hangul syllable; tail is 0 if it has none.
func jamo(syllable rune) (lead, vowel, tail rune) {
	i := syllable - hangulFirst
	lead, vowel = leadFirst+i/(vowels*tails), vowelFirst+i/tails%vowels
	if i%tails != 0 {
		tail = tailFirst + i%tails
	}
	return lead, vowel, tail
}

// kind says what a code point does to the word that it is in.
type kind uint8

const (
	becomes kind = iota // part of the word, as itself or as another code point
	expands             // part of the word as several code points: a row of charTable.images
	hangul              // part of the word as two or three jamo
	mark                // combines: canonical ordering may move it, see scanner.marks
	drops               // removed before any other step
	strips              // an accent that canonical ordering does not move
	space               // ends the word
	punct               // ends the word and is a word itself
	chinese             // like punct, and the normalised text has spaces around it
)

// char is what a code point becomes with a tokenizer's options: a kind, and the code point
// that it becomes (for expands: the row, from 1).
type char uint32

func newChar(k kind, to rune) char { return char(k) | char(to)<<4 }

func (c char) kind() kind { return kind(c & 15) }
func (c char) to() rune   { return rune(c >> 4) }

const pageSize = 256

type page [pageSize]char

// charTable maps every code point to its char. One look-up does clean-up, CJK spacing,
// decomposition, accent stripping, lower case and the pre-tokenizer's classes.
type charTable struct {
	rules
	pages  [(utf8.MaxRune + 1) / pageSize]*page // a to() of 0 means the code point itself
	images []string
	// fold maps a byte that is part of a word, as itself or as another ASCII byte, to that
	// byte, and every other byte to 0.
	fold [256]byte
}

// at returns the char of r, 0 <= r <= utf8.MaxRune.
func (t *charTable) at(r rune) char {
	c := t.pages[uint32(r)/pageSize][uint32(r)%pageSize]
	if c.to() == 0 {
		c |= newChar(0, r)
	}
	return c
}

// rules are the switches of BertNormalizer. The zero value changes nothing, so that only
// the pre-tokenizer's classes remain.
type rules struct{ clean, chinese, strip, lower bool }

// newCharTable composes the tables of unicode_tables.go as BertNormalizer and
// BertPreTokenizer apply them: clean, add spaces around CJK, decompose and strip, lower
// case, classify. What is set later replaces what was set before, so the order is chosen
// such that each code point ends with the combined result of all steps.
func newCharTable(o rules) *charTable {
	b := &tableBuilder{rules: o}
	b.table.rules = o
	for i := range b.table.pages {
		b.table.pages[i] = b.uniform(becomes)
	}
	b.fill(punctRanges, punct)
	b.fill(spaceRanges, space)
	if o.chinese {
		b.fill(chineseRanges, chinese)
	}
	if o.lower {
		b.compose(lowercase)
	}
	if o.strip {
		for _, r := range combining {
			b.fill([]runeRange{{r.lo, r.hi}}, mark)
		}
		for _, r := range accentRanges {
			for c := r.lo; c <= r.hi; c++ {
				if combiningRank(c) == 0 {
					b.set(c, newChar(strips, 0))
				}
			}
		}
		b.fill([]runeRange{{hangulFirst, hangulLast}}, hangul)
		b.compose(decompositions)
	}
	if o.clean {
		for _, r := range spaceRanges {
			for c := r.lo; c <= r.hi; c++ {
				b.set(c, newChar(space, ' '))
			}
		}
		b.fill(removedRanges, drops) // some white space is a control character, too, and is removed
	}
	for c := range rune(utf8.RuneSelf) {
		if to := b.table.at(c); to.kind() == becomes && to.to() < utf8.RuneSelf {
			b.table.fold[c] = byte(to.to())
		}
	}
	return &b.table
}

// tableBuilder fills a charTable. Pages with only one kind are shared.
type tableBuilder struct {
	rules
	table  charTable
	shared [chinese + 1]*page
	owned  [(utf8.MaxRune + 1) / pageSize]bool
}

// uniform returns the shared page on which all code points have one kind and become
// themselves.
func (b *tableBuilder) uniform(k kind) *page {
	if b.shared[k] == nil {
		b.shared[k] = new(page)
		for i := range b.shared[k] {
			b.shared[k][i] = newChar(k, 0)
		}
	}
	return b.shared[k]
}

func (b *tableBuilder) set(r rune, c char) {
	p := r / pageSize
	if !b.owned[p] {
		own := *b.table.pages[p]
		b.table.pages[p], b.owned[p] = &own, true
	}
	b.table.pages[p][r%pageSize] = c
}

// fill gives whole ranges one kind; the code points become themselves.
func (b *tableBuilder) fill(ranges []runeRange, k kind) {
	for _, r := range ranges {
		for c := r.lo; c <= r.hi; c++ {
			if c%pageSize == 0 && c+pageSize-1 <= r.hi {
				b.table.pages[c/pageSize], b.owned[c/pageSize] = b.uniform(k), false
				c += pageSize - 1
				continue
			}
			b.set(c, newChar(k, 0))
		}
	}
}

// compose sets the code points of a table to the result of decomposition, stripping and
// lower case.
func (b *tableBuilder) compose(table []mapping) {
	for _, m := range table {
		b.set(m.from, b.image(m.from))
	}
}

func (b *tableBuilder) image(r rune) char {
	s := string(r)
	if b.strip {
		if parts, ok := lookup(decompositions, r); ok {
			s = parts
		}
		kept := make([]rune, 0, 4)
		for k, c := range s {
			accent := inRanges(accentRanges, c)
			if combiningRank(c) != 0 && (k == 0 || !accent) {
				return newChar(mark, 0)
			}
			if !accent {
				kept = append(kept, c)
			}
		}
		s = string(kept)
	}
	if b.lower {
		lowered := ""
		for _, c := range s {
			if low, ok := lookup(lowercase, c); ok {
				lowered += low
			} else {
				lowered += string(c)
			}
		}
		s = lowered
	}
	first, size := utf8.DecodeRuneInString(s)
	switch {
	case size == 0:
		return newChar(strips, 0)
	case size < len(s):
		b.table.images = append(b.table.images, s)
		return newChar(expands, rune(len(b.table.images)))
	case b.chinese && inRanges(chineseRanges, r):
		return newChar(chinese, first)
	case inRanges(spaceRanges, first):
		return newChar(space, first)
	case inRanges(punctRanges, first):
		return newChar(punct, first)
	}
	return newChar(becomes, first)
}
