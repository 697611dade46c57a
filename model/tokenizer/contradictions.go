package tokenizer

import (
	"fmt"
	"strings"
)

// tokenizer.json and tokenizer_config.json overlap in what they say. If they differ,
// Python's tokenizers follow tokenizer_config.json, and all other libraries tokenizer.json.
// This file has what we do then.

// byJSON reports whether transformers, for this class, normalises as tokenizer.json says.
func (c *config) byJSON() bool {
	return c.Class != nil && (strings.HasPrefix(*c.Class, "PreTrainedTokenizer") || *c.Class == "TokenizersBackend")
}

// agrees returns an error if c and tokenizer.json say different things about normalisation.
// Python's BertTokenizer then follows c, and all others follow tokenizer.json, so neither
// would be right. For a class that follows tokenizer.json in Python, too, it checks
// nothing.
func (c *config) agrees(o Options) error {
	if c.byJSON() {
		return nil
	}
	for _, f := range []struct {
		name string
		here *bool
		json any
	}{
		{"do_lower_case", c.Lower, o.Lowercase},
		{"tokenize_chinese_chars", c.ChineseChars, o.ChineseChars},
		{"strip_accents", c.StripAccents, o.strip()},
	} {
		if f.here != nil && *f.here != f.json {
			return fmt.Errorf("tokenizer: %s: %s is %t, but %s has %t", configFile, f.name, *f.here, jsonFile, f.json)
		}
	}
	return nil
}

// silent warns if tokenizer.json asks for a normalisation that BertTokenizer does only if
// tokenizer_config.json says so, and that file does not mention it. Python's tokenizers
// then use its defaults; all others follow tokenizer.json, as we do.
func (c *config) silent(o Options) []string {
	if c.byJSON() {
		return nil
	}
	var all []string
	for _, f := range []struct {
		name      string
		said      bool
		json, not bool
	}{
		{"do_lower_case", c.Lower != nil, o.Lowercase, true},
		{"tokenize_chinese_chars", c.ChineseChars != nil, o.ChineseChars, true},
		{"strip_accents", c.StripAccents != nil, o.strip(), o.Lowercase},
	} {
		if !f.said && f.json != f.not {
			all = append(all, fmt.Sprintf("%s has no %s, and %s has %t: Python's BertTokenizer takes %t", configFile, f.name, jsonFile, f.json, f.not))
		}
	}
	return all
}

// overrules changes o, if the normalizer in tokenizer.json is not simply a BertNormalizer,
// to the BertNormalizer that tokenizer_config.json describes, and returns a warning.
// transformers 5 does the same; version 4, and all other libraries, follow tokenizer.json.
// If tokenizer_config.json says nothing, version 5 uses its defaults, but we do not.
func (c *config) overrules(o *Options) []string {
	if c.byJSON() {
		return nil
	}
	said := ""
	bert := rules{clean: true, chinese: true, lower: true}
	for _, f := range []struct {
		name string
		here *bool
		to   *bool
	}{
		{"tokenize_chinese_chars", c.ChineseChars, &bert.chinese},
		{"do_lower_case", c.Lower, &bert.lower},
		{"strip_accents", c.StripAccents, &bert.strip},
	} {
		if f.here != nil {
			*f.to = *f.here
			said += fmt.Sprintf(", %s %t", f.name, *f.here)
		}
	}
	if c.StripAccents == nil {
		bert.strip = bert.lower
	}
	if o.steps == nil && o.rules() == bert {
		return nil
	}
	if said == "" {
		return []string{fmt.Sprintf("%s normalizes by %.80s: so do we, but BertTokenizer of transformers 5 does not look there", jsonFile, o.normalizers)}
	}
	warning := fmt.Sprintf("%s normalizes by %.80s, and %s has%s: %[3]s counts, as in transformers 5; version 4 goes by %[1]s", jsonFile, o.normalizers, configFile, said[1:])
	o.steps = nil
	o.set(bert)
	return []string{warning}
}

// sameSpecials returns an error if tokenizer_config.json names other special tokens than
// tokenizer.json: Python's tokenizers follow the first, and all others the second.
func (c *config) sameSpecials(o *Options) error {
	for _, special := range []struct {
		field string
		here  *tokenJSON
		json  string
	}{
		{"unk_token", c.Unknown, orElse(o.Unknown, "[UNK]")}, {"cls_token", c.specialNames.Class, orElse(o.Class, "[CLS]")}, {"sep_token", c.Separator, orElse(o.Separator, "[SEP]")},
	} {
		if special.here != nil && special.here.Content != special.json {
			return fmt.Errorf("tokenizer: %s: %s is %.80q, but %s has %.80q", configFile, special.field, special.here.Content, jsonFile, special.json)
		}
	}
	return nil
}
