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

// limits are the fields of tokenizer_config.json about how long pairs may be and which
// inputs the model has. They are kept as raw JSON, so that errors can quote the file
// instead of a Go type.
type limits struct {
	MaxLength      json.RawMessage `json:"model_max_length"` // 1e30 means no limit
	OldMaxLength   json.RawMessage `json:"max_len"`          // its former name; counts if the new one is missing
	TruncationSide json.RawMessage `json:"truncation_side"`
	Inputs         json.RawMessage `json:"model_input_names"`
}

// length returns the maximum length and the field that it is from, or NoLimit and "". The
// length in tokenizer.json is left from the last call before it was saved. As in
// transformers, it is ignored, and so is a field max_length here.
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
	case err != nil || n != math.Trunc(n) || n < textSpecials:
		return 0, "", fmt.Errorf("tokenizer: %s: %s %s, want a whole number from %d", configFile, field, jsonscan.Shown(raw), textSpecials)
	case n >= NoLimit:
		return NoLimit, "", nil
	}
	return int(n), configFile + ": " + field, nil
}

// side returns the side on which texts are cut. direction, from tokenizer.json, is used if
// this file does not name one.
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

// typed are the classes of transformers that mark the two texts of a pair by types. With
// the other WordPiece classes the model gets no types, and takes 0 for every token.
var (
	typed   = []string{"BertTokenizer", "ElectraTokenizer", "ConvBertTokenizer", "LayoutLMTokenizer", "MobileBertTokenizer"}
	untyped = []string{"DistilBertTokenizer", "RetriBertTokenizer", "PreTrainedTokenizer", "TokenizersBackend"}
)

// oneType reports whether all tokens have type 0: model_input_names does not list
// token_type_ids or, if it is missing, the class has none. The warning says in which case
// versions of transformers differ.
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

// inWords makes an error about a value of the wrong type name the field and the types of
// JSON, instead of a Go type.
func inWords(err error) error {
	var e *json.UnmarshalTypeError
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	want := map[reflect.Kind]string{reflect.Bool: "true or false", reflect.String: "a string", reflect.Slice: "a list",
		reflect.Map: "an object", reflect.Struct: "a string or an object", reflect.Int: "a whole number"}[e.Type.Kind()]
	return fmt.Errorf("%s: %s, want %s", e.Field, e.Value, want)
}
