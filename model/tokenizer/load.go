package tokenizer

import (
	"errors"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// The files of a checkpoint that this package reads.
const (
	jsonFile     = "tokenizer.json"
	vocabFile    = "vocab.txt"
	configFile   = "tokenizer_config.json"
	specialsFile = "special_tokens_map.json"
	addedFile    = "added_tokens.json"
	modelFile    = "config.json" // for tokenizer_class, if configFile has none
)

const (
	maxVocabBytes  = 32 << 20 // for tokenizer.json or vocab.txt; BERT's have 1 MB, multilingual ones 10
	maxConfigBytes = 4 << 20  // for the other files
	maxValues      = 1 << 17  // JSON values in a file, without the vocabulary; an added token has 8
)

// ErrNoFiles is in the error of LoadFS if there is neither a tokenizer.json nor a
// vocab.txt.
var ErrNoFiles = errors.New("neither tokenizer.json nor vocab.txt")

// LoadFS reads a checkpoint's tokenizer: tokenizer.json or, if there is none, vocab.txt and
// tokenizer_config.json (with special_tokens_map.json).
//
// The maximum length is model_max_length of tokenizer_config.json, else [NoLimit]. The side
// is truncation_side of that file, else the direction of tokenizer.json's truncation. The
// rest of tokenizer.json's truncation, and its padding, come from somebody's last call
// before saving; they are ignored, as in transformers. The strategy is LongestFirst. If
// model_input_names, or tokenizer_class, has no token_type_ids, all types are 0.
//
// The normalizer of tokenizer.json may be null, or one of BertNormalizer, Lowercase,
// StripAccents, NFC, NFD, NFKC, NFKD, Strip, Prepend, Replace (of a text, or of a pattern
// that means the same to Go's regexp and to Oniguruma), or a Sequence of these. If
// tokenizer_config.json contradicts a BertNormalizer, that is an error. transformers 5
// ignores the other normalizers for the class BertTokenizer; then tokenizer_config.json
// takes precedence, with a warning. Only these six files are read, whatever names they
// contain.
//
// What is not BERT's is refused with an error that names the file and the field. Files that
// are far too large are refused as well: over 32 MiB of vocabulary, 4 MiB of another file,
// 524,288 tokens, or 131,072 other JSON values.
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
		vocab, o, err = parseJSON(data)
		switch {
		case err != nil:
		case o.normalizers == "":
			err = config.agrees(o)
			warnings = config.silent(o)
		default:
			warnings = config.overrules(&o)
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
	more, err := config.check(fsys, &o, file == jsonFile)
	if err != nil {
		return nil, err
	}
	warnings = append(warnings, more...)
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
	t.lengthSource, t.warnings, t.otherSingle = source, warnings, o.otherSingle
	return t, nil
}

// readFile reads a file of UTF-8 text that is at most limit bytes long.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	data, err := bounded.ReadFS(fsys, name, limit)
	switch {
	case err != nil:
		return nil, fmt.Errorf("tokenizer: %w", err)
	case !utf8.Valid(data):
		return nil, fmt.Errorf("tokenizer: %s: not UTF-8", name)
	}
	return data, nil
}
