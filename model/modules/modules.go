// Package modules reads modules.json, by which sentence-transformers puts a model together
// since its version 2, and a cross-encoder since 5.4: which parts there are, and in which
// folders of the checkpoint.
package modules

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

const (
	// File is the list of the modules, at the top of a checkpoint.
	File = "modules.json"
	// Settings is the file beside it that says, among other things, which kind of model
	// they make.
	Settings = "config_sentence_transformers.json"
)

// InputSettings are the names that the settings of a Transformer, in its folder, have had.
// The first one that holds something counts, as in sentence-transformers.
var InputSettings = []string{"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json", "sentence_camembert_config.json",
	"sentence_albert_config.json", "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json"}

// MaxBytes bounds what is read of each of these files; real ones have under 4 KB.
const MaxBytes = 1 << 20

const (
	maxValues  = 1 << 15 // JSON values in one of them
	maxModules = 64      // real models have up to 5
)

// Module is an entry of the list.
type Module struct {
	Type   string // the class in Python, such as "sentence_transformers.models.Transformer"
	Folder string // of the checkpoint: a slash path, "." for its top
}

// IsTransformer reports whether a module is the model of config.json, by any of the names
// that versions of sentence-transformers have had for the class.
func (m Module) IsTransformer() bool {
	return strings.HasPrefix(m.Type, "sentence_transformers.") && strings.HasSuffix(m.Type, ".Transformer")
}

// known are the keys of an entry. idx and name change nothing, and kwargs names arguments
// that are not passed for pairs.
var known = []string{"type", "path", "idx", "name", "kwargs"}

// Parse reads the contents of modules.json. Errors begin with its name.
func Parse(data []byte) ([]Module, error) {
	var list []map[string]json.RawMessage
	if err := jsonscan.Check(data, maxValues); err != nil {
		return nil, fmt.Errorf("%s: %w", File, err)
	}
	if err := json.Unmarshal(data, &list); err != nil || list == nil {
		return nil, fmt.Errorf("%s: %s, want a list of modules", File, jsonscan.Shown(data))
	}
	if len(list) > maxModules {
		return nil, fmt.Errorf("%s: %d modules, want at most %d", File, len(list), maxModules)
	}
	all := make([]Module, 0, len(list))
	for i, fields := range list {
		one, err := parse(fields)
		if err != nil {
			return nil, fmt.Errorf("%s: module %d: %w", File, i, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func parse(fields map[string]json.RawMessage) (m Module, err error) {
	for _, member := range []struct {
		name string
		to   *string
	}{{"type", &m.Type}, {"path", &m.Folder}} {
		raw, ok := fields[member.name]
		if !ok {
			return m, fmt.Errorf("%s: missing", member.name)
		}
		if jsonscan.IsNull(raw) || json.Unmarshal(raw, member.to) != nil {
			return m, fmt.Errorf("%s: %s, want a string", member.name, jsonscan.Shown(raw))
		}
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if raw := fields[name]; !slices.Contains(known, name) && !jsonscan.SaysNothing(raw) {
			return m, fmt.Errorf("%.80q: %s is not supported: what it means is not known here", name, jsonscan.Shown(raw))
		}
	}
	// As in the library, a drive of Windows and a step upwards are none on any system.
	if strings.ContainsAny(m.Folder, "\\:\x00") || path.IsAbs(m.Folder) || slices.Contains(strings.Split(m.Folder, "/"), "..") || !fs.ValidPath(path.Clean(m.Folder)) {
		return m, fmt.Errorf("path: %.80q, want a folder of the checkpoint", m.Folder)
	}
	m.Folder = path.Clean(m.Folder)
	return m, nil
}

// IsCrossEncoder reports whether the settings beside modules.json, by their contents, say
// that the modules make a cross-encoder. Of a model of any other kind, sentence-transformers
// takes config.json and no modules where pairs are to be scored.
func IsCrossEncoder(settings []byte) bool {
	var fields map[string]json.RawMessage
	var kind string
	return json.Unmarshal(settings, &fields) == nil && json.Unmarshal(fields["model_type"], &kind) == nil && kind == "CrossEncoder"
}

// Root returns the folder of a checkpoint's files that has config.json, the weights and
// the tokenizer's files: that of the Transformer among the modules of a cross-encoder, else
// ".", also where these files cannot be read, which package model says.
func Root(fsys fs.FS) string {
	data, err := Read(fsys, File)
	if err != nil {
		return "."
	}
	settings, err := Read(fsys, Settings)
	if err != nil || !IsCrossEncoder(settings) {
		return "."
	}
	list, err := Parse(data)
	if err != nil || len(list) == 0 || !list[0].IsTransformer() {
		return "."
	}
	return list[0].Folder
}

// Read reads one of these files. What is large, or deep, beyond all proportion is an error.
func Read(fsys fs.FS, name string) ([]byte, error) {
	data, err := bounded.ReadFS(fsys, name, MaxBytes)
	if err == nil {
		if err = jsonscan.Check(data, maxValues); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return data, err
}
