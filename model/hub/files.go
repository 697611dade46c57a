package hub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/modules"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// The files of a checkpoint, by the names transformers gives them.
const (
	ConfigFile          = "config.json"
	TokenizerFile       = "tokenizer.json"
	TokenizerConfigFile = "tokenizer_config.json"
	SpecialTokensFile   = "special_tokens_map.json"
	VocabFile           = "vocab.txt"
	WeightsFile         = "model.safetensors"
	IndexFile           = "model.safetensors.index.json"
	PickleFile          = "pytorch_model.bin" // where there is none of the two above, as before 2023
	PickleIndexFile     = "pytorch_model.bin.index.json"
)

// weights are the formats in which weights are read, the preferred first: the name of the file
// that has all of them, that of an index of several, and how the names of those end.
var weights = []struct{ file, index, suffix string }{{WeightsFile, IndexFile, ".safetensors"}, {PickleFile, PickleIndexFile, ".bin"}}

// Files that sentence-transformers writes beside them. If they are there, scores depend on
// them: ModulesFile says whether the two others count, and may name a folder that has all
// the files above. No model needs them.
const (
	ModulesFile         = modules.File
	LibrarySettingsFile = modules.Settings
	InputSettingsFile   = "sentence_bert_config.json" // modules.InputSettings has its older names, too
)

// Parts says which files of a checkpoint a caller needs. Tokenizing needs no
// weights, for example.
type Parts uint

// The parts of a checkpoint. Tokenizer is met by tokenizer.json or vocab.txt,
// Weights by model.safetensors or by an index and all the shards it names, or where there is
// neither, by the same of PyTorch.
const (
	Config Parts = 1 << iota
	Tokenizer
	Weights
	Complete = Config | Tokenizer | Weights
)

// ErrIncomplete is in every error about a directory or snapshot that lacks needed files, or
// has its weights in a format that is not read. The errors' text says which, and not
// "incomplete model".
var ErrIncomplete = errors.New("incomplete model")

// incomplete is an error for which errors.Is(err, ErrIncomplete) is true.
type incomplete struct {
	text    string
	foreign bool // the weights are there in another format, so that pull would not help
}

func (e *incomplete) Error() string        { return e.text }
func (e *incomplete) Is(target error) bool { return target == ErrIncomplete }

// known reports whether name is one that this package asks for itself. Other names come
// from an index.
func known(name string) bool {
	switch name {
	case ConfigFile, TokenizerFile, TokenizerConfigFile, SpecialTokensFile, VocabFile, WeightsFile, IndexFile, PickleFile, PickleIndexFile,
		ModulesFile, LibrarySettingsFile:
		return true
	}
	return slices.Contains(modules.InputSettings, name)
}

// missing lists the files of need that fsys does not have. If a file is there but cannot be
// opened, it adds the reason.
func missing(fsys fs.FS, need Parts) []string {
	var lacks []string
	root := modules.Root(fsys)
	want := func(name, alternative string) {
		if why := absent(fsys, path.Join(root, name)); why != "" {
			if alternative == "" {
				lacks = append(lacks, why)
			} else if absent(fsys, path.Join(root, alternative)) != "" {
				lacks = append(lacks, why+" or "+alternative)
			}
		}
	}
	if need&Config != 0 {
		want(ConfigFile, "")
	}
	if need&Tokenizer != 0 {
		want(TokenizerFile, VocabFile)
	}
	if need&Weights != 0 {
		lacks = append(lacks, missingWeights(fsys, root)...)
	}
	return lacks
}

// missingWeights is missing for weights, in the first format that is there.
func missingWeights(fsys fs.FS, root string) []string {
	for _, format := range weights {
		if absent(fsys, path.Join(root, format.file)) == "" {
			return nil
		}
		name := path.Join(root, format.index)
		if absent(fsys, name) == "" {
			return missingShards(fsys, root, name, format.suffix)
		}
	}
	return []string{absent(fsys, path.Join(root, WeightsFile))}
}

// missingShards is missing for weights in several files, by their index.
func missingShards(fsys fs.FS, root, name, suffix string) []string {
	index, err := bounded.ReadFS(fsys, name, safetensors.MaxIndexBytes)
	if err != nil {
		return []string{fmt.Sprintf("%s (%s)", name, strings.TrimPrefix(err.Error(), name+": "))}
	}
	shards, err := parseShards(index, suffix)
	if err != nil {
		return []string{fmt.Sprintf("%s (%v)", name, err)}
	}
	var lacks []string
	for _, shard := range shards {
		if why := absent(fsys, path.Join(root, shard)); why != "" {
			lacks = append(lacks, why)
		}
	}
	return lacks
}

// foreign are files of weights in formats that are not read, and the library that they are
// of.
var foreign = []struct{ name, of string }{
	{"tf_model.h5", "TensorFlow"}, {"flax_model.msgpack", "Flax"},
	{"model.onnx", "ONNX"}, {"onnx/model.onnx", "ONNX"}, {"openvino_model.xml", "OpenVINO"}, {"openvino/openvino_model.xml", "OpenVINO"},
	{"adapter_model.safetensors", "PEFT, as a change to another model"},
}

// otherWeights says, for a model that lacks only model.safetensors, which other weights it
// has; "" if it has none.
func (s Snapshot) otherWeights(fsys fs.FS) string {
	root := modules.Root(fsys)
	for _, other := range foreign {
		if name := path.Join(root, other.name); absent(fsys, name) == "" {
			return fmt.Sprintf("%s lacks %s: its weights are in %s, in the format of %s, which is not read", s.Dir, path.Join(root, WeightsFile), name, other.of)
		}
	}
	return ""
}

// absent returns "" if name can be opened as a regular file. Otherwise it returns name and,
// unless the file simply does not exist, the reason.
func absent(fsys fs.FS, name string) string {
	info, err := fs.Stat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name
	case err != nil:
		return fmt.Sprintf("%s (%v)", name, err)
	case !info.Mode().IsRegular():
		return fmt.Sprintf("%s (a %s)", name, info.Mode().Type())
	}
	return ""
}

// Shards reads an index of weights in several files, model.safetensors.index.json or PyTorch's,
// and returns the names of those files, sorted, each once. A name is refused unless it is a
// plain file name that ends as files of the format do: an index comes from whoever made the
// checkpoint.
func Shards(name string, index io.Reader) ([]string, error) {
	data, err := bounded.ReadAll(index, safetensors.MaxIndexBytes)
	var names []string
	for _, format := range weights {
		if err == nil && path.Base(name) == format.index {
			names, err = parseShards(data, format.suffix)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("hub: %s: %w", name, err)
	}
	return names, nil
}

func parseShards(index []byte, suffix string) ([]string, error) {
	names, err := safetensors.Shards(index)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !plainName(name) || !strings.HasSuffix(name, suffix) {
			return nil, fmt.Errorf("shard %.200q: want a plain name ending in %s", name, suffix)
		}
	}
	return names, nil
}

// plainName reports whether s is one file name, on every system.
func plainName(s string) bool {
	return s != "" && len(s) <= 255 && s[0] != '.' && checkRunes(s, "._-+") == ""
}
