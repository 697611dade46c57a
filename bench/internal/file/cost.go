package file

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// An empty object of three bytes may become a value of hundreds: a file that says little in
// each of very many would take a hundred times its size. What the bench writes takes less
// than its own size, even without white space. So what a file would take is counted first.
const (
	// always is what any file may take, in bytes: in a small one a few values count much.
	always = 1 << 20
	// perByte is what it may take for each of its bytes, beyond that.
	perByte = 1.25
	// entrySize is about what an entry of a map takes besides its key and value.
	entrySize = 48
)

// ErrCrowded is in the error about lists that are too long for what they tell.
var ErrCrowded = errors.New("takes too much memory")

// affordable returns an error if decoding text as a value of type t would take too much
// memory, or if text is not JSON. It takes almost none itself.
func affordable(text []byte, t reflect.Type) error {
	c := &counter{text: jsonscan.New(text), left: always + int(perByte*float64(len(text))), fields: map[reflect.Type][]field{}}
	err := c.value(t)
	if c.left < 0 {
		return fmt.Errorf("%w: field %q: %d values and more, each of %d bytes of memory or more, in a file of %d bytes", ErrCrowded, c.path, c.count, c.size, len(text))
	}
	if err == nil {
		err = c.text.End()
	}
	return err
}

// counter counts the memory of a text's values.
type counter struct {
	text   *jsonscan.Scanner
	left   int // that they may still take
	fields map[reflect.Type][]field

	// Of the list with the most values among those that end in the place where left does,
	// once it does: its path, from the outside in as far as that is known yet.
	path        string
	count, size int
}

var errCrowded = errors.New("crowded")

// take counts n bytes.
func (c *counter) take(n int) error {
	if c.left -= n; c.left < 0 {
		return errCrowded
	}
	return nil
}

// value reads a value that will be decoded as one of type t, and counts what it takes beside
// the place of a t itself, which is its owner's.
func (c *counter) value(t reflect.Type) error {
	next := c.text.Next()
	if t.Kind() == reflect.Pointer && next != 'n' {
		if err := c.take(int(t.Elem().Size())); err != nil {
			return err
		}
		return c.value(t.Elem())
	}
	switch kind := t.Kind(); {
	case decodesItself(t), kind == reflect.String, kind == reflect.Interface:
		from := c.text.At()
		if err := c.text.Skip(); err != nil {
			return err
		}
		n := c.text.At() - from
		if kind == reflect.Interface { // whose values are of types that the text has, each a few words
			n *= 8
		}
		return c.take(n)
	case kind == reflect.Struct && next == '{':
		return c.text.Object(func(key []byte) error { return c.member(t, key) })
	case kind == reflect.Map && next == '{':
		return c.text.Object(func(key []byte) error {
			if err := c.take(entrySize + len(key) + int(t.Key().Size()+t.Elem().Size())); err != nil {
				return err
			}
			return c.value(t.Elem())
		})
	case (kind == reflect.Slice || kind == reflect.Array) && next == '[':
		return c.elements(t.Elem())
	}
	return c.text.Skip() // a number, or of a type that is not t's, which the decoder skips too
}

// elements reads a list.
func (c *counter) elements(t reflect.Type) error {
	size, n := int(t.Size()), 0
	err := c.text.Array(func() error {
		n++
		if err := c.take(size); err != nil {
			return err
		}
		return c.value(t)
	})
	if c.left < 0 && n > c.count { // the list to be named, whose path begins here
		c.path, c.count, c.size = "", n, size
	}
	return err
}

// member reads a member of an object that is decoded as a struct.
func (c *counter) member(t reflect.Type, key []byte) error {
	f := c.fieldOf(t, key)
	if f == nil {
		return c.text.Skip()
	}
	err := c.value(f.of)
	if c.left < 0 {
		c.path = strings.TrimSuffix(f.name+"."+c.path, ".")
	}
	return err
}

// field is a member as encoding/json knows it.
type field struct {
	name string
	of   reflect.Type
}

// fieldOf is the field of the struct t that key names, with capitals or without; nil: none.
func (c *counter) fieldOf(t reflect.Type, key []byte) *field {
	list, known := c.fields[t]
	if !known {
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			list = append(list, field{name, f.Type})
		}
		c.fields[t] = list
	}
	if i := slices.IndexFunc(list, func(f field) bool { return f.name == string(key) }); i >= 0 {
		return &list[i]
	}
	if i := slices.IndexFunc(list, func(f field) bool { return strings.EqualFold(f.name, string(key)) }); i >= 0 {
		return &list[i]
	}
	return nil
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decodesItself says whether a type reads its own text, as time.Time does.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(unmarshaler) || p.Implements(textUnmarshaler)
}
