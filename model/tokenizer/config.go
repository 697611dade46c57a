package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// config is tokenizer_config.json.
type config struct {
	Class        *string `json:"tokenizer_class"`
	Lower        *bool   `json:"do_lower_case"`
	StripAccents *bool   `json:"strip_accents"`
	ChineseChars *bool   `json:"tokenize_chinese_chars"`
	Basic        *bool   `json:"do_basic_tokenize"`
	limits
	Added map[string]tokenJSON `json:"added_tokens_decoder"` // by id, as text
	specialNames

	classFile string // the file that Class is from
}

// specialNames are the fields of special_tokens_map.json. tokenizer_config.json may have
// them, too.
type specialNames struct {
	Unknown    *tokenJSON  `json:"unk_token"`
	Separator  *tokenJSON  `json:"sep_token"`
	Class      *tokenJSON  `json:"cls_token"`
	Pad        *tokenJSON  `json:"pad_token"`
	Mask       *tokenJSON  `json:"mask_token"`
	Additional []tokenJSON `json:"additional_special_tokens"`
}

// tokenJSON is a token in a JSON file: a string, or an object with its flags.
type tokenJSON struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

func (t *tokenJSON) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &t.Content)
	}
	type plain tokenJSON
	return json.Unmarshal(data, (*plain)(t))
}

// readConfig reads tokenizer_config.json. If it names no class, the class is read from the
// model's config.json: some older checkpoints name a class there that is not the model's
// usual one, such as BertJapaneseTokenizer.
func readConfig(fsys fs.FS) (*config, error) {
	c := &config{classFile: configFile}
	if err := readJSON(fsys, configFile, c); err != nil || c.Class != nil {
		return c, err
	}
	var model struct {
		Class *string `json:"tokenizer_class"`
	}
	err := readJSON(fsys, modelFile, &model)
	if model.Class != nil {
		c.Class, c.classFile = model.Class, modelFile
	}
	return c, err
}

// readJSON reads a file into v. It does nothing if the file does not exist.
func readJSON(fsys fs.FS, name string, v any) error {
	data, err := readFile(fsys, name, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = jsonscan.Check(data, maxValues); err == nil {
		if reflect.TypeOf(v).Elem().Kind() == reflect.Struct {
			data = exact(data)
		}
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		err = fmt.Errorf("tokenizer: %s: %w", name, inWords(err))
	}
	return err
}

// exact removes the fields of an object whose names are not in lower case. All names here
// are, and Python distinguishes case; decoding to a struct would accept Model_Max_Length as
// model_max_length.
func exact(object []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(object, &fields) != nil {
		return object // decoding it reports the error
	}
	all := len(fields)
	maps.DeleteFunc(fields, func(name string, _ json.RawMessage) bool {
		return strings.ContainsFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf })
	})
	if len(fields) == all {
		return object
	}
	kept, err := json.Marshal(fields)
	if err != nil {
		return object
	}
	return kept
}

// likeBert are the classes of transformers that make the same tokens of a vocab.txt.
var likeBert = []string{"BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer"}

// options returns the options that Python's BertTokenizerFast would derive from the files
// beside vocab.txt.
func (c *config) options(fsys fs.FS, vocab []string) (Options, error) {
	if c.Class != nil && !slices.Contains(likeBert, strings.TrimSuffix(*c.Class, "Fast")) {
		return Options{}, fmt.Errorf("tokenizer: %s: tokenizer_class %q, want BertTokenizer", c.classFile, *c.Class)
	}
	if c.Basic != nil && !*c.Basic {
		return Options{}, fmt.Errorf("tokenizer: %s: do_basic_tokenize false is not supported", configFile)
	}
	var legacy map[string]int
	if err := readJSON(fsys, addedFile, &legacy); err != nil {
		return Options{}, err
	}
	if len(legacy) > 0 {
		return Options{}, fmt.Errorf("tokenizer: %s is not supported beside %s: save a %s", addedFile, vocabFile, jsonFile)
	}
	names := c.specialNames
	if err := readJSON(fsys, specialsFile, &names); err != nil { // the same names again, or only here
		return Options{}, err
	}
	o := Uncased()
	if c.Lower != nil {
		o.Lowercase = *c.Lower
	}
	if c.ChineseChars != nil {
		o.ChineseChars = *c.ChineseChars
	}
	o.StripAccents = c.StripAccents
	err := o.addSpecials(names, c.Added, vocab)
	return o, err
}

// addSpecials sets the tokens of o: those in added_tokens_decoder, and those that have a
// name but are not in it. [PAD] and [MASK] are left out if the vocabulary does not have
// them: a pair contains them only if the text does.
func (o *Options) addSpecials(names specialNames, decoder map[string]tokenJSON, vocab []string) error {
	added := make([]addedJSON, 0, len(decoder))
	for key, token := range decoder {
		id, err := strconv.Atoi(key)
		if err != nil {
			return fmt.Errorf("tokenizer: %s: added_tokens_decoder: id %q, want a number", configFile, key)
		}
		added = append(added, addedJSON{id, token})
	}
	slices.SortFunc(added, func(a, b addedJSON) int { return a.id - b.id })
	if _, err := o.add(added, vocab); err != nil {
		return fmt.Errorf("tokenizer: %s: added_tokens_decoder: %w", configFile, err)
	}

	have := make(map[string]bool, len(o.Added))
	for _, a := range o.Added {
		have[a.Content] = true
	}
	also := func(token tokenJSON) {
		if !have[token.Content] {
			have[token.Content] = true
			o.Added = append(o.Added, token.added(true))
		}
	}
	named := func(token *tokenJSON, name string) string {
		if token == nil {
			token = &tokenJSON{Content: name}
		}
		if have[token.Content] || slices.Contains(vocab, token.Content) {
			also(*token)
		}
		return token.Content
	}
	o.Unknown = named(names.Unknown, "[UNK]")
	o.Separator = named(names.Separator, "[SEP]")
	named(names.Pad, "[PAD]")
	o.Class = named(names.Class, "[CLS]")
	named(names.Mask, "[MASK]")
	for _, token := range names.Additional {
		also(token)
	}
	return nil
}

// addedJSON is a token together with the id that a file gives it.
type addedJSON struct {
	id int
	tokenJSON
}

// add sets o.Added and returns the tokens' ids. It returns an error for the first token
// whose id is not the one that New will give it: the one in the vocabulary, else the next
// free one. (The library uses that id, too, and prints a warning.)
func (o *Options) add(tokens []addedJSON, vocab []string) (ids map[string]int, err error) {
	contents := make(map[string]bool, len(tokens))
	for _, t := range tokens {
		contents[t.Content] = true
	}
	ids = idsOf(contents, vocab)
	o.Added = make([]AddedToken, 0, len(tokens))
	next := len(vocab)
	for _, t := range tokens {
		want, ok := ids[t.Content]
		if !ok {
			want = next
			ids[t.Content] = next
			next++
		}
		if t.id != want {
			return nil, fmt.Errorf("token %q: id %d, want %d", t.Content, t.id, want)
		}
		o.Added = append(o.Added, t.added(t.Special))
	}
	return ids, nil
}

func (t tokenJSON) added(special bool) AddedToken {
	return AddedToken{t.Content, t.SingleWord, t.LStrip, t.RStrip, t.Normalized, special}
}
