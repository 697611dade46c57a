package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// walker reads JSON token by token. encoding/json would read the same into a
// struct, but keeps the last of two equal keys without a word, matches field
// names in any case, and takes 1e3 for an integer's text.
type walker struct{ dec *json.Decoder }

func newWalker(data []byte) walker {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return walker{dec}
}

// errorf says where in the text something is wrong.
func (w walker) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %w", w.dec.InputOffset(), fmt.Errorf(format, args...))
}

func (w walker) token() (json.Token, error) {
	tok, err := w.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, w.errorf("%w", err)
	}
	return tok, nil
}

// expect reads one token, which must be a T.
func expect[T json.Delim | json.Number | string](w walker, want string) (T, error) {
	tok, err := w.token()
	if err != nil {
		return *new(T), err
	}
	t, ok := tok.(T)
	if !ok {
		return t, w.errorf("%s, want %s", describe(tok), want)
	}
	return t, nil
}

// open reads the delimiter that starts an object or an array.
func (w walker) open(delim json.Delim, want string) error {
	got, err := expect[json.Delim](w, want)
	if err == nil && got != delim {
		err = w.errorf("%s, want %s", describe(got), want)
	}
	return err
}

// object reads an object and calls field with each key, which must read the
// value. Errors of field name the key.
func (w walker) object(field func(key string) error) error {
	if err := w.open('{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for w.dec.More() {
		key, err := expect[string](w, "a key")
		if err != nil {
			return err
		}
		if seen[key] {
			return w.errorf("duplicate key %s", quote(key))
		}
		seen[key] = true
		if err := field(key); err != nil {
			return fmt.Errorf("%s: %w", quote(key), err)
		}
	}
	_, err := w.token() // the closing brace, or what More stopped at
	return err
}

// strings reads an object whose values are strings.
func (w walker) strings() (map[string]string, error) {
	m := map[string]string{}
	err := w.object(func(key string) error {
		value, err := expect[string](w, "a string")
		m[key] = value
		return err
	})
	return m, err
}

// naturals reads an array of at most limit integers in [0, 2^64).
func (w walker) naturals(limit int) ([]uint64, error) {
	if err := w.open('[', "an array"); err != nil {
		return nil, err
	}
	var list []uint64
	for w.dec.More() {
		number, err := expect[json.Number](w, "an integer")
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseUint(number.String(), 10, 64)
		if err != nil {
			return nil, w.errorf("%s, want an integer in [0, 2^64)", describe(number))
		}
		if len(list) == limit {
			return nil, w.errorf("more than %d integers", limit)
		}
		list = append(list, n)
	}
	_, err := w.token()
	return list, err
}

// skip reads a value of any kind; encoding/json bounds its depth.
func (w walker) skip() error {
	if err := w.dec.Decode(&ignored{}); err != nil {
		return w.errorf("%w", err)
	}
	return nil
}

type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// end says whether anything but white space follows.
func (w walker) end() error {
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return w.errorf("text after the end")
	}
	return nil
}

// describe names a token in an error.
func describe(tok json.Token) string {
	switch tok := tok.(type) {
	case nil:
		return "null"
	case string:
		return "string " + quote(tok)
	case json.Number:
		if len(tok) > maxQuoted {
			return "number " + string(tok[:maxQuoted]) + "..."
		}
		return "number " + string(tok)
	default:
		return fmt.Sprint(tok)
	}
}
