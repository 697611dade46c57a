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
	modelFile    = "config.json" // for tokenizer_class, where configFile has none
)

const (
	maxVocabBytes  = 32 << 20 // of tokenizer.json or vocab.txt; BERT's have 1 MB, multilingual ones 10
	maxConfigBytes = 4 << 20  // of the others
	maxValues      = 1 << 17  // JSON values in a file, the vocabulary not counted; an added token has 8
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
// transformers; the strategy is LongestFirst. All types are 0 where model_input_names, or
// tokenizer_class, has no token_type_ids.
//
// The normalizer of tokenizer.json is null or one of BertNormalizer, Lowercase,
// StripAccents, NFC, NFD, NFKC, NFKD, Strip, Prepend, Replace (of a text, or of a pattern
// that means the same to Go's regexp as to Oniguruma) or a Sequence of these. Where
// tokenizer_config.json contradicts a BertNormalizer, that is an error. Of the others
// transformers 5 knows nothing where the class is BertTokenizer, so that what
// tokenizer_config.json says goes before them, with a warning. No file is read but those
// six, whatever their contents name.
//
// What is not BERT's is refused with an error that names the file and field, and so is
// what is out of all proportion: over 32 MiB of vocabulary or 4 MiB of another file,
// 524,288 tokens, or 131,072 JSON values beside them.
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
	t.lengthSource, t.warnings = source, warnings
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
