// Package jsonscan reads JSON in place: what is skipped, counted or compared costs no
// memory, so that a file of a hundred megabytes from somewhere can be refused for what
// it holds, or read for the little of it that is kept.
//
// It is for the parts of a checkpoint's files that can be large: a safetensors header,
// an index of shards, a vocabulary. For the small rest there is encoding/json, once
// [Check] has counted what it would have to hold.
//
// The grammar is RFC 8259's, as encoding/json has it, with two rules that are stricter, as
// they are in the Rust libraries: the escape of half a surrogate pair is an error, and so
// are objects and arrays that are nested more than 127 deep. That the text is UTF-8, and
// has no key twice, is for the caller to check.
package jsonscan

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// mostDepth is how deep objects and arrays may be nested, as in serde_json, by which the
// Rust libraries read the same files.
const mostDepth = 127

// Scanner is a place in a text. Its methods read the value that comes next, and white
// space before it. After an error it is of no use. Errors say the byte, from 0.
type Scanner struct {
	text   []byte
	at     int
	depth  int
	values int // that Skip has passed
	most   int // that it may pass; see Check
}

// New returns a scanner at the start of text, which must be UTF-8 and stay unchanged.
func New(text []byte) *Scanner { return &Scanner{text: text, most: math.MaxInt} }

// Check returns an error unless text is one JSON value, made of at most so many values:
// itself, its elements and members, and theirs. Of a good text it allocates nothing.
func Check(text []byte, values int) error {
	s := &Scanner{text: text, most: values}
	if err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}

// At is how many bytes have been read.
func (s *Scanner) At() int { return s.at }

// Errorf says where in the text something is wrong.
func (s *Scanner) Errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %w", s.at, fmt.Errorf(format, args...))
}

// Once is the error of a key that has been seen, and notes that it has: keys that come
// twice are the caller's to find.
func (s *Scanner) Once(seen *bool) error {
	if *seen {
		return s.Errorf("duplicate key")
	}
	*seen = true
	return nil
}

// Object reads an object and calls member with each key, which is good until member
// returns; member reads the value. Errors of member name the key.
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

// Array reads an array and calls element for each of its elements, which element reads.
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

// Text reads a string, which the error calls want. It is a part of the text, or a copy
// where it has escapes.
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

// Null reads null, if that is what comes next, and else nothing.
func (s *Scanner) Null() bool {
	if s.peek() != 'n' {
		return false
	}
	from := s.at
	_, err := s.literal()
	if err != nil {
		s.at = from // and whoever reads on finds it, too
	}
	return err == nil
}

// Skip reads a value of any kind and keeps nothing of it.
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

// Raw reads a value of any kind and returns its text.
func (s *Scanner) Raw() ([]byte, error) {
	s.peek()
	from := s.at
	err := s.Skip()
	return s.text[from:s.at:s.at], err
}

// End says whether anything but white space follows.
func (s *Scanner) End() error {
	if s.peek(); s.at < len(s.text) {
		return s.Errorf("text after the end")
	}
	return nil
}

// maxQuoted bounds what of a file's own text an error repeats: a name may have 100 MB.
const maxQuoted = 128

// Quote is a text in double quotes, cut if it is long: for errors.
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

// unwanted is the error for a value of the wrong kind, or for none at all.
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

// invalid is the error for a byte that cannot stand where it does, or for the end.
func (s *Scanner) invalid() error {
	if s.at >= len(s.text) {
		return s.Errorf("%w", io.ErrUnexpectedEOF)
	}
	r := []rune(string(s.text[s.at:min(s.at+4, len(s.text))]))
	return s.Errorf("invalid character %q", r[0])
}
