package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// form is NFD or, depending on its fields, NFKD, NFC or NFKC (The Unicode Standard, section
// 3.11), in the library's version of Unicode, 9. Code points that were assigned later do
// not change.
type form struct {
	compatible bool
	composes   map[[2]rune]rune // pairs and what they compose to; nil: nothing is composed
}

// formed is a code point while a form is applied.
type formed struct {
	r        rune
	rank     uint8 // rank of its combining class, 0 for a starter
	from, to int   // the place in the text that it came from
}

// compositions are the pairs that NFC composes. If the decomposition of a code point is
// longer than a pair, the pair is its last element after what the others compose to.
// Excluded code points are left out.
func compositions() map[[2]rune]rune {
	pairs := make(map[[2]rune]rune)
	single := make(map[string]rune) // by their full decomposition
	for length := 2; len(single) > 0 || length == 2; length++ {
		found := make(map[string]rune)
		for _, m := range decompositions {
			if utf8.RuneCountInString(m.to) != length || inRanges(excluded, m.from) {
				continue
			}
			last, size := utf8.DecodeLastRuneInString(m.to)
			first, ok := single[m.to[:len(m.to)-size]]
			if length == 2 {
				first, ok = firstRune(m.to), true
			}
			if ok {
				pairs[[2]rune{first, last}] = m.from
				found[m.to] = m.from
			}
		}
		single = found
	}
	return pairs
}

func (f form) apply(out, in *normal) {
	c := composer{pairs: f.composes, out: out, in: in}
	var run []formed // a run of marks, to be sorted by their classes
	flush := func() {
		if len(run) > 1 { // each then comes from the whole run, so that offsets never decrease
			from, to := run[0].from, run[len(run)-1].to
			for i := range run {
				run[i].from, run[i].to = from, to
			}
			slices.SortStableFunc(run, func(a, b formed) int { return int(a.rank) - int(b.rank) })
		}
		for _, p := range run {
			c.next(p)
		}
		run = run[:0]
	}
	add := func(p formed) {
		if p.rank = combiningRank(p.r); p.rank > 0 {
			run = append(run, p)
			return
		}
		flush()
		c.next(p)
	}
	for i := 0; i < len(in.text); {
		r, size := utf8.DecodeRune(in.text[i:])
		p := formed{r: r, from: i, to: i + size}
		i += size
		if r < utf8.RuneSelf {
			flush()
			c.next(p)
			continue
		}
		if hangulFirst <= r && r <= hangulLast {
			lead, vowel, tail := jamo(r)
			for _, p.r = range []rune{lead, vowel, tail}[:2+min(tail, 1)] {
				add(p)
			}
			continue
		}
		parts, ok := "", false
		if f.compatible {
			parts, ok = lookup(compatibility, r)
		}
		if !ok {
			parts, ok = lookup(decompositions, r)
		}
		if !ok {
			add(p)
			continue
		}
		for _, p.r = range parts {
			add(p)
		}
	}
	flush()
	c.flush()
}

// composer composes pairs and appends the result to out. Without pairs it only appends.
type composer struct {
	pairs   map[[2]rune]rune
	out, in *normal
	starter formed   // the last starter, not appended yet,
	held    bool     // true if there is one,
	after   []formed // and the marks after it that were not composed
}

// next adds the next code point of a decomposition.
func (c *composer) next(p formed) {
	switch {
	case c.pairs == nil, !c.held && p.rank > 0:
		c.out.put(p.r, c.in, p.from, p.to)
		return
	case c.held && (len(c.after) == 0 || c.after[len(c.after)-1].rank < p.rank):
		if r, ok := c.compose(c.starter.r, p.r); ok {
			c.starter.r, c.starter.to = r, max(c.starter.to, p.to)
			return
		}
	}
	if p.rank > 0 {
		c.after = append(c.after, p)
		return
	}
	c.flush()
	c.starter, c.held = p, true
}

// compose returns the code point that a and b compose to. For Hangul it is computed.
func (c *composer) compose(a, b rune) (rune, bool) {
	lead, vowel, tail := a-leadFirst, b-vowelFirst, b-tailFirst
	switch {
	case 0 <= lead && lead < leads && 0 <= vowel && vowel < vowels:
		return hangulFirst + (lead*vowels+vowel)*tails, true
	case hangulFirst <= a && a <= hangulLast && (a-hangulFirst)%tails == 0 && 0 < tail && tail < tails:
		return a + tail, true
	}
	r, ok := c.pairs[[2]rune{a, b}]
	return r, ok
}

// flush appends what is still held.
func (c *composer) flush() {
	if c.held {
		c.out.put(c.starter.r, c.in, c.starter.from, c.starter.to)
	}
	for _, p := range c.after {
		c.out.put(p.r, c.in, p.from, p.to)
	}
	c.held, c.after = false, c.after[:0]
}
