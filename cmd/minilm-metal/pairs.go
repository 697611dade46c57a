package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// input is one line of the commands that read pairs: two texts, or tokens, or
// what is wrong with it.
type input struct {
	line       int // from 1
	pair       engine.Pair
	ids, types []int32 // not nil: these, instead of pair
	err        error   // of the line, which it does not name
}

// inputFields are the names of each thing that can be in a line. "q" and "p"
// are what older workload files have.
var (
	queryNames   = []string{"query", "q"}
	passageNames = []string{"passage", "p"}
	idsNames     = []string{"input_ids"}
	typesNames   = []string{"token_type_ids"}
)

// parsePair reads {"query", "passage"} or {"input_ids", "token_type_ids"}, of
// which the last may be left out and is all zeros then, as for Hugging Face's
// models. Other fields are ignored.
func (in *input) parsePair(line []byte) error {
	o, err := parseObject(line)
	if err != nil {
		return err
	}
	query, passage, ids, types := o.field(queryNames), o.field(passageNames), o.field(idsNames), o.field(typesNames)
	text, tokens := query.raw != nil || passage.raw != nil, ids.raw != nil || types.raw != nil
	switch {
	case text && tokens:
		return errors.New("both text and tokens: want one of them")
	case tokens:
		return in.parseTokens(ids, types)
	case !text:
		return errors.New(`no "query" and "passage", and no "input_ids"`)
	}
	if in.pair.Query, err = query.text(); err != nil {
		return err
	}
	in.pair.Passage, err = passage.text()
	return err
}

func (in *input) parseTokens(ids, types field) (err error) {
	if in.ids, err = ids.ints(); err != nil {
		return err
	}
	if types.raw == nil {
		in.types = make([]int32, len(in.ids))
		return nil
	}
	if in.types, err = types.ints(); err != nil {
		return err
	}
	if len(in.types) != len(in.ids) {
		return fmt.Errorf("%d token_type_ids for %d input_ids", len(in.types), len(in.ids))
	}
	return nil
}

// bounds is what tokens of a line may be.
type bounds struct{ vocab, types, length int }

func modelBounds(c *model.Config) bounds { return bounds{c.VocabSize, c.TypeVocabSize, c.MaxPositions} }

// check says which token of a line is out of bounds. It refuses what
// model.Batch.Validate does, which knows no lines and fields.
func (in *input) check(b bounds) error {
	if len(in.ids) == 0 {
		return errors.New(`"input_ids": no tokens`)
	}
	if len(in.ids) > b.length {
		return fmt.Errorf(`"input_ids": %w: %d tokens, the model takes %d`, engine.ErrTooLong, len(in.ids), b.length)
	}
	for i, id := range in.ids {
		if id < 0 || int(id) >= b.vocab {
			return fmt.Errorf(`"input_ids"[%d]: %d, want 0 to %d`, i, id, b.vocab-1)
		}
		if typ := in.types[i]; typ < 0 || int(typ) >= b.types {
			return fmt.Errorf(`"token_type_ids"[%d]: %d, want 0 to %d`, i, typ, b.types-1)
		}
	}
	return nil
}

// object is a line of JSON, its fields not read yet. Field names are exact,
// which encoding/json's struct fields are not.
type object map[string]json.RawMessage

func parseObject(line []byte) (object, error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil, errors.New("an empty line, want a JSON object")
	}
	// encoding/json would put U+FFFD where the text is damaged, and score that.
	if !utf8.Valid(line) {
		return nil, errors.New("not UTF-8")
	}
	var o object
	err := json.Unmarshal(line, &o)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s, want a JSON object", wrong.Value)
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if o == nil {
		return nil, errors.New("null, want a JSON object")
	}
	return o, nil
}

// field is one field of an object. It is absent where raw is nil.
type field struct {
	name string
	raw  json.RawMessage
}

// field returns the first of names that the object has.
func (o object) field(names []string) field {
	for _, name := range names {
		if raw, ok := o[name]; ok {
			return field{name, raw}
		}
	}
	return field{names[0], nil}
}

func (f field) text() (s string, err error) {
	return s, f.decode(&s, '"', "a string")
}

func (f field) ints() ([]int32, error) {
	x := []int32{}
	err := f.decode(&x, '[', fmt.Sprintf("an array of whole numbers from %d to %d", math.MinInt32, math.MaxInt32))
	// Decoding leaves a null element as it was.
	if err == nil && bytes.Contains(f.raw, []byte("null")) {
		err = fmt.Errorf("%q: null among the numbers", f.name)
	}
	return x, err
}

// decode reads the field, whose JSON must begin with first.
func (f field) decode(to any, first byte, want string) error {
	if f.raw == nil {
		return fmt.Errorf("no %q", f.name)
	}
	if f.raw[0] != first {
		return fmt.Errorf("%q: %s, want %s", f.name, kind(f.raw), want)
	}
	err := json.Unmarshal(f.raw, to)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%q: %s, want %s", f.name, wrong.Value, want)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", f.name, err)
	}
	return nil
}

// kind names what a piece of JSON is.
func kind(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}
