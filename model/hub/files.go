package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
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

// maxIndex bounds an index file. The largest published ones hold a few
// megabytes.
const maxIndex = 64 << 20

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
	case ConfigFile, TokenizerFile, TokenizerConfigFile, SpecialTokensFile, VocabFile, WeightsFile, IndexFile:
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
	f, err := fsys.Open(IndexFile)
	if err != nil {
		return []string{fmt.Sprintf("%s (%v)", IndexFile, err)}
	}
	defer f.Close()
	shards, err := parseShards(f)
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
	names, err := parseShards(index)
	if err != nil {
		return nil, fmt.Errorf("hub: %s: %w", IndexFile, err)
	}
	return names, nil
}

func parseShards(index io.Reader) ([]string, error) {
	data, err := io.ReadAll(io.LimitReader(index, maxIndex+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxIndex {
		return nil, fmt.Errorf("larger than %d bytes", maxIndex)
	}
	var parsed struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &parsed); err != nil {
		return nil, err
	}
	if len(parsed.WeightMap) == 0 {
		return nil, errors.New("weight_map is missing or empty")
	}
	seen := map[string]bool{}
	var names []string
	for tensor, shard := range parsed.WeightMap {
		if seen[shard] {
			continue
		}
		if !plainName(shard) || !strings.HasSuffix(shard, ".safetensors") {
			return nil, fmt.Errorf("tensor %.200q is said to be in %.200q, want a plain name ending in .safetensors", tensor, shard)
		}
		seen[shard] = true
		names = append(names, shard)
	}
	slices.Sort(names)
	return names, nil
}

// plainName reports whether s is one file name, on every system.
func plainName(s string) bool {
	return s != "" && len(s) <= 255 && s[0] != '.' && checkRunes(s, "._-+") == ""
}
