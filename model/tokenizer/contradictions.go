package tokenizer

import (
	"fmt"
	"strings"
)

// tokenizer.json and tokenizer_config.json say some of the same things. Python's tokenizers
// go by the second and all others by the first; here is what we do where they differ.

// byJSON reports whether the class, in transformers too, normalises as tokenizer.json says.
func (c *config) byJSON() bool {
	return c.Class != nil && (strings.HasPrefix(*c.Class, "PreTrainedTokenizer") || *c.Class == "TokenizersBackend")
}

// agrees reports whether c says the same about normalisation as tokenizer.json.
// Where it does not, Python's BertTokenizer goes by this file and all others by that
// one, so neither would be right. A class that goes by that one itself reads none of this.
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

// silent warns where tokenizer.json normalises in a way that BertTokenizer does only if
// this file says so: Python's tokenizers go by its defaults where it is silent, all others
// by tokenizer.json, as we do.
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

// overrules changes o, whose normalizer in tokenizer.json is more or less than a
// BertNormalizer, to the BertNormalizer that this file says; and warns of it. That is what
// transformers 5 does: version 4, and all others, go by tokenizer.json. Where this file
// says nothing, version 5 does that all the same, but we do not.
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

// sameSpecials returns an error where this file names other special tokens than
// tokenizer.json has: Python's tokenizers go by this file, and all others by that one.
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
