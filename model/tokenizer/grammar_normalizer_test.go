package tokenizer

import (
	"strings"

	sugarme "github.com/sugarme/tokenizer"
)

// bert is a BertNormalizer.
func (g *grammar) bert() map[string]any {
	return map[string]any{"type": "BertNormalizer", "clean_text": g.flip(), "handle_chinese_chars": g.flip(),
		"strip_accents": pick(g, []any{nil, true, false}), "lowercase": g.flip()}
}

// normalizer is any that tokenizer.json can have; some are Sequences of others.
func (g *grammar) normalizer(depth int) map[string]any {
	typ := pick(g, []string{"BertNormalizer", "BertNormalizer", "Lowercase", "StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Strip", "Prepend",
		"Replace", "Replace", "Sequence", "Sequence", "Sequence"})
	n := map[string]any{"type": typ}
	switch typ {
	case "BertNormalizer":
		return g.bert()
	case "Strip":
		n["strip_left"], n["strip_right"] = g.flip(), g.flip()
	case "Prepend":
		n["prepend"] = g.bit()
	case "Replace":
		n["content"] = pick(g, []string{"", " ", "a", "\u0301", g.bit(), g.bit() + " " + g.bit(), "$1", `\1`})
		if g.flip() {
			n["pattern"] = map[string]any{"String": pick(g, []string{"a", " ", "é", "e\u0301", "\u0301", "[", ".", "-", "~", "中", g.bit()})}
			break
		}
		pattern := g.pattern(0)
		for _, err := onigRegexp(pattern); err != nil; _, err = onigRegexp(pattern) {
			pattern = g.pattern(0) // one that may be empty, mostly
		}
		n["pattern"] = map[string]any{"Regex": pattern}
	case "Sequence":
		some := []any{}
		for range g.IntN(4 - depth) {
			some = append(some, g.normalizer(depth+1))
		}
		n["normalizers"] = some
	}
	return n
}

// bit is a little valid text, of what hurts normalizers.
func (g *grammar) bit() string {
	return strings.ToValidUTF8(pick(g, []func() string{
		func() string { return pick(g, hurtWords) }, func() string { return pick(g, hurtSpaces) }, g.mark, g.edge,
		func() string { return pick(g, []string{"a", "b", "\u2581", "##", "_", "[SEP]"}) },
		func() string { return g.mapped(compatibility) },
	})(), "x")
}

// pattern is one in Oniguruma's syntax that is known here, most of the time.
func (g *grammar) pattern(depth int) string {
	if depth == 0 && g.IntN(3) == 0 {
		return pick(g, []string{`\s+`, `^\s+|\s+$`, ` {2,}`, `[^\w\s]`, `\d+`, "(``|'')", `\p{L}`, `\W$`, `\Aa`, `[a-cé]\z`, `.`, `[\s\S]`, `e\u0301?`, `[\x00-\x1f]`, `(?i)a`, `\bthe\b`, `\r?\n`})
	}
	atom := func() string {
		switch g.IntN(8) {
		case 0:
			return pick(g, []string{`\s`, `\S`, `\d`, `\D`, `\w`, `\W`, `.`, `\.`, `\-`, `\[`, `\\`, `\/`, `\t`, "-", "#", "&", "~", "}", "]", " "})
		case 1:
			return "[" + pick(g, []string{"", "^"}) + pick(g, []string{"a-c", "abc", `\s`, `\w-`, `\W`, `-a`, `a\]`, "\u0300-\u036f", "中é", `\S\d`, `a\-c`, "&"}) + "]"
		case 2:
			if depth < 3 {
				return pick(g, []string{"(", "(?:"}) + g.pattern(depth+1) + ")"
			}
			return "b"
		case 3:
			return string([]rune(g.bit())[:1])
		}
		return g.one('a', 'd')
	}
	one := func() string {
		return g.several(3, func() string {
			return atom() + pick(g, []string{"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}", "{1,3}?", "{0,1}"})
		})
	}
	text := one()
	for g.IntN(3) == 0 {
		text += "|" + one()
	}
	return text
}

// stepsOf returns the steps of a normalizer that is known to be read.
func stepsOf(raw map[string]any) []step {
	p := jsonParser{config: &sugarme.Config{Normalizer: raw}}
	if err := p.normalizer(); err != nil {
		panic(err)
	}
	if p.options.steps == nil {
		return []step{newCharTable(p.options.rules())}
	}
	return p.options.steps
}
