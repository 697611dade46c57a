package hub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
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
)

// What sentence-transformers writes beside them, and what its scores depend on where it is
// there: ModulesFile says that the two others count. No model needs them.
const (
	ModulesFile         = "modules.json"
	LibrarySettingsFile = "config_sentence_transformers.json"
	InputSettingsFile   = "sentence_bert_config.json"
)

// Parts says which files of a checkpoint a caller needs. Tokenizing needs no
// weights, for example.
type Parts uint

// The parts of a checkpoint. Tokenizer is met by tokenizer.json or vocab.txt,
// Weights by model.safetensors or by an index and all the shards it names.
const (
	Config Parts = 1 << iota
	Tokenizer
	Weights
	Complete = Config | Tokenizer | Weights
)

// ErrIncomplete marks a directory or snapshot that lacks needed files.
var ErrIncomplete = errors.New("incomplete model")

// known reports whether name is one that this package asks for by itself, as
// against one read out of an index.
func known(name string) bool {
	switch name {
	case ConfigFile, TokenizerFile, TokenizerConfigFile, SpecialTokensFile, VocabFile, WeightsFile, IndexFile,
		ModulesFile, LibrarySettingsFile, InputSettingsFile:
		return true
	}
	return false
}

// missing names each file of need that fsys does not hold, with the reason
// where it is there but cannot be opened.
func missing(fsys fs.FS, need Parts) []string {
	var lacks []string
	want := func(name, alternative string) {
		if why := absent(fsys, name); why != "" {
			if alternative == "" {
				lacks = append(lacks, why)
			} else if absent(fsys, alternative) != "" {
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
	if need&Weights != 0 && absent(fsys, WeightsFile) != "" {
		lacks = append(lacks, missingShards(fsys)...)
	}
	return lacks
}

// missingShards is missing for weights that are not in one file.
func missingShards(fsys fs.FS) []string {
	if absent(fsys, IndexFile) != "" {
		if absent(fsys, "pytorch_model.bin") == "" {
			return []string{WeightsFile + " (pytorch_model.bin is there, but only safetensors is read)"}
		}
		return []string{absent(fsys, WeightsFile)}
	}
	index, err := bounded.ReadFS(fsys, IndexFile, safetensors.MaxIndexBytes)
	if err != nil {
		return []string{fmt.Sprintf("%s (%s)", IndexFile, strings.TrimPrefix(err.Error(), IndexFile+": "))}
	}
	shards, err := parseShards(index)
	if err != nil {
		return []string{fmt.Sprintf("%s (%v)", IndexFile, err)}
	}
	var lacks []string
	for _, shard := range shards {
		if why := absent(fsys, shard); why != "" {
			lacks = append(lacks, why)
		}
	}
	return lacks
}

// absent returns "" if name opens as a regular file, else name and, unless it
// simply is not there, why not.
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

// Shards reads a model.safetensors.index.json and returns the names of its
// shards, sorted, each once. A name is refused unless it is a plain file name
// ending in ".safetensors": an index comes from whoever made the checkpoint.
func Shards(index io.Reader) ([]string, error) {
	data, err := bounded.ReadAll(index, safetensors.MaxIndexBytes)
	var names []string
	if err == nil {
		names, err = parseShards(data)
	}
	if err != nil {
		return nil, fmt.Errorf("hub: %s: %w", IndexFile, err)
	}
	return names, nil
}

func parseShards(index []byte) ([]string, error) {
	names, err := safetensors.Shards(index)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !plainName(name) || !strings.HasSuffix(name, ".safetensors") {
			return nil, fmt.Errorf("shard %.200q: want a plain name ending in .safetensors", name)
		}
	}
	return names, nil
}

// plainName reports whether s is one file name, on every system.
func plainName(s string) bool {
	return s != "" && len(s) <= 255 && s[0] != '.' && checkRunes(s, "._-+") == ""
}
