package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// value is a piece of JSON inside a line.
type value struct {
	name   string // the field and the place in it, such as "documents"[2]; for errors
	raw    []byte // nil if the field is missing
	column int    // of its first byte in the line, from 1
}

// object is a line's JSON object with its fields not decoded yet. Field names must match
// exactly, unlike those of encoding/json, which ignores case; if a name occurs twice, the
// last field counts, as in encoding/json.
type object map[string]value

// parseObject finds the fields of a line. The fields point into the line's memory.
func parseObject(line []byte) (object, error) {
	if Blank(line) {
		return nil, errors.New("an empty line, want a JSON object")
	}
	if at := badUTF8(line); at >= 0 {
		if bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff")) {
			return nil, errors.New("not UTF-8 but UTF-16")
		}
		if bytes.HasPrefix(line, []byte("\x1f\x8b")) {
			return nil, errors.New("not UTF-8: it begins like a gzip file, which must be unpacked")
		}
		return nil, fmt.Errorf("column %d: not UTF-8", at+1)
	}
	if !json.Valid(line) {
		err := json.Unmarshal(line, new(json.RawMessage))
		if wrong := (*json.SyntaxError)(nil); errors.As(err, &wrong) {
			return nil, fmt.Errorf("column %d: not JSON: %w", wrong.Offset, err)
		}
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	s := scanner{line: line}
	s.space()
	if whole := line[s.at:]; whole[0] != '{' {
		return nil, fmt.Errorf("%s, want a JSON object", kind(whole))
	}
	o := object{}
	for s.list() {
		name := s.value()
		s.next(':')
		v := s.value()
		err := json.Unmarshal(name.raw, &v.name)
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", name.column, err)
		}
		o[v.name] = v
	}
	return o, nil
}

// field returns the first of names that the object has and that is not null. If all are
// null or missing, it returns a null one or none.
func (o object) field(names ...string) value {
	found := value{name: strconv.Quote(names[0])}
	for _, name := range names {
		v, ok := o[name]
		if !ok || found.raw != nil && !v.given() {
			continue
		}
		v.name = strconv.Quote(name)
		if found = v; v.given() {
			break
		}
	}
	return found
}

// given says whether the field is there and is not null.
func (v value) given() bool { return v.raw != nil && v.raw[0] != 'n' }

// wants returns an error if the value's JSON does not begin with first.
func (v value) wants(first byte, want string) error {
	if v.raw == nil {
		return fmt.Errorf("no %s", v.name)
	}
	if v.raw[0] != first {
		return fmt.Errorf("%s: %s, want %s", v.name, kind(v.raw), want)
	}
	return nil
}

// text decodes a string.
func (v value) text() (s string, err error) {
	if err := v.wants('"', "a string"); err != nil {
		return "", err
	}
	if at := loneSurrogate(v.raw); at >= 0 {
		return "", fmt.Errorf("column %d: %s: the escape %s is half of a surrogate pair, and no character", v.column+at, v.name, v.raw[at:at+len(`\uXXXX`)])
	}
	if err = json.Unmarshal(v.raw, &s); err != nil {
		return "", fmt.Errorf("%s: %w", v.name, err)
	}
	return s, nil
}

var wholeNumbers = fmt.Sprintf("an array of whole numbers from %d to %d", math.MinInt32, math.MaxInt32)

// ints decodes an array of whole numbers. The slice is never nil.
func (v value) ints() ([]int32, error) {
	if err := v.wants('[', wholeNumbers); err != nil {
		return nil, err
	}
	x := []int32{}
	err := json.Unmarshal(v.raw, &x)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s: %s, want %s", v.name, wrong.Value, wholeNumbers)
	}
	// encoding/json accepts null as an element and leaves it 0: refuse that.
	if err == nil && bytes.Contains(v.raw, []byte("null")) {
		err = errors.New("null among the numbers")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.name, err)
	}
	return x, nil
}

// elements returns the elements of an array.
func (v value) elements(want string) (all []value, err error) {
	if err := v.wants('[', want); err != nil {
		return nil, err
	}
	for s := (scanner{line: v.raw}); s.list(); {
		e := s.value()
		if len(all) == maxElements {
			return nil, fmt.Errorf("%s: over %d elements", v.name, maxElements)
		}
		e.name, e.column = fmt.Sprintf("%s[%d]", v.name, len(all)), v.column+e.column-1
		all = append(all, e)
	}
	return all, nil
}

// kind names the type of a piece of JSON, for errors.
func kind(raw []byte) string {
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

// badUTF8 returns the index of the first byte that is not UTF-8, or -1.
func badUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// loneSurrogate returns the index of the first escape in a JSON string that is half of a
// surrogate pair without the other half, or -1. The character U+FFFD itself is allowed.
func loneSurrogate(raw []byte) int {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		switch unit := escapedUnit(raw[i:]); {
		case unit < 0xd800 || unit > 0xdfff:
			i++ // skip the escaped character, which may be a backslash
		case unit < 0xdc00 && escapedUnit(raw[i+len(`\uXXXX`):])&^0x3ff == 0xdc00:
			i += 2*len(`\uXXXX`) - 1
		default:
			return i
		}
	}
	return -1
}

// escapedUnit returns the UTF-16 unit whose escape raw begins with, or -1.
func escapedUnit(raw []byte) int {
	if len(raw) < len(`\uXXXX`) || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int(unit)
}
