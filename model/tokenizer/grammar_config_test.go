package tokenizer

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

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
	normalizer := g.bert()
	if g.flip() {
		normalizer = g.normalizer(0)
	}
	c.json = tokenizerFile{
		Version:    "1.0",
		Normalizer: normalizer,
		Words:      map[string]any{"type": "BertPreTokenizer"},
		Model: map[string]any{"type": "WordPiece", "max_input_chars_per_word": c.chars,
			"continuing_subword_prefix": pick(g, []string{"##", "##", "##", "@", "#", "\u2581", "a", "é", " ", "\u0301"}),
			"unk_token":                 pick(g, []string{"[UNK]", "[UNK]", "<unk>", "a", "\u4e2d"})},
	}
	// Two tokens with the same normalised text: which is found the library leaves
	// to chance, so no two have one.
	steps := stepsOf(normalizer)
	seen := map[string]bool{}
	add := func(a addedInFile) {
		n, err := normalized(steps, a.Content, 0, len(a.Content), false)
		if err != nil {
			panic(err) // of so short a text
		}
		key := string(n.text)
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
