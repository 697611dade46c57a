package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// grammar makes random texts and configurations that hurt: it draws from what
// tokenizers disagree about, not from what people write.
type grammar struct {
	*rand.Rand
	edges []rune // where a class of code points begins or ends, and what is beside it
}

// newGrammar returns the grammar of a seed and a batch: the same texts every time.
func newGrammar(seed, batch uint64) *grammar {
	return &grammar{rand.New(rand.NewPCG(seed, batch)), classEdges}
}

// classEdges are the edges of our own tables and of Go's, which are of another
// version of Unicode: between the two lies what either may have wrong.
var classEdges = func() []rune {
	at := map[rune]bool{}
	edge := func(lo, hi rune) {
		for _, r := range []rune{lo - 1, lo, hi, hi + 1} {
			if utf8.ValidRune(r) {
				at[r] = true
			}
		}
	}
	for _, ranges := range [][]runeRange{removedRanges, spaceRanges, punctRanges, chineseRanges, accentRanges, wordRanges} {
		for _, r := range ranges {
			edge(r.lo, r.hi)
		}
	}
	for _, r := range combining {
		edge(r.lo, r.hi)
	}
	for _, table := range unicode.Categories {
		for _, r := range table.R16 {
			edge(rune(r.Lo), rune(r.Hi))
		}
		for _, r := range table.R32 {
			edge(rune(r.Lo), rune(r.Hi))
		}
	}
	var edges []rune
	for r := range at {
		edges = append(edges, r)
	}
	slices.Sort(edges) // maps have no order, and a seed must mean the same texts
	return edges
}()

func pick[T any](g *grammar, list []T) T { return list[g.IntN(len(list))] }

// several returns 1 to n of what f makes, put together.
func (g *grammar) several(n int, f func() string) string {
	var b strings.Builder
	for range 1 + g.IntN(n) {
		b.WriteString(f())
	}
	return b.String()
}

// one returns a code point of lo to hi.
func (g *grammar) one(lo, hi rune) string { return string(lo + rune(g.IntN(int(hi-lo)+1))) }

func (g *grammar) edge() string { return string(pick(g, g.edges)) }

// mapped returns a code point that a table maps to something else.
func (g *grammar) mapped(table []mapping) string { return string(pick(g, table).from) }

func (g *grammar) mark() string {
	r := pick(g, combining)
	return g.one(r.lo, r.hi)
}

var (
	hurtSpaces = strings.Split(" |  |\t|\n|\r\n|\v|\f|\x1c|\x1f|\u0085|\u00a0|\u1680|\u180e|\u2000|\u200a|\u2028|\u2029|\u202f|\u205f|\u3000|\u200b|\ufeff", "|")
	hurtPoints = strings.Split("\x00|\x01|\x7f|\x80|\x9f|\u00ad|\u034f|\u061c|\u200c|\u200d|\u200e|\u202e|\u2060|\u2066|\ud7ff|\ue000|\uf8ff|\ufdd0|\ufe0f|\ufffc|\ufffd|\ufffe|\uffff|"+
		"\U0001ffff|\U000e0001|\U000e0020|\U000e0100|\U000f0000|\U0010fffd|\U0010ffff|\xff|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe4\xb8", "|")
	hurtWords = strings.Split("a|b|ab|the|The|THE|İstanbul|ΣΊΣΥΦΟΣ|ς|ß|ẞ|ſ|K|Å|ﬁ|Ǆ|ǅ|ŉ|ΐ|ᾳ|naïve|e\u0301|E\u0301|q\u0323\u0307|q\u0307\u0323|a\u0327\u0301\u0327|"+
		"中|中文|\uf900|\U00020000|\U0002f800|\U0002a6df|\u3400|か\u3099|ガ|ｶﾞ|ー|한국|\u1112\u1161\u11ab|\u1100\u1161|हिन्दी|ไทย|שָׁלוֹם|مُحَمَّد|"+
		"😀|👩\u200d👩\u200d👧|🏳\ufe0f\u200d🌈|👍🏽|🇩🇪|1\ufe0f\u20e3|½|①|㎏|²|don't|x.y|3,5|\U0001d15e|\u1b44\u0301|\u0344|\u0340|\u0958|\u2126|\u302e|\u302a", "|")
	hurtNames = strings.Split("[SEP]|[CLS]|[MASK]|[PAD]|[UNK]|[sep]|[ SEP ]|[[SEP]]|[SEP|SEP]|a[SEP]b|[SEP][SEP]|##a|##|#|<unk>|[unused1]|[SEP]\u0301|\u200b[SEP]|[S\u00adEP]", "|")
)

// word returns a bit of text. The configuration's added tokens are among them.
func (g *grammar) word(c *hurtConfig) string {
	switch g.IntN(17) {
	case 0, 1:
		return pick(g, hurtWords)
	case 2:
		return g.several(5, g.edge)
	case 3:
		return g.several(4, func() string { return g.one('a', 'e') })
	case 4:
		return g.several(4, func() string { return pick(g, []string{"A", "b", "É", "é", "C", "1", "_", "中"}) })
	case 5:
		return pick(g, []string{"a", "é", "中", "한", "\U0001d15e", "!", "\u200d"}) + g.several(6, g.mark)
	case 6:
		return g.several(3, func() string { return g.mapped(decompositions) })
	case 7:
		return g.several(3, func() string { return g.mapped(lowercase) })
	case 8:
		return g.several(3, func() string { return g.one(hangulFirst, hangulLast) })
	case 9:
		return g.several(3, func() string { return g.one(0x4e00, 0x9fff) })
	case 10:
		return pick(g, hurtPoints)
	case 11:
		return pick(g, hurtSpaces)
	case 12:
		return pick(g, hurtNames)
	case 13, 14:
		return g.bent(pick(g, c.json.Added).Content)
	case 15: // as long as a word may be, or nearly
		unit := pick(g, []string{"a", "a", "é", "e\u0301", "İ", "a\u00ad", "한", "b"})
		return strings.Repeat(unit, max(c.chars+g.IntN(5)-2, 1))
	default:
		return g.one(0, 0xd7ff) + g.one(0xe000, unicode.MaxRune)
	}
}

// bent returns a text as it is, most of the time, or nearly.
func (g *grammar) bent(text string) string {
	runes := []rune(text)
	switch g.IntN(8) {
	case 0:
		return strings.ToUpper(text)
	case 1:
		return strings.ToLower(text)
	case 2:
		at := g.IntN(len(runes) + 1)
		return string(runes[:at]) + g.edge() + string(runes[at:])
	case 3:
		at := g.IntN(len(runes))
		return string(slices.Delete(runes, at, at+1))
	}
	return text
}

// text returns up to n words with something or nothing between them.
func (g *grammar) text(c *hurtConfig, n int) string {
	var b strings.Builder
	for range g.IntN(n + 1) {
		b.WriteString(g.word(c))
		switch g.IntN(4) {
		case 0:
			b.WriteByte(' ')
		case 1:
			b.WriteString(pick(g, hurtSpaces))
		}
	}
	return b.String()
}
