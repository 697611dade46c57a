package tokenizer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// The files of a checkpoint that this package reads.
const (
	jsonFile     = "tokenizer.json"
	vocabFile    = "vocab.txt"
	configFile   = "tokenizer_config.json"
	specialsFile = "special_tokens_map.json"
	addedFile    = "added_tokens.json"
)

const (
	maxVocabBytes  = 32 << 20 // of tokenizer.json or vocab.txt; BERT's have 1 MB, multilingual ones 5
	maxConfigBytes = 4 << 20  // of the others
)

// ErrNoFiles is returned, wrapped, by LoadFS where there is neither a
// tokenizer.json nor a vocab.txt.
var ErrNoFiles = errors.New("neither tokenizer.json nor vocab.txt")

// LoadFS reads a checkpoint's tokenizer: tokenizer.json, or vocab.txt and
// tokenizer_config.json (with special_tokens_map.json) where there is none.
//
// The maximum length is tokenizer_config.json's model_max_length, else [NoLimit]; the side
// is its truncation_side, else the direction of tokenizer.json's truncation. The rest of
// that, and padding, is what somebody's last call before saving had, and is ignored, as in
// transformers. All types are 0 where model_input_names, or tokenizer_class, has no
// token_type_ids. Where
// tokenizer_config.json contradicts tokenizer.json about normalisation, that is
// an error. No file is read but those five, whatever their contents name.
//
// What is not BERT's is refused with an error that names the file and field.
func LoadFS(fsys fs.FS) (*Tokenizer, error) {
	config, err := readConfig(fsys)
	if err != nil {
		return nil, err
	}
	var vocab, warnings []string
	var o Options
	data, err := readFile(fsys, jsonFile, maxVocabBytes)
	file := jsonFile
	switch {
	case err == nil:
		if vocab, o, err = parseJSON(data); err == nil {
			err = config.agrees(o)
			warnings = config.silent(o)
		}
	case errors.Is(err, fs.ErrNotExist):
		if data, err = readFile(fsys, vocabFile, maxVocabBytes); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("tokenizer: %w", ErrNoFiles)
		}
		file = vocabFile
		if err == nil {
			vocab, err = parseVocab(data)
		}
		if err == nil {
			o, err = config.options(fsys, vocab)
		}
	}
	if err != nil {
		return nil, err
	}
	var source, warning string
	if o.MaxLength, source, err = config.length(); err != nil {
		return nil, err
	}
	if o.Side, err = config.side(o.Side); err != nil {
		return nil, err
	}
	if o.OneType, warning, err = config.oneType(); err != nil {
		return nil, err
	}
	t, err := build(vocab, o)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", file, err)
	}
	if warning != "" {
		warnings = append(warnings, warning)
	}
	t.lengthSource, t.warnings = source, warnings
	return t, nil
}

// readFile reads a file of UTF-8 text that is at most limit bytes long.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > limit {
		return nil, fmt.Errorf("tokenizer: %s: %d bytes, want at most %d", name, info.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("tokenizer: %s: %w", name, err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("tokenizer: %s: more than %d bytes", name, limit)
	case !utf8.Valid(data):
		return nil, fmt.Errorf("tokenizer: %s: not UTF-8", name)
	}
	return data, nil
}

// parseVocab reads a vocabulary of one token a line; lines may end in CRLF.
func parseVocab(data []byte) ([]string, error) {
	text := strings.TrimSuffix(string(data), "\n")
	if text == "" {
		return nil, fmt.Errorf("tokenizer: %s: empty", vocabFile)
	}
	lines := strings.Split(text, "\n")
	seen := make(map[string]int, len(lines))
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			return nil, fmt.Errorf("tokenizer: %s: line %d is empty", vocabFile, i+1)
		}
		if first, ok := seen[line]; ok {
			return nil, fmt.Errorf("tokenizer: %s: lines %d and %d are both %q", vocabFile, first, i+1, line)
		}
		seen[line], lines[i] = i+1, line
	}
	return lines, nil
}
