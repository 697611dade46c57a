package model

import (
	"encoding/json"
	"fmt"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// fields are the members of a JSON object in a file. Names must match exactly: the library
// that wrote the file distinguishes "Hidden_Size" from "hidden_size", which decoding to a
// struct would not. Each field is decoded separately, so that errors can name it. The first
// error is kept.
type fields struct {
	file string
	raw  map[string]json.RawMessage
	err  error
}

// parseFields parses a file's data, which must be a JSON object.
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

// bad records an error about a field.
func (f *fields) bad(name, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %s: %s: %s", ErrConfig, f.file, name, fmt.Sprintf(format, args...))
	}
}

// has reports whether a field is there and not null. It is for fields that may be null.
func (f *fields) has(name string) bool { return f.raw[name] != nil && !jsonscan.IsNull(f.raw[name]) }

// read decodes a field into v if it is there, and reports whether it did. want describes
// what v can hold, for the error. null is an error: in Python it is None, where the library
// expects a value.
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

// isTrue reads a boolean field, which is false if it is missing.
func (f *fields) isTrue(name string) (on bool) {
	f.read(name, &on, "true or false")
	return on
}
