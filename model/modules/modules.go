// Package modules reads modules.json, the file in which sentence-transformers lists the parts
// (modules) of a model, and in which folders of the checkpoint they are. It has been there
// since version 2, and for cross-encoders since version 5.4.
package modules

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

const (
	// File is the name of that list, at the top of a checkpoint.
	File = "modules.json"
	// Settings is a file beside it which says, among other things, what kind of model the
	// modules make.
	Settings = "config_sentence_transformers.json"
)

// InputSettings are the names that the settings in a Transformer's folder have had. As in
// sentence-transformers, the first file that is not empty counts.
var InputSettings = []string{"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json", "sentence_camembert_config.json",
	"sentence_albert_config.json", "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json"}

// MaxBytes is the largest size of each of these files, and of config.json. Real ones have
// under 4 KB.
const MaxBytes = 1 << 20

const (
	maxValues  = 1 << 15 // JSON values in one of them; in config.json a label is two
	maxModules = 64      // real models have up to 5
)

// Module is an entry of the list.
type Module struct {
	Type   string // the Python class, such as "sentence_transformers.models.Transformer"
	Folder string // in the checkpoint: a path with slashes, "." for its top
}

// IsTransformer reports whether a module is the model that config.json describes. It knows
// all names that the class has had in sentence-transformers.
func (m Module) IsTransformer() bool {
	return strings.HasPrefix(m.Type, "sentence_transformers.") && strings.HasSuffix(m.Type, ".Transformer")
}

// Class returns the name of a module's class, such as "Pooling", or "" if it is not one of
// sentence-transformers' own.
func (m Module) Class() string {
	if !strings.HasPrefix(m.Type, "sentence_transformers.") {
		return ""
	}
	return m.Type[strings.LastIndexByte(m.Type, '.')+1:]
}

// known are the keys of an entry. idx and name change nothing; kwargs names arguments that
// are not passed for pairs.
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
	if names := jsonscan.Unknown(fields, known); len(names) > 0 {
		return m, fmt.Errorf("%.80q: %s is not supported: what it means is not known here", names[0], jsonscan.Shown(fields[names[0]]))
	}
	// As in the library, drives of Windows and parent folders are refused on every system.
	if strings.ContainsAny(m.Folder, "\\:\x00") || path.IsAbs(m.Folder) || slices.Contains(strings.Split(m.Folder, "/"), "..") || !fs.ValidPath(path.Clean(m.Folder)) {
		return m, fmt.Errorf("path: %.80q, want a folder of the checkpoint", m.Folder)
	}
	m.Folder = path.Clean(m.Folder)
	return m, nil
}

// IsCrossEncoder reports whether settings, the contents of the file Settings, say that the
// modules make a cross-encoder. To score pairs with any other kind of model,
// sentence-transformers uses config.json and ignores the modules.
func IsCrossEncoder(settings []byte) bool {
	var fields map[string]json.RawMessage
	var kind string
	return json.Unmarshal(settings, &fields) == nil && json.Unmarshal(fields["model_type"], &kind) == nil && kind == "CrossEncoder"
}

// RootOf returns the folder with config.json, the weights and the tokenizer's files, for the
// modules of a cross-encoder or an embedder: that of the Transformer, if it is the first
// module, else ".".
func RootOf(list []Module) string {
	if len(list) == 0 || !list[0].IsTransformer() {
		return "."
	}
	return list[0].Folder
}

// Root returns RootOf the modules of a checkpoint, or "." if they cannot be read, or make no
// cross-encoder and the top has a config.json, which is what counts for scores then. It is for
// callers that only look for files; model.ReadSpec and model.ReadEmbedder report what is wrong
// with the modules.
func Root(fsys fs.FS) string {
	data, err := Read(fsys, File)
	if err != nil {
		return "."
	}
	list, err := Parse(data)
	if err != nil {
		return "."
	}
	if settings, err := Read(fsys, Settings); err == nil && IsCrossEncoder(settings) {
		return RootOf(list)
	}
	if _, err := fs.Stat(fsys, "config.json"); errors.Is(err, fs.ErrNotExist) {
		return RootOf(list)
	}
	return "."
}

// Read reads a small JSON file of a checkpoint: one of those above, or config.json. A file
// that is too large is an error, and so is JSON that is invalid or has too many values; in
// the latter case Read also returns the content.
func Read(fsys fs.FS, name string) ([]byte, error) {
	data, err := bounded.ReadFS(fsys, name, MaxBytes)
	if err == nil {
		if err = jsonscan.Check(data, maxValues); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return data, err
}
