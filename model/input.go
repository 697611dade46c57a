package model

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
	"github.com/minilm-metal/minilm-metal/model/modules"
)

// Input is what sentence-transformers' files say about a pair of texts before it is
// tokenized. The zero value says nothing, so that the tokenizer's own files count.
type Input struct {
	Prompts       map[string]string // texts to be put before a query, by name
	DefaultPrompt string            // the name of the prompt for callers that ask for none; "": no prompt
	MaxLength     int               // the most tokens in a pair, special tokens included; 0: the tokenizer's files say
	LengthSource  string            // the file and field that MaxLength comes from
	// Strategy says how a pair that is too long is cut: longest_first, only_first,
	// only_second or do_not_truncate. "" means longest_first.
	Strategy  string
	Lowercase bool // texts are converted to lower case before the tokenizer
}

// Prompt returns the prompt with that name. If there is none, the error lists the names
// that exist.
func (in *Input) Prompt(name string) (string, error) {
	prompt, ok := in.Prompts[name]
	switch {
	case ok:
		return prompt, nil
	case len(in.Prompts) == 0:
		return "", fmt.Errorf("model: no prompt %.80q: the model has no prompts", name)
	}
	return "", fmt.Errorf("model: no prompt %.80q: the model has %s", name, jsonscan.Quoted(slices.Sorted(maps.Keys(in.Prompts)), mostPrompts))
}

// mostPrompts is how many names of prompts an error lists.
const mostPrompts = 20

// prompts reads the prompts and the name of the default. As in the library, a prompt that
// is null is empty.
func (in *Input) prompts(f *fields) {
	var prompts map[string]*string
	if f.raw["prompts"] != nil && f.read("prompts", &prompts, "an object of texts") {
		in.Prompts = make(map[string]string, len(prompts))
		for name, prompt := range prompts {
			if in.Prompts[name] = ""; prompt != nil {
				in.Prompts[name] = *prompt
			}
		}
	}
	const name = "default_prompt_name"
	if !f.has(name) || !f.text(name, &in.DefaultPrompt) {
		return
	}
	if _, ok := in.Prompts[in.DefaultPrompt]; !ok || in.DefaultPrompt == "" {
		f.bad(name, "%.80q, want one of prompts: %s", in.DefaultPrompt, jsonscan.Quoted(slices.Sorted(maps.Keys(in.Prompts)), mostPrompts))
	}
}

// read reads the settings of the module Transformer from its folder, root. A setting that
// changes scores is either followed or refused.
func (in *Input) read(root fs.FS, s *Spec, of output) error {
	var f *fields
	for _, name := range modules.InputSettings {
		var err error
		if f, err = readFields(root, name); err != nil {
			return err
		}
		if len(f.raw) > 0 {
			break
		}
	}
	if len(f.raw) == 0 && of != scores {
		return nil // an old embedder: there the library takes what it needs from other files
	}
	if len(f.raw) == 0 {
		return fmt.Errorf("%w: %s is missing: where there is a %s, sentence-transformers finds no head without the transformer_task in it", ErrConfig, modules.InputSettings[0], modules.File)
	}
	of.check(f)
	if f.has("max_seq_length") && f.whole("max_seq_length", &in.MaxLength) {
		in.LengthSource = f.file + ": max_seq_length"
		if least := of.least(); in.MaxLength < least {
			f.bad("max_seq_length", "%d, want a whole number from %d", in.MaxLength, least)
		}
	}
	if f.has("do_lower_case") {
		in.Lowercase = f.isTrue("do_lower_case")
	}
	if f.has("processing_kwargs") {
		in.processing(f, s, of.least())
	}
	f.refuseUnknown(inputKeys)
	return f.err
}

// output is what the library reads of a Transformer, in the words of its settings.
type output struct{ task, name, method string }

var (
	scores     = output{"sequence-classification", "scores", "logits"}
	embeddings = output{"feature-extraction", "token_embeddings", "last_hidden_state"}
)

// least is how many special tokens there are around what the tokenizer is given.
func (o output) least() int {
	if o == scores {
		return 3 // a pair
	}
	return 2 // a text
}

// check refuses settings with which the library would read something other than that. If such
// settings are missing, it would read embeddings.
func (o output) check(f *fields) {
	for _, member := range []struct{ name, want string }{{"transformer_task", o.task}, {"module_output_name", o.name}} {
		var got string
		switch {
		case o == scores && f.raw[member.name] == nil && (member.name == "transformer_task" || f.raw["modality_config"] != nil):
			f.bad(member.name, "missing, want %q: without it sentence-transformers makes embeddings, and no scores", member.want)
		case f.raw[member.name] != nil && f.text(member.name, &got) && got != member.want:
			f.bad(member.name, "%.80q, want %q", got, member.want)
		}
	}
	if f.raw["modality_config"] == nil {
		return
	}
	want := fmt.Sprintf(`want {"text":{"method":"forward","method_output_name":%q}}`, o.method)
	shown := jsonscan.Shown(f.raw["modality_config"])
	var modes map[string]map[string]any
	if !f.read("modality_config", &modes, "an object") {
		return
	}
	text := modes["text"]
	output := text["method_output_name"] // or a list of one
	if list, ok := output.([]any); ok && len(list) == 1 {
		output = list[0]
	}
	// With a "message" mode the library makes a conversation from the pair.
	if text["method"] != "forward" || output != o.method || modes["message"] != nil {
		f.bad("modality_config", "%s, %s", shown, want)
	}
}

// processing reads the arguments with which sentence-transformers calls the tokenizer for a
// pair. If both common and text have an argument, the one in common counts.
func (in *Input) processing(f *fields, s *Spec, least int) {
	all := fields{file: f.file + ": processing_kwargs"}
	if !f.read("processing_kwargs", &all.raw, "an object") {
		return
	}
	s.warnUnknown(&all, processingKeys) // the library does not use unknown keys either
	unsaid := Input{MaxLength: in.MaxLength, LengthSource: in.LengthSource}
	for _, name := range []string{"text", "common"} {
		if !all.has(name) {
			continue
		}
		part := fields{file: all.file + ": " + name}
		if all.read(name, &part.raw, "an object") {
			in.call(&part, &unsaid, least)
			all.err = firstError(all.err, part.err)
		}
	}
	f.err = firstError(f.err, all.err)
}

// call reads the arguments for a call of the tokenizer. A max_length of null means that of
// unsaid, which held before any arguments were read.
func (in *Input) call(f *fields, unsaid *Input, least int) {
	if raw, ok := f.raw["max_length"]; ok && jsonscan.IsNull(raw) {
		in.MaxLength, in.LengthSource = unsaid.MaxLength, unsaid.LengthSource
	} else if f.whole("max_length", &in.MaxLength) {
		in.LengthSource = f.file + ": max_length"
		if in.MaxLength < least {
			f.bad("max_length", "%d, want a whole number from %d, for the special tokens", in.MaxLength, least)
		}
	}
	if raw, ok := f.raw["truncation"]; ok {
		switch value := jsonscan.Shown(raw); value {
		case "true":
			in.Strategy = "longest_first"
		case "false", "null":
			in.Strategy = "do_not_truncate"
		case `"longest_first"`, `"only_first"`, `"only_second"`, `"do_not_truncate"`:
			in.Strategy = strings.Trim(value, `"`)
		default:
			f.bad("truncation", "%s, want true, false, longest_first, only_first, only_second or do_not_truncate", value)
		}
	}
	for _, name := range jsonscan.Unknown(f.raw, slices.AppendSeq(slices.Clone(textKeys), maps.Keys(plainText))) {
		f.bad(shortened(name), "%s is not supported: what it means is not known here", jsonscan.Shown(f.raw[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(plainText)) {
		if raw, ok := f.raw[name]; ok && !slices.Contains(plainText[name], jsonscan.Shown(raw)) {
			f.bad(name, "%s is not supported, want %s", jsonscan.Shown(raw), plainText[name][0])
		}
	}
}

// errNoConfig returns the error of a Transformer's folder without a config.json.
func errNoConfig(root string, err error) error {
	if root == "." || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %s: the folder %.80q of its first module has no config.json: %w", ErrConfig, modules.File, root, fs.ErrNotExist)
}
