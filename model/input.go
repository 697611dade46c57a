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

// Input is what sentence-transformers' files say of a pair of texts before it becomes
// tokens. The zero value says nothing: then the tokenizer's own files count.
type Input struct {
	Prompts       map[string]string // by name: texts that are put before a query
	DefaultPrompt string            // the name of the one for callers that name none; "": no prompt then
	MaxLength     int               // tokens of a pair, special tokens included; 0: the tokenizer's
	LengthSource  string            // the file and the field that MaxLength is from
	// Strategy is how pairs that are too long are cut: longest_first, only_first,
	// only_second or do_not_truncate; "": longest_first.
	Strategy  string
	Lowercase bool // texts are put into lower case, whatever the tokenizer does then
}

// Prompt returns the prompt of a name.
func (in *Input) Prompt(name string) (string, error) {
	prompt, ok := in.Prompts[name]
	switch {
	case ok:
		return prompt, nil
	case len(in.Prompts) == 0:
		return "", fmt.Errorf("model: no prompt %.80q: the checkpoint has no prompts", name)
	}
	return "", fmt.Errorf("model: no prompt %.80q: the checkpoint has %s", name, quoted(slices.Sorted(maps.Keys(in.Prompts))))
}

// quoted lists names, as many as fit in an error.
func quoted(names []string) string {
	const most = 20
	var all []string
	for i, name := range names {
		if i == most {
			all = append(all, "...")
			break
		}
		all = append(all, fmt.Sprintf("%.80q", name))
	}
	return strings.Join(all, ", ")
}

// prompts reads them and which is the default. A prompt that is null is empty, as in the
// library.
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
		f.bad(name, "%.80q, want one of prompts: %s", in.DefaultPrompt, quoted(slices.Sorted(maps.Keys(in.Prompts))))
	}
}

// read reads the settings of the Transformer in root.
func (in *Input) read(root fs.FS, s *Spec) error {
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
	if len(f.raw) == 0 {
		return fmt.Errorf("%w: %s is missing, though %s counts: without its transformer_task sentence-transformers finds no head", ErrConfig, modules.InputSettings[0], modules.File)
	}
	in.headOf(f)
	if f.has("max_seq_length") && f.whole("max_seq_length", &in.MaxLength) {
		in.LengthSource = f.file + ": max_seq_length"
		if in.MaxLength < 3 {
			f.bad("max_seq_length", "%d, want a whole number from 3", in.MaxLength)
		}
	}
	if f.has("do_lower_case") {
		in.Lowercase = f.isTrue("do_lower_case")
	}
	if f.has("processing_kwargs") {
		in.processing(f, s)
	}
	f.refuseUnknown(inputKeys)
	return f.err
}

// headOf refuses settings by which the library reads something else than the logits of
// the head. What they leave out asks for embeddings.
func (in *Input) headOf(f *fields) {
	for _, member := range []struct{ name, want string }{{"transformer_task", "sequence-classification"}, {"module_output_name", "scores"}} {
		var got string
		switch {
		case f.raw[member.name] == nil && (member.name == "transformer_task" || f.raw["modality_config"] != nil):
			f.bad(member.name, "missing, want %q: without it sentence-transformers makes embeddings, and no scores", member.want)
		case f.raw[member.name] != nil && f.text(member.name, &got) && got != member.want:
			f.bad(member.name, "%.80q, want %q", got, member.want)
		}
	}
	if f.raw["modality_config"] == nil {
		return
	}
	const want = `want {"text":{"method":"forward","method_output_name":"logits"}}`
	shown := jsonscan.Shown(f.raw["modality_config"])
	var modes map[string]map[string]any
	if !f.read("modality_config", &modes, "an object") {
		return
	}
	text := modes["text"]
	output := text["method_output_name"]
	if list, ok := output.([]any); ok && len(list) == 1 {
		output = list[0]
	}
	// With a "message" mode the library makes a conversation of the pair.
	if text["method"] != "forward" || output != "logits" || modes["message"] != nil {
		f.bad("modality_config", "%s, %s", shown, want)
	}
}

// processing reads how the library calls the tokenizer for a pair: common counts more
// than text.
func (in *Input) processing(f *fields, s *Spec) {
	all := fields{file: f.file + ": processing_kwargs"}
	if !f.read("processing_kwargs", &all.raw, "an object") {
		return
	}
	s.warnUnknown(&all, processingKeys) // as the library does, which does not use them either
	unsaid := Input{MaxLength: in.MaxLength, LengthSource: in.LengthSource}
	for _, name := range []string{"text", "common"} {
		if !all.has(name) {
			continue
		}
		part := fields{file: all.file + ": " + name}
		if all.read(name, &part.raw, "an object") {
			in.call(&part, &unsaid)
			all.err = firstError(all.err, part.err)
		}
	}
	f.err = firstError(f.err, all.err)
}

// call reads the arguments of a call of the tokenizer. A max_length of null is the one that
// unsaid has, whatever was read before.
func (in *Input) call(f *fields, unsaid *Input) {
	if raw, ok := f.raw["max_length"]; ok && jsonscan.IsNull(raw) {
		in.MaxLength, in.LengthSource = unsaid.MaxLength, unsaid.LengthSource
	} else if f.whole("max_length", &in.MaxLength) {
		in.LengthSource = f.file + ": max_length"
		if in.MaxLength < 3 {
			f.bad("max_length", "%d, want a whole number from 3, for the special tokens", in.MaxLength)
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
	for _, name := range f.unknown(slices.AppendSeq(slices.Clone(textKeys), maps.Keys(plainText))) {
		f.bad(shortened(name), "%s is not supported: what it means is not known here", jsonscan.Shown(f.raw[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(plainText)) {
		if raw, ok := f.raw[name]; ok && !slices.Contains(plainText[name], jsonscan.Shown(raw)) {
			f.bad(name, "%s is not supported, want %s", jsonscan.Shown(raw), plainText[name][0])
		}
	}
}

// errNoConfig is the error of a Transformer's folder without a config.json.
func errNoConfig(root string, err error) error {
	if root == "." || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %s: the folder %.80q of its first module has no config.json: %w", ErrConfig, modules.File, root, fs.ErrNotExist)
}
