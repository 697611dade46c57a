package model

import (
	"encoding/json"
	"fmt"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// fields are the members of a JSON object in a file, by their exact names: the library
// that wrote them tells "Hidden_Size" from "hidden_size", which decoding to a struct does
// not. Each is read by itself, so that an error is in the words of the file. The first
// one is kept.
type fields struct {
	file string
	raw  map[string]json.RawMessage
	err  error
}

// parseFields takes the object that a file's data is.
func parseFields(file string, data []byte) (*fields, error) {
	f := &fields{file: file}
	if err := json.Unmarshal(data, &f.raw); err != nil {
		if json.Valid(data) {
			return nil, fmt.Errorf("%w: %s: %s, want an object", ErrConfig, file, jsonscan.Shown(data))
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrConfig, file, err)
	}
	return f, nil
}

// bad keeps an error about a field.
func (f *fields) bad(name, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %s: %s: %s", ErrConfig, f.file, name, fmt.Sprintf(format, args...))
	}
}

// has reports whether a field is there, and not null: for fields that may be null.
func (f *fields) has(name string) bool { return f.raw[name] != nil && !jsonscan.IsNull(f.raw[name]) }

// read decodes a field, if it is there, into v, and reports whether it did. want says what
// v can hold, for the error. null is nothing that can be held: Python has None for it, where
// the library wants a value.
func (f *fields) read(name string, v any, want string) bool {
	raw, ok := f.raw[name]
	if !ok || f.err != nil {
		return false
	}
	if jsonscan.IsNull(raw) || json.Unmarshal(raw, v) != nil {
		f.bad(name, "%s, want %s", jsonscan.Shown(raw), want)
		return false
	}
	return true
}

func (f *fields) whole(name string, v *int) bool      { return f.read(name, v, "a whole number") }
func (f *fields) number(name string, v *float64) bool { return f.read(name, v, "a number") }
func (f *fields) text(name string, v *string) bool    { return f.read(name, v, "a string") }

// isTrue reads a switch, which is off where it is not there.
func (f *fields) isTrue(name string) (on bool) {
	f.read(name, &on, "true or false")
	return on
}
