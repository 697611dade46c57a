package tokenizer

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// configKeys are the keys of tokenizer_config.json: those that this package reads and,
// after the empty line, those that do not change the tokens of any pair. The latter were
// found by changing each in a real model and comparing the library's logits.
var configKeys = strings.Fields(`
tokenizer_class do_lower_case strip_accents tokenize_chinese_chars do_basic_tokenize model_max_length max_len truncation_side model_input_names
unk_token sep_token cls_token pad_token mask_token additional_special_tokens extra_special_tokens model_specific_special_tokens
added_tokens_decoder split_special_tokens padding_side

max_length stride truncation_strategy truncation padding pad_to_multiple_of pad_token_type_id
bos_token eos_token add_bos_token add_eos_token add_prefix_space never_split clean_up_tokenization_spaces trim_offsets wordpieces_prefix
name_or_path special_tokens_map_file tokenizer_file vocab_file full_tokenizer_file sp_model_kwargs errors
backend is_local local_files_only processor_class auto_map chat_template from_slow use_fast legacy verbose return_token_type_ids`)

// check checks the fields that nothing else reads, and compares the special tokens with
// those of o, the tokenizer's; fromJSON says that o is from tokenizer.json. A field with
// which the library would produce other tokens is an error, an unknown field a warning.
func (c *config) check(fsys fs.FS, o *Options, fromJSON bool) (warnings []string, err error) {
	var raw map[string]json.RawMessage
	if err := readJSON(fsys, configFile, &raw); err != nil {
		return nil, err
	}
	if fromJSON {
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
	if unknown := jsonscan.Unknown(raw, configKeys); len(unknown) > 0 {
		const most = 3 // that are listed
		warnings = append(warnings, fmt.Sprintf("%s: what %s means is not known here, and it is not used", configFile, jsonscan.Quoted(unknown, most)))
	}
	return warnings, nil
}

// has returns an error unless a token is one of the added tokens of o.
func (o *Options) has(field, token string) error {
	if slices.ContainsFunc(o.Added, func(a AddedToken) bool { return a.Content == token }) {
		return nil
	}
	return fmt.Errorf("tokenizer: %s: %s: %.80q is not among the added tokens of the tokenizer, want a %s with it", configFile, field, token, jsonFile)
}

// contents returns the tokens in a list or an object of tokens. Each is a text, or an
// object with flags.
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
