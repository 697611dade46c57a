package tokenizer

import (
	"fmt"
	"strings"
)

// Limits for tokenizer.json's normalizer, far above any that is known.
const (
	mostSteps = 64
	mostText  = 1 << 10 // bytes that a step may insert
)

// normalizer reads the normalizer: null, one, or a Sequence.
func (p *jsonParser) normalizer() error {
	raw := p.config.Normalizer
	if raw != nil && raw["type"] == "BertNormalizer" {
		r, strip, err := readBert("normalizer", raw)
		p.options.set(r)
		p.options.StripAccents = strip
		return err
	}
	n := normalizerParser{tables: make(map[rules]*charTable)}
	if raw != nil {
		if err := n.read("normalizer", raw); err != nil {
			return err
		}
	}
	p.options.normalizers = "none"
	if len(n.names) > 0 {
		p.options.normalizers = strings.Join(n.names, ", ")
	}
	// If the steps are the same as a BertNormalizer, use that.
	steps := n.fused()
	if len(steps) == 0 {
		p.options.set(rules{})
	} else if table, ok := steps[0].(*charTable); ok && len(steps) == 1 {
		p.options.set(table.rules)
	} else {
		p.options.steps = steps
	}
	return nil
}

// set sets o's switches of a BertNormalizer.
func (o *Options) set(r rules) {
	o.CleanText, o.ChineseChars, o.Lowercase, o.StripAccents = r.clean, r.chinese, r.lower, &r.strip
}

// rules returns o's switches of a BertNormalizer.
func (o *Options) rules() rules {
	return rules{clean: o.CleanText, chinese: o.ChineseChars, strip: o.strip(), lower: o.Lowercase}
}

// normalizerParser reads the steps of a Sequence, including nested Sequences, in order.
type normalizerParser struct {
	steps  []step
	names  []string // their types
	tables map[rules]*charTable
	pairs  map[[2]rune]rune // for NFC and NFKC
}

func (n *normalizerParser) table(r rules) *charTable {
	if n.tables[r] == nil {
		n.tables[r] = newCharTable(r)
	}
	return n.tables[r]
}

// fused removes steps that change nothing, since lower case has no other lower case, and
// merges a Lowercase into a BertNormalizer that follows it: the switches clean and chinese
// do not concern letters. (If it also strips accents, the order could matter.)
func (n *normalizerParser) fused() []step {
	var all []step
	lower := rules{lower: true}
	for _, s := range n.steps {
		table, ok := s.(*charTable)
		if last := len(all) - 1; ok && last >= 0 {
			before, _ := all[last].(*charTable)
			switch {
			case before != nil && before.lower && table.rules == lower:
				continue
			case before != nil && before.rules == lower && !table.strip:
				r := table.rules
				r.lower = true
				all[last] = n.table(r)
				continue
			}
		}
		if !ok || table.rules != (rules{}) {
			all = append(all, s)
		}
	}
	return all
}

// read reads a normalizer. field is its place in the file.
func (n *normalizerParser) read(field string, raw map[string]any) error {
	typ, _ := raw["type"].(string)
	if typ == "Sequence" {
		var s struct {
			Normalizers []map[string]any `json:"normalizers"`
		}
		if err := part(field, raw, &s, "Sequence"); err != nil {
			return err
		}
		if s.Normalizers == nil {
			return fmt.Errorf("%s.normalizers: want a list", field)
		}
		for i, one := range s.Normalizers {
			if err := n.read(fmt.Sprintf("%s.normalizers[%d]", field, i), one); err != nil {
				return err
			}
		}
		return nil
	}
	s, err := n.readOne(field, typ, raw)
	if err != nil {
		return err
	}
	if len(n.steps) == mostSteps {
		return fmt.Errorf("normalizer: more than %d, one after the other", mostSteps)
	}
	n.steps, n.names = append(n.steps, s), append(n.names, typ)
	return nil
}

func (n *normalizerParser) readOne(field, typ string, raw map[string]any) (step, error) {
	switch typ {
	case "BertNormalizer":
		r, _, err := readBert(field, raw)
		return n.table(r), err
	case "Lowercase":
		return n.table(rules{lower: true}), nil
	case "StripAccents":
		return stripAccents{}, nil
	case "NFC", "NFD", "NFKC", "NFKD":
		f := form{compatible: typ[2] == 'K'}
		if strings.HasSuffix(typ, "C") {
			if n.pairs == nil {
				n.pairs = compositions()
			}
			f.composes = n.pairs
		}
		return f, nil
	case "Strip":
		var s struct {
			Left  *bool `json:"strip_left"`
			Right *bool `json:"strip_right"`
		}
		if err := part(field, raw, &s, typ); err != nil {
			return nil, err
		}
		if s.Left == nil || s.Right == nil {
			return nil, fmt.Errorf("%s: want strip_left and strip_right", field)
		}
		return strip{*s.Left, *s.Right}, nil
	case "Prepend":
		var s struct {
			Prepend *string `json:"prepend"`
		}
		err := part(field, raw, &s, typ)
		if err == nil {
			err = shortText(field+".prepend", s.Prepend)
		}
		if err != nil {
			return nil, err
		}
		return prepend(*s.Prepend), nil
	case "Replace":
		return readReplace(field, raw)
	}
	return nil, fmt.Errorf("%s: type %.40q is not supported, want BertNormalizer, Lowercase, StripAccents, NFC, NFD, NFKC, NFKD, Strip, Prepend, Replace or a Sequence of these", field, typ)
}

// readBert reads a BertNormalizer. strip is its strip_accents; null means the same as
// lowercase.
func readBert(field string, raw map[string]any) (r rules, strip *bool, err error) {
	var n struct {
		Clean   *bool `json:"clean_text"`
		Chinese *bool `json:"handle_chinese_chars"`
		Strip   *bool `json:"strip_accents"`
		Lower   *bool `json:"lowercase"`
	}
	if err := part(field, raw, &n, "BertNormalizer"); err != nil {
		return r, nil, err
	}
	for _, f := range []struct {
		name     string
		from, to *bool
	}{
		{"clean_text", n.Clean, &r.clean},
		{"handle_chinese_chars", n.Chinese, &r.chinese},
		{"lowercase", n.Lower, &r.lower},
	} {
		if f.from == nil {
			return r, nil, fmt.Errorf("%s.%s: missing", field, f.name)
		}
		*f.to = *f.from
	}
	r.strip = Options{Lowercase: r.lower, StripAccents: n.Strip}.strip()
	return r, n.Strip, nil
}

func readReplace(field string, raw map[string]any) (step, error) {
	var s struct {
		Pattern map[string]string `json:"pattern"`
		Content *string           `json:"content"`
	}
	if err := part(field, raw, &s, "Replace"); err != nil {
		return nil, err
	}
	text, literal := s.Pattern["String"]
	regex, ok := s.Pattern["Regex"]
	if literal == ok || len(s.Pattern) != 1 {
		return nil, fmt.Errorf(`%s.pattern: want an object with "String" or "Regex"`, field)
	}
	if err := shortText(field+".content", s.Content); err != nil {
		return nil, err
	}
	r := replace{with: *s.Content}
	if literal {
		r.text = []byte(text)
		err := shortText(field+".pattern.String", &text)
		if err == nil && text == "" {
			err = fmt.Errorf("%s.pattern.String: the empty text is not supported", field)
		}
		return r, err
	}
	var err error
	if r.pattern, err = onigRegexp(regex); err != nil {
		return nil, fmt.Errorf("%s.pattern.Regex: %w", field, err)
	}
	return r, nil
}

// shortText returns an error if a field is missing or too long.
func shortText(field string, text *string) error {
	switch {
	case text == nil:
		return fmt.Errorf("%s: missing", field)
	case len(*text) > mostText:
		return fmt.Errorf("%s: %d bytes, want at most %d", field, len(*text), mostText)
	}
	return nil
}
