// Package jsonscan reads JSON in place. Values that it skips, counts or compares cost no
// memory. So a file of a hundred megabytes from an unknown source can be refused for its
// content, or read for the little of it that is needed.
//
// It is for the parts of a checkpoint's files that can be large: a safetensors header, an
// index of shards, a vocabulary. The small ones are read with encoding/json, after [Check] has
// counted their values.
//
// The grammar is that of RFC 8259, as in encoding/json, with two stricter rules, which the
// Rust libraries have, too: the escape of half a surrogate pair is an error, and so are
// objects and arrays nested more than 127 deep. The caller must check that the text is UTF-8
// and that no key occurs twice.
package jsonscan

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// mostDepth is how deep objects and arrays may be nested. serde_json, with which the Rust
// libraries read the same files, has the same limit.
const mostDepth = 127

// Scanner is a position in a text. Its methods read the next value, after white space.
// After an error it cannot be used any more. Errors give the offset in bytes, from 0.
type Scanner struct {
	text   []byte
	at     int
	depth  int
	values int // how many values Skip has passed
	most   int // how many it may pass; see Check
}

// New returns a scanner at the start of text, which must be UTF-8 and stay unchanged.
func New(text []byte) *Scanner { return &Scanner{text: text, most: math.MaxInt} }

// Check returns an error unless text is a single JSON value that consists of at most that
// many values: itself, its elements and members, and theirs. For a valid text it allocates
// nothing.
func Check(text []byte, values int) error {
	s := &Scanner{text: text, most: values}
	if err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}

// At returns how many bytes have been read.
func (s *Scanner) At() int { return s.at }

// Errorf returns an error with the current position.
func (s *Scanner) Errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %w", s.at, fmt.Errorf(format, args...))
}

// Once returns an error if *seen is true, and sets it. It is for callers that check that a
// key does not occur twice.
func (s *Scanner) Once(seen *bool) error {
	if *seen {
		return s.Errorf("duplicate key")
	}
	*seen = true
	return nil
}

// Object reads an object. It calls member with each key; member must read the value. The
// key is valid until member returns. Errors of member are prefixed by the key.
func (s *Scanner) Object(member func(key []byte) error) error {
	return s.list('{', '}', "an object", func() error {
		key, err := s.Text("a key")
		if err != nil {
			return err
		}
		if err := s.colon(); err != nil {
			return err
		}
		if err := member(key); err != nil {
			return fmt.Errorf("%s: %w", Quote(key), err)
		}
		return nil
	})
}

// Array reads an array. It calls element for each element; element must read it.
func (s *Scanner) Array(element func() error) error {
	return s.list('[', ']', "an array", element)
}

// list reads what is between two delimiters, with commas between the items.
func (s *Scanner) list(open, end byte, want string, item func() error) error {
	if s.peek() != open {
		return s.unwanted(want)
	}
	s.at++
	if s.depth++; s.depth > mostDepth {
		return s.Errorf("more than %d objects and arrays in each other", mostDepth)
	}
	for first := true; ; first = false {
		c := s.peek()
		if c == end && first {
			break
		}
		if !first {
			if c == end {
				break
			}
			if c != ',' {
				return s.invalid()
			}
			s.at++
		}
		if err := item(); err != nil {
			return err
		}
	}
	s.at++
	s.depth--
	return nil
}

func (s *Scanner) colon() error {
	if s.peek() != ':' {
		return s.invalid()
	}
	s.at++
	return nil
}

// Text reads a string. The error for another type of value says that want was expected. The
// result is a part of the text, or a copy if it has escapes.
func (s *Scanner) Text(want string) ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.unwanted(want)
	}
	raw, escapes, err := s.quoted()
	if err != nil || !escapes {
		return raw, err
	}
	return unescape(raw), nil
}

// Natural reads an integer in [0, 2^64).
func (s *Scanner) Natural() (uint64, error) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, s.unwanted("an integer")
	}
	number, err := s.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		return 0, s.Errorf("%s, want an integer in [0, 2^64)", describe(number))
	}
	return n, nil
}

// Null reads null if that is the next value, and returns true. Otherwise it reads nothing.
func (s *Scanner) Null() bool {
	if s.peek() != 'n' {
		return false
	}
	from := s.at
	_, err := s.literal()
	if err != nil {
		s.at = from // so that the next method reads it
	}
	return err == nil
}

// Next returns the first byte of the next value, which tells its type, without reading it; 0
// at the end.
func (s *Scanner) Next() byte { return s.peek() }

// Skip reads a value of any type and ignores it.
func (s *Scanner) Skip() error {
	if s.values++; s.values > s.most {
		return s.Errorf("more than %d values", s.most)
	}
	switch s.peek() {
	case '{':
		return s.list('{', '}', "", func() error {
			if s.peek() != '"' {
				return s.unwanted("a key")
			}
			if _, _, err := s.quoted(); err != nil {
				return err
			}
			if err := s.colon(); err != nil {
				return err
			}
			return s.Skip()
		})
	case '[':
		return s.list('[', ']', "", s.Skip)
	default:
		_, err := s.scalar()
		return err
	}
}

// Raw reads a value of any type and returns its text.
func (s *Scanner) Raw() ([]byte, error) {
	s.peek()
	from := s.at
	err := s.Skip()
	return s.text[from:s.at:s.at], err
}

// End returns an error if anything but white space follows.
func (s *Scanner) End() error {
	if s.peek(); s.at < len(s.text) {
		return s.Errorf("text after the end")
	}
	return nil
}

// maxQuoted is how much of a file's text an error repeats: a name may have 100 MB.
const maxQuoted = 128

// Quote returns a text in double quotes, shortened if it is long, for errors.
func Quote[T []byte | string](text T) string {
	if len(text) <= maxQuoted {
		return strconv.Quote(string(text))
	}
	return strconv.Quote(strings.ToValidUTF8(string(text[:maxQuoted]), "")) + "..."
}

// describe names a token in an error.
func describe(token []byte) string {
	switch c := token[0]; {
	case c == '"':
		return "string " + Quote(unescape(token[1:len(token)-1]))
	case c == '-' || c >= '0' && c <= '9':
		if len(token) > maxQuoted {
			return "number " + string(token[:maxQuoted]) + "..."
		}
		return "number " + string(token)
	}
	return string(token)
}

// unwanted returns the error for a value of the wrong type, or for a missing value.
func (s *Scanner) unwanted(want string) error {
	switch c := s.peek(); c {
	case '{', '[':
		s.at++
		return s.Errorf("%c, want %s", c, want)
	}
	token, err := s.scalar()
	if err != nil {
		return err
	}
	return s.Errorf("%s, want %s", describe(token), want)
}

// invalid returns the error for a byte that is not allowed here, or for the end of the
// text.
func (s *Scanner) invalid() error {
	if s.at >= len(s.text) {
		return s.Errorf("%w", io.ErrUnexpectedEOF)
	}
	r := []rune(string(s.text[s.at:min(s.at+4, len(s.text))]))
	return s.Errorf("invalid character %q", r[0])
}
