package serve

import (
	"bytes"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// body is the JSON object that a request sent. Its fields are found in one pass, and decoded
// when a dialect asks for them. After a field that is wrong or missing, the body is failed, and
// what it returns has no meaning.
type body struct {
	fields []field
	at     map[string]int // the fields' indices, by name
	failed *failure       // the first that was found; nil so far
	items  int            // the most elements of a list
	// does is the task of the model that the path names, else of that of the field model, else of the
	// default model. Paths that models of different kinds answer differently need it.
	does task
	// uncut is what the option NoAutoTruncate says.
	uncut bool
	// value returns what the request's path has for a wildcard of the route's.
	value func(name string) string
	rest  []byte // what follows the JSON; see route.prefix
}

// field is one field of the object. Its JSON is valid and not decoded yet.
type field struct {
	name  string
	json  []byte
	asked bool // a dialect knows it
}

// mostFields is how many fields a body may have. No dialect has a fourth of it.
const mostFields = 256

// parseBody finds the fields of an object. Bytes that are not UTF-8, half a surrogate pair and
// a key that occurs twice are errors, so that no text is scored that nobody wrote.
func parseBody(raw []byte) (*body, *failure) {
	b := &body{at: map[string]int{}}
	if len(bytes.TrimSpace(raw)) == 0 {
		return b, failed(badJSON, "the body is empty, want a JSON object")
	}
	if !utf8.Valid(raw) {
		return b, failed(badJSON, "the body is not UTF-8, from byte %d on", validUTF8(raw))
	}
	s := jsonscan.New(raw)
	if s.Next() != '{' {
		if err := jsonscan.New(raw).Skip(); err != nil {
			return b, notJSON(err)
		}
		return b, failed(wrongType, "the body is %s, want an object", typeOf(s.Next()))
	}
	var twice *failure
	err := s.Object(func(key []byte) error {
		name := string(key)
		if _, has := b.at[name]; has {
			twice = about(name, badJSON, "the body has the field %.80q twice", name)
			return twice
		}
		if len(b.fields) == mostFields {
			twice = failed(badJSON, "the body has more than %d fields", mostFields)
			return twice
		}
		value, err := s.Raw()
		b.at[name] = len(b.fields)
		b.fields = append(b.fields, field{name: name, json: value})
		return err
	})
	switch {
	case twice != nil:
		return b, twice
	case err != nil:
		return b, notJSON(err)
	}
	if err := s.End(); err != nil {
		return b, notJSON(err)
	}
	return b, nil
}

// notJSON is the failure of a body that the scanner refused. The scanner's error gives a byte's
// position and at most a character.
func notJSON(err error) *failure { return failed(badJSON, "the body is not JSON: %v", err) }

// validUTF8 returns how many bytes of the text are valid UTF-8.
func validUTF8(text []byte) int {
	n := 0
	for n < len(text) {
		r, size := utf8.DecodeRune(text[n:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	return n
}

// typeOf names a JSON type by the first byte of a value.
func typeOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// has reports whether the body has the field, null or not.
func (b *body) has(name string) bool {
	_, has := b.at[name]
	return has
}

// fail makes the body failed, unless it is already.
func (b *body) fail(f *failure) {
	if b.failed == nil {
		b.failed = f
	}
}

// field returns the JSON of a field that may be missing or null; then ok is false.
func (b *body) field(name string) (v value, ok bool) {
	i, has := b.at[name]
	if !has {
		return value{b: b, name: name}, false
	}
	f := &b.fields[i]
	f.asked = true
	return value{b: b, name: name, json: f.json}, f.json[0] != 'n'
}

// ignore says that the dialect knows these fields, and needs none of them.
func (b *body) ignore(names ...string) {
	for _, name := range names {
		b.field(name)
	}
}

// unknown lists the fields that nobody has asked for, in their order.
func (b *body) unknown() (names []string) {
	for i := range b.fields {
		if !b.fields[i].asked {
			names = append(names, b.fields[i].name)
		}
	}
	return names
}

// required returns a field that must be there; null is another type.
func (b *body) required(name string) (value, bool) {
	v, _ := b.field(name)
	if v.json == nil {
		b.fail(about(name, missingField, "missing field %q", name))
		return v, false
	}
	return v, true
}

// text returns a string that must be there.
func (b *body) text(name string) string {
	if v, ok := b.required(name); ok {
		return v.text()
	}
	return ""
}

// optional returns a string, or "" if it is missing or null.
func (b *body) optional(name string) string {
	if v, ok := b.field(name); ok {
		return v.text()
	}
	return ""
}

// texts returns an array of strings that must be there.
func (b *body) texts(name string) []string {
	v, ok := b.required(name)
	if !ok {
		return nil
	}
	return v.texts()
}

// textOrTexts returns an array of strings that must be there, or a single string.
func (b *body) textOrTexts(name string) (texts []string, single bool) {
	v, ok := b.required(name)
	if !ok {
		return nil, false
	}
	if v.is('"') {
		return []string{v.text()}, true
	}
	v.each("a string or an array of strings", func(e value) { texts = append(texts, e.text()) })
	return texts, false
}

// flag returns a boolean, or other if it is missing or null.
func (b *body) flag(name string, other bool) bool {
	v, ok := b.field(name)
	if !ok {
		return other
	}
	return v.flag()
}

// count returns a whole number of at least least, or other if it is missing or null.
func (b *body) count(name string, least, other int) int {
	v, ok := b.field(name)
	if !ok {
		return other
	}
	n := v.integer()
	if n < least {
		b.fail(about(name, badValue, "field %q: %d, want at least %d", name, n, least))
	}
	return n
}

// model returns the name of the model that the body asks for; "" for none.
func (b *body) model() string { return b.optional("model") }
