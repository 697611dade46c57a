package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// The files that sentence-transformers writes beside config.json; from version 5.4 on for
// cross-encoders, too.
const (
	modulesFile     = "modules.json"
	librarySettings = "config_sentence_transformers.json"
	inputSettings   = "sentence_bert_config.json"
)

// readModules reads what sentence-transformers keeps of a cross-encoder: its activation
// counts more than that of config.json. What would make its scores other than the bare
// model's is refused by name. Of anything but a cross-encoder's modules the library takes
// the bare model too, so that those files do not matter.
func (s *spec) readModules(fsys fs.FS) error {
	data, err := readSmall(fsys, modulesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	settings, err := readFields(fsys, librarySettings)
	if err != nil {
		return err
	}
	var kind string
	if settings.has("model_type") {
		settings.text("model_type", &kind)
	}
	if kind != "CrossEncoder" {
		return settings.err
	}
	if settings.has(newActivation) {
		s.namedActivation(settings, newActivation)
	}
	if s.Activation == "" && s.Labels > 0 {
		s.Activation = defaultActivation(s.Labels)
	}
	settings.refusePrompt()
	if settings.err != nil {
		return settings.err
	}
	if err := onlyTransformer(data); err != nil {
		return err
	}
	input, err := readFields(fsys, inputSettings)
	if err != nil {
		return err
	}
	for _, name := range []string{"processing_kwargs", "max_seq_length", "do_lower_case"} {
		if v := strings.TrimSpace(string(input.raw[name])); input.has(name) && v != "{}" && v != "false" {
			input.bad(name, "%s is not supported", jsonscan.Shown(input.raw[name]))
		}
	}
	return input.err
}

// readFields reads a small file, which has no fields where it is not there.
func readFields(fsys fs.FS, name string) (*fields, error) {
	data, err := readSmall(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return &fields{file: name}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseFields(name, data)
}

// refusePrompt refuses a text that would be put before every query.
func (f *fields) refusePrompt() {
	if !f.has("default_prompt_name") {
		return
	}
	var name string
	var prompts map[string]string
	if f.text("default_prompt_name", &name) && f.read("prompts", &prompts, "an object of texts") && prompts[name] != "" {
		f.bad("default_prompt_name", "%.80q: the prompt %.80q before every query is not supported", name, prompts[name])
	}
}

// onlyTransformer refuses modules after the model itself, and other modules than it.
func onlyTransformer(data []byte) error {
	var modules []struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &modules); err != nil {
		return fmt.Errorf("%w: %s: %s, want a list of modules", ErrConfig, modulesFile, jsonscan.Shown(data))
	}
	for i, m := range modules {
		if i > 0 || !strings.HasSuffix(m.Type, ".Transformer") {
			return fmt.Errorf("%w: %s: module %d is %.80q: want a Transformer alone", ErrConfig, modulesFile, i, m.Type)
		}
	}
	return nil
}
