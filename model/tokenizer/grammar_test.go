package tokenizer

import (
	"encoding/json"
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

// hurtConfig is a tokenizer.json in the making.
type hurtConfig struct {
	json  tokenizerFile
	chars int
}

type tokenizerFile struct {
	Version    string         `json:"version"`
	Added      []addedInFile  `json:"added_tokens"`
	Normalizer map[string]any `json:"normalizer"`
	Words      map[string]any `json:"pre_tokenizer"`
	Processor  map[string]any `json:"post_processor"`
	Model      map[string]any `json:"model"`
}

type addedInFile struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

func (g *grammar) flip() bool { return g.IntN(2) == 0 }

// config draws the settings and the added tokens; the vocabulary follows when the
// texts are known.
func (g *grammar) config() *hurtConfig {
	c := &hurtConfig{chars: pick(g, []int{100, 100, 1, 2, 3, 5, 8, 200})}
	lower, strip := g.flip(), pick(g, []any{nil, true, false})
	c.json = tokenizerFile{
		Version: "1.0",
		Normalizer: map[string]any{"type": "BertNormalizer", "clean_text": g.flip(), "handle_chinese_chars": g.flip(),
			"strip_accents": strip, "lowercase": lower},
		Words: map[string]any{"type": "BertPreTokenizer"},
		Model: map[string]any{"type": "WordPiece", "max_input_chars_per_word": c.chars,
			"continuing_subword_prefix": pick(g, []string{"##", "##", "##", "@", "#", "\u2581", "a", "é", " ", "\u0301"}),
			"unk_token":                 pick(g, []string{"[UNK]", "[UNK]", "<unk>", "a", "\u4e2d"})},
	}
	// Two tokens with the same normalised text: which is found the library leaves
	// to chance, so no two have one.
	stripped := lower
	if s, ok := strip.(bool); ok {
		stripped = s
	}
	n := Tokenizer{chars: newCharTable(rules{clean: c.json.Normalizer["clean_text"].(bool),
		chinese: c.json.Normalizer["handle_chinese_chars"].(bool), strip: stripped, lower: lower})}
	seen := map[string]bool{}
	add := func(a addedInFile) {
		key := n.normalize(a.Content)
		if key == "" || seen[key] || seen[a.Content] || !utf8.ValidString(a.Content) {
			return
		}
		seen[key], seen[a.Content] = true, true
		c.json.Added = append(c.json.Added, a)
	}
	for _, name := range []string{"[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"} {
		if name == "[CLS]" || g.IntN(4) > 0 {
			add(addedInFile{Content: name, Special: true})
		}
	}
	for range g.IntN(7) {
		content := pick(g, []func() string{
			func() string { return pick(g, hurtWords) }, func() string { return pick(g, hurtNames) }, func() string { return pick(g, hurtSpaces) },
			func() string { return g.several(2, g.edge) }, func() string { return pick(g, hurtWords) + " " + pick(g, hurtWords) },
			func() string {
				return pick(g, []string{"<l>", "<r>", "<N>", "Big Word", "<q>", "<q>>", "word", "-", "é", "Ü"})
			},
		})()
		add(addedInFile{Content: content, SingleWord: g.IntN(3) == 0, LStrip: g.IntN(3) == 0, RStrip: g.IntN(3) == 0, Normalized: g.flip(), Special: g.IntN(3) == 0})
	}
	return c
}

// finish draws a vocabulary in which nearly every code point of the texts is a
// piece, so that ids tell what normalising did, and gives the added tokens ids.
// It returns the tokenizer.json.
func (g *grammar) finish(c *hurtConfig, texts []string) []byte {
	vocab := map[string]int{}
	put := func(token string) {
		if _, ok := vocab[token]; !ok && token != "" && utf8.ValidString(token) {
			vocab[token] = len(vocab)
		}
	}
	prefix := c.json.Model["continuing_subword_prefix"].(string)
	names := []string{"[PAD]", c.json.Model["unk_token"].(string), "[CLS]", "[SEP]"}
	for _, name := range names {
		put(name)
	}
	piece := func(s string) {
		if g.IntN(20) > 0 {
			put(s)
		}
		if g.IntN(20) > 0 {
			put(prefix + s)
		}
	}
	seen := map[rune]bool{}
	for _, text := range texts {
		runes := []rune(text)
		for i, r := range runes {
			if g.IntN(40) == 0 {
				piece(strings.ToLower(string(runes[i:min(len(runes), i+1+g.IntN(4))])))
			}
			if seen[r] {
				continue
			}
			seen[r] = true
			for _, s := range []string{string(r), strings.ToLower(string(r)), g.parts(r), strings.ToLower(g.parts(r))} {
				for _, part := range s {
					piece(string(part))
				}
			}
		}
	}
	for i := range c.json.Added {
		a := &c.json.Added[i]
		if g.IntN(3) == 0 {
			put(a.Content)
		}
	}
	next := len(vocab)
	for i := range c.json.Added {
		a := &c.json.Added[i]
		id, ok := vocab[a.Content]
		if !ok {
			id, next = next, next+1
		}
		a.ID = id
	}
	c.json.Model["vocab"] = vocab
	class, separator := "[CLS]", "[SEP]"
	if g.IntN(8) == 0 {
		class, separator = "[PAD]", "[CLS]"
	}
	if g.flip() {
		c.json.Processor = map[string]any{"type": "BertProcessing", "sep": []any{separator, vocab[separator]}, "cls": []any{class, vocab[class]}}
	} else {
		c.json.Processor = template(class, vocab[class], separator, vocab[separator])
	}
	data, err := json.Marshal(c.json)
	if err != nil {
		panic(err) // strings, numbers and maps of them
	}
	return data
}

// parts returns the decomposition of a code point, or itself.
func (g *grammar) parts(r rune) string {
	if s, ok := lookup(decompositions, r); ok {
		return s
	}
	if hangulFirst <= r && r <= hangulLast {
		lead, vowel, tail := jamo(r)
		return strings.TrimRight(string([]rune{lead, vowel, tail}), "\x00")
	}
	return string(r)
}

// template is the TemplateProcessing of BERT with other names for its tokens.
func template(class string, classID int, separator string, separatorID int) map[string]any {
	token := func(name string, typ int) any {
		return map[string]any{"SpecialToken": map[string]any{"id": name, "type_id": typ}}
	}
	text := func(name string, typ int) any {
		return map[string]any{"Sequence": map[string]any{"id": name, "type_id": typ}}
	}
	special := func(name string, id int) any {
		return map[string]any{"id": name, "ids": []int{id}, "tokens": []string{name}}
	}
	return map[string]any{
		"type":           "TemplateProcessing",
		"single":         []any{token(class, 0), text("A", 0), token(separator, 0)},
		"pair":           []any{token(class, 0), text("A", 0), token(separator, 0), text("B", 1), token(separator, 1)},
		"special_tokens": map[string]any{class: special(class, classID), separator: special(separator, separatorID)},
	}
}
