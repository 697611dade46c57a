package tokenizer

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// configKeys are the keys of tokenizer_config.json: those that are read here and in
// limits.go, and those that change no pair's tokens. Which those are was found by changing
// each in a real model and looking whether the library's logits change.
var configKeys = strings.Fields(`
tokenizer_class do_lower_case strip_accents tokenize_chinese_chars do_basic_tokenize model_max_length max_len truncation_side model_input_names
unk_token sep_token cls_token pad_token mask_token additional_special_tokens extra_special_tokens model_specific_special_tokens
added_tokens_decoder split_special_tokens padding_side

max_length stride truncation_strategy truncation padding pad_to_multiple_of pad_token_type_id
bos_token eos_token add_bos_token add_eos_token add_prefix_space never_split clean_up_tokenization_spaces trim_offsets wordpieces_prefix
name_or_path special_tokens_map_file tokenizer_file vocab_file full_tokenizer_file sp_model_kwargs errors
backend is_local local_files_only processor_class auto_map chat_template from_slow use_fast legacy verbose return_token_type_ids`)

// check looks at the fields that nothing else reads, and holds the special tokens to those
// of o, which are the tokenizer's; byJSON says that they are from tokenizer.json. What would
// make other tokens in the library is an error, what nobody knows a warning.
func (c *config) check(fsys fs.FS, o *Options, byJSON bool) (warnings []string, err error) {
	var raw map[string]json.RawMessage
	if err := readJSON(fsys, configFile, &raw); err != nil {
		return nil, err
	}
	if byJSON {
		if err := c.sameSpecials(o); err != nil {
			return nil, err
		}
	}
	for _, token := range contents(raw["added_tokens_decoder"]) {
		if err := o.has("added_tokens_decoder", token); err != nil {
			return nil, err
		}
	}
	if v, ok := raw["split_special_tokens"]; ok && !jsonscan.SaysNothing(v) {
		return nil, fmt.Errorf("tokenizer: %s: split_special_tokens %s is not supported, want false", configFile, jsonscan.Shown(v))
	}
	for _, field := range []string{"additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens"} {
		for _, token := range contents(raw[field]) {
			if err := o.has(field, token); err != nil {
				return nil, err
			}
		}
	}
	if v, ok := raw["padding_side"]; ok && jsonscan.Shown(v) == `"left"` {
		warnings = append(warnings, configFile+`: padding_side is "left": in a batch the libraries' scores then depend on the longest pair; here each pair is scored as if alone`)
	}
	var unknown []string
	for name, v := range raw {
		if !slices.Contains(configKeys, name) && !jsonscan.SaysNothing(v) {
			unknown = append(unknown, fmt.Sprintf("%.80q", name))
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		const most = 3
		if len(unknown) > most {
			unknown = append(unknown[:most], "...")
		}
		warnings = append(warnings, fmt.Sprintf("%s: what %s means is not known here, and it is not used", configFile, strings.Join(unknown, ", ")))
	}
	return warnings, nil
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

// has returns an error unless a token is among those that are found in the text before all
// else.
func (o *Options) has(field, token string) error {
	if slices.ContainsFunc(o.Added, func(a AddedToken) bool { return a.Content == token }) {
		return nil
	}
	return fmt.Errorf("tokenizer: %s: %s: %.80q is not among the added tokens of the tokenizer, want a %s with it", configFile, field, token, jsonFile)
}

// contents returns the tokens of a list or an object of tokens, each a text or an object
// with its flags.
func contents(raw json.RawMessage) (all []string) {
	var list []tokenJSON
	var byName map[string]tokenJSON
	switch {
	case raw == nil:
	case json.Unmarshal(raw, &list) == nil:
		for _, t := range list {
			all = append(all, t.Content)
		}
	case json.Unmarshal(raw, &byName) == nil:
		for _, t := range byName {
			all = append(all, t.Content)
		}
		slices.Sort(all)
	}
	return all
}
