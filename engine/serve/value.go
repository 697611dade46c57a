package serve

import (
	"bytes"
	"strconv"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// value is a JSON value inside a body. It is valid JSON. A value that is not of the type that
// is asked for makes the body failed.
type value struct {
	b     *body
	name  string // the field, or that of the array that has it
	index int    // in the array of that name, from 1; 0: it is no element
	json  []byte
}

// place is the field and the place in it, such as documents[2].text.
func (v value) place() string {
	if v.index == 0 {
		return v.name
	}
	return v.name + "[" + strconv.Itoa(v.index-1) + "]"
}

// is reports whether the value begins with that byte, which tells its type.
func (v value) is(first byte) bool { return v.json[0] == first }

// first is the first byte of an array's first element, or ']' if it has none. Of what is no array it is
// ']', too.
func (v value) first() byte {
	if !v.is('[') {
		return ']'
	}
	return bytes.TrimLeft(v.json[1:], " \t\r\n")[0]
}

// wrong makes the body failed, since the value has the wrong type.
func (v value) wrong(want string) {
	place := v.place()
	v.b.fail(about(place, wrongType, "field %q: %s, want %s", place, typeOf(v.json[0]), want))
}

// text returns a string.
func (v value) text() string {
	if !v.is('"') {
		v.wrong("a string")
		return ""
	}
	t, err := jsonscan.New(v.json).Text("a string")
	if err != nil { // cannot happen: the value is valid JSON
		v.b.fail(notJSON(err))
	}
	return string(t)
}

// flag returns a boolean.
func (v value) flag() bool {
	if !v.is('t') && !v.is('f') {
		v.wrong("true or false")
		return false
	}
	return v.is('t')
}

// integer returns a whole number. One like 5.0 is none.
func (v value) integer() int {
	if !isNumber(v.json) {
		v.wrong("a whole number")
		return 0
	}
	n, err := strconv.ParseInt(string(v.json), 10, 32)
	if err != nil {
		place := v.place()
		v.b.fail(about(place, wrongType, "field %q: want a whole number of at most 32 bits", place))
		return 0
	}
	return int(n)
}

func isNumber(json []byte) bool { return json[0] == '-' || json[0] >= '0' && json[0] <= '9' }

// each calls f with each element of an array. More elements than the limit, numbers left out, make
// the body failed.
func (v value) each(want string, f func(value)) {
	if !v.is('[') {
		v.wrong(want)
		return
	}
	i, numbers, name := 0, 0, v.place()
	s := jsonscan.New(v.json)
	err := s.Array(func() error {
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		if isNumber(raw) {
			numbers++ // of which a text has many, if it comes as token ids
		} else if i-numbers == v.b.items {
			return about(name, tooManyItems, "field %q has more than %d elements, the limit of --max-items", name, v.b.items)
		}
		i++
		f(value{v.b, name, i, raw})
		if v.b.failed != nil { // read no further
			return v.b.failed
		}
		return nil
	})
	switch f := err.(type) {
	case nil:
	case *failure:
		v.b.fail(f)
	default: // cannot happen: the value is valid JSON
		v.b.fail(notJSON(err))
	}
}

// texts returns an array of strings.
func (v value) texts() (all []string) {
	v.each("an array of strings", func(e value) { all = append(all, e.text()) })
	return all
}

// id returns the id of a token, and ids an array of them, which is not nil.
func (v value) id() int32 { return int32(v.integer()) }

func (v value) ids() []int32 {
	// An array may be nearly all of a body: to grow with it would take several times as much memory.
	all := make([]int32, 0, bytes.Count(v.json, []byte{','})+1)
	v.each("an array of token ids", func(e value) { all = append(all, e.id()) })
	return all
}

// strings returns the members of an object that are strings, of which there are few: a map takes ten
// times as much memory as a short member's JSON.
func (v value) strings() map[string]string {
	all := map[string]string{}
	s := jsonscan.New(v.json)
	err := s.Object(func(key []byte) error {
		name := string(key)
		raw, err := s.Raw()
		if err != nil || raw[0] != '"' {
			return err
		}
		if _, twice := all[name]; twice {
			v.b.fail(about(v.place(), badJSON, "field %q: an object that has a field twice", v.place()))
		}
		if len(all) == mostFields {
			f := about(v.place(), tooManyItems, "field %q: an object with more than %d texts", v.place(), mostFields)
			v.b.fail(f)
			return f
		}
		all[name] = value{b: v.b, name: v.place(), json: raw}.text()
		return nil
	})
	if err != nil { // of which the first is said already; the value is valid JSON
		v.wrong("an object")
	}
	return all
}

// member returns a member of an object; ok is false if it is missing or null. What the object
// has besides is ignored.
func (v value) member(name string) (m value, ok bool) {
	m = value{b: v.b, name: v.place() + "." + name}
	s := jsonscan.New(v.json)
	err := s.Object(func(key []byte) error {
		raw, err := s.Raw()
		if string(key) == name {
			if m.json != nil {
				v.b.fail(about(m.name, badJSON, "field %q is there twice", m.name))
			}
			m.json = raw
		}
		return err
	})
	if err != nil {
		v.wrong("an object")
		return m, false
	}
	return m, m.json != nil && !m.is('n')
}

// need returns a member that must be there.
func (v value) need(name string) (m value, ok bool) {
	if !v.is('{') {
		v.wrong("an object")
		return value{}, false
	}
	m, _ = v.member(name)
	if m.json == nil {
		v.b.fail(about(m.name, missingField, "missing field %q", m.name))
		return m, false
	}
	return m, true
}

// object is the value as a body of its own, whose failures are the caller's to hand on.
func (v value) object() *body {
	if !v.is('{') {
		v.wrong("an object")
		return &body{}
	}
	inner, f := parseBody(v.json)
	if f != nil {
		inner.fail(f)
	}
	inner.items = v.b.items
	return inner
}
