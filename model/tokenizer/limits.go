package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// NoLimit is the MaxLength of a tokenizer whose files name none.
const NoLimit = 1 << 30

// limits are the fields of tokenizer_config.json about how long pairs may be, and which
// inputs the model has. They are kept as they are in the file: what is wrong with them is
// said in its words, and not in those of a Go type.
type limits struct {
	MaxLength      json.RawMessage `json:"model_max_length"` // 1e30 where there is none
	OldMaxLength   json.RawMessage `json:"max_len"`          // as it was called once; counts where the other is not there
	TruncationSide json.RawMessage `json:"truncation_side"`
	Inputs         json.RawMessage `json:"model_input_names"`
}

// length returns the maximum length and the field that has it; NoLimit and "" where there
// is none. tokenizer.json may have another, left from the last call before it was saved:
// that, and what is called max_length here, means nothing, as in transformers.
func (l *limits) length() (int, string, error) {
	raw, field := l.MaxLength, "model_max_length"
	if raw == nil {
		raw, field = l.OldMaxLength, "max_len"
	}
	if raw == nil || jsonscan.IsNull(raw) {
		return NoLimit, "", nil
	}
	var n float64
	switch err := json.Unmarshal(raw, &n); {
	case err != nil || n != math.Trunc(n) || n < specials:
		return 0, "", fmt.Errorf("tokenizer: %s: %s %s, want a whole number from %d", configFile, field, jsonscan.Shown(raw), specials)
	case n >= NoLimit:
		return NoLimit, "", nil
	}
	return int(n), configFile + ": " + field, nil
}

// side returns which end of a text is cut: tokenizer.json's direction, which is already
// set, is good where this file says nothing.
func (l *limits) side(direction Side) (Side, error) {
	if l.TruncationSide == nil {
		return direction, nil
	}
	var side string
	if err := json.Unmarshal(l.TruncationSide, &side); err == nil {
		switch side {
		case "right":
			return TruncateRight, nil
		case "left":
			return TruncateLeft, nil
		}
	}
	return 0, fmt.Errorf("tokenizer: %s: truncation_side %s, want left or right", configFile, jsonscan.Shown(l.TruncationSide))
}

// typed are the classes of transformers that tell the two texts of a pair apart by types.
// The others of WordPiece give the model none, so that it takes 0 for every token.
var (
	typed   = []string{"BertTokenizer", "ElectraTokenizer", "ConvBertTokenizer", "LayoutLMTokenizer", "MobileBertTokenizer"}
	untyped = []string{"DistilBertTokenizer", "RetriBertTokenizer", "PreTrainedTokenizer", "TokenizersBackend"}
)

// oneType reports whether all tokens have type 0: where model_input_names leaves
// token_type_ids out, or, without it, the class does. warning says where versions of
// transformers differ.
func (c *config) oneType() (one bool, warning string, err error) {
	if c.Inputs != nil {
		var names []string
		if err := json.Unmarshal(c.Inputs, &names); err != nil || names == nil {
			return false, "", fmt.Errorf("tokenizer: %s: model_input_names %s, want a list of names", configFile, jsonscan.Shown(c.Inputs))
		}
		return !slices.Contains(names, "token_type_ids"), "", nil
	}
	if c.Class == nil {
		return false, "", nil
	}
	switch class := strings.TrimSuffix(*c.Class, "Fast"); {
	case slices.Contains(typed, class):
		return false, "", nil
	case class == "PreTrainedTokenizer":
		warning = fmt.Sprintf("%s: tokenizer_class is %.80q, without model_input_names: every token has type 0, as in transformers 5; in version 4 a passage had type 1", c.classFile, *c.Class)
		return true, warning, nil
	case slices.Contains(untyped, class):
		return true, "", nil
	}
	return false, "", fmt.Errorf("tokenizer: %s: tokenizer_class %.80q, want BertTokenizer", c.classFile, *c.Class)
}

// inWords says an error about a value of another kind than is wanted by the field and the
// kinds of JSON, and not by a type of Go.
func inWords(err error) error {
	var e *json.UnmarshalTypeError
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	want := map[reflect.Kind]string{reflect.Bool: "true or false", reflect.String: "a string", reflect.Slice: "a list",
		reflect.Map: "an object", reflect.Struct: "a string or an object", reflect.Int: "a whole number"}[e.Type.Kind()]
	return fmt.Errorf("%s: %s, want %s", e.Field, e.Value, want)
}

// silent warns where tokenizer.json normalises in a way that BertTokenizer does only if
// this file says so: Python's tokenizers go by its defaults where it is silent, all others
// by tokenizer.json, as we do.
func (c *config) silent(o Options) []string {
	if c.byJSON() {
		return nil
	}
	var all []string
	for _, f := range []struct {
		name      string
		said      bool
		json, not bool
	}{
		{"do_lower_case", c.Lower != nil, o.Lowercase, true},
		{"tokenize_chinese_chars", c.ChineseChars != nil, o.ChineseChars, true},
		{"strip_accents", c.StripAccents != nil, o.strip(), o.Lowercase},
	} {
		if !f.said && f.json != f.not {
			all = append(all, fmt.Sprintf("%s has no %s, and %s has %t: Python's BertTokenizer takes %t", configFile, f.name, jsonFile, f.json, f.not))
		}
	}
	return all
}

// byJSON reports whether the class, in transformers too, normalises as tokenizer.json says.
func (c *config) byJSON() bool {
	return c.Class != nil && (strings.HasPrefix(*c.Class, "PreTrainedTokenizer") || *c.Class == "TokenizersBackend")
}

// overrules changes o, whose normalizer in tokenizer.json is more or less than a
// BertNormalizer, to the BertNormalizer that this file says; and warns of it. That is what
// transformers 5 does: version 4, and all others, go by tokenizer.json. Where this file
// says nothing, version 5 does that all the same, but we do not.
func (c *config) overrules(o *Options) []string {
	if c.byJSON() {
		return nil
	}
	said := ""
	bert := rules{clean: true, chinese: true, lower: true}
	for _, f := range []struct {
		name string
		here *bool
		to   *bool
	}{
		{"tokenize_chinese_chars", c.ChineseChars, &bert.chinese},
		{"do_lower_case", c.Lower, &bert.lower},
		{"strip_accents", c.StripAccents, &bert.strip},
	} {
		if f.here != nil {
			*f.to = *f.here
			said += fmt.Sprintf(", %s %t", f.name, *f.here)
		}
	}
	if c.StripAccents == nil {
		bert.strip = bert.lower
	}
	if o.steps == nil && o.rules() == bert {
		return nil
	}
	if said == "" {
		return []string{fmt.Sprintf("%s normalizes by %.80s: so do we, but BertTokenizer of transformers 5 does not look there", jsonFile, o.normalizers)}
	}
	warning := fmt.Sprintf("%s normalizes by %.80s, and %s has%s: that goes first, as in transformers 5; version 4 goes by %[1]s", jsonFile, o.normalizers, configFile, said[1:])
	o.steps = nil
	o.set(bert)
	return []string{warning}
}
