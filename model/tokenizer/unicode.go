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

// inRanges reports whether a sorted table has r.
func inRanges(ranges []runeRange, r rune) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].hi >= r })
	return i < len(ranges) && ranges[i].lo <= r
}

// lookup returns what a sorted table maps r to, or false.
func lookup(table []mapping, r rune) (string, bool) {
	i := sort.Search(len(table), func(i int) bool { return table[i].from >= r })
	if i < len(table) && table[i].from == r {
		return table[i].to, true
	}
	return "", false
}

// combiningRank is the place of r's canonical combining class among all
// classes: 0 for class 0, the starters.
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
	tailFirst, tails        = 0x11A7, 28 // tail 0 is no tail
)

// jamo returns the parts of a Hangul syllable; tail is 0 where there is none.
func jamo(syllable rune) (lead, vowel, tail rune) {
	i := syllable - hangulFirst
	lead, vowel = leadFirst+i/(vowels*tails), vowelFirst+i/tails%vowels
	if i%tails != 0 {
		tail = tailFirst + i%tails
	}
	return lead, vowel, tail
}

// kind says what a code point does to the word it stands in.
type kind uint8

const (
	becomes kind = iota // belongs to the word, as itself or as another code point
	expands             // belongs to the word as several: a row of charTable.images
	hangul              // belongs to the word as two or three jamo
	mark                // combines: canonical ordering may move it, see scanner.marks
	drops               // cleaned away before anything else sees it
	strips              // an accent that canonical ordering does not move
	space               // ends the word
	punct               // ends the word and is one
	chinese             // the same, and the normalised text has spaces around it
)

// char is what one code point turns into under a tokenizer's options: a kind
// and the code point it becomes (for expands: the row, from 1).
type char uint32

func newChar(k kind, to rune) char { return char(k) | char(to)<<4 }

func (c char) kind() kind { return kind(c & 15) }
func (c char) to() rune   { return rune(c >> 4) }

const pageSize = 256

type page [pageSize]char

// charTable maps every code point to its char: clean-up, CJK spacing,
// decomposition, accent stripping, lower case and the pre-tokenizer's classes
// in one look-up.
type charTable struct {
	rules
	pages  [(utf8.MaxRune + 1) / pageSize]*page // to() = 0 means itself
	images []string
	// fold maps a byte that is a word's, as it is or as another ASCII byte, to
	// that byte; every other byte to 0.
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

// rules are the normaliser's switches; the zero value changes nothing, so that
// only the pre-tokenizer's classes are left.
type rules struct{ clean, chinese, strip, lower bool }

// newCharTable composes the tables of unicode_tables.go as BertNormalizer and
// BertPreTokenizer apply them: clean, space out CJK, decompose and strip, lower,
// classify. A later row replaces an earlier one, so the steps are set in the
// order that leaves each code point with what they make of it together.
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
		b.fill(removedRanges, drops) // some white space is a control and goes
	}
	for c := range rune(utf8.RuneSelf) {
		if to := b.table.at(c); to.kind() == becomes && to.to() < utf8.RuneSelf {
			b.table.fold[c] = byte(to.to())
		}
	}
	return &b.table
}

// tableBuilder fills a charTable. Pages that are all of one kind are shared.
type tableBuilder struct {
	rules
	table  charTable
	shared [chinese + 1]*page
	owned  [(utf8.MaxRune + 1) / pageSize]bool
}

// uniform returns the shared page whose code points are all of one kind and
// become themselves.
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

// fill makes whole ranges one kind; the code points become themselves.
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

// compose sets the code points that a table maps to what decomposition,
// stripping and lower case make of them, one after the other.
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
