package jsonscan

import (
	"unicode/utf16"
	"unicode/utf8"
)

// peek skips white space and returns the next byte, without reading it; 0 at the end. (A
// NUL in the text cannot begin a value either.)
func (s *Scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// byte returns the current byte, 0 at the end.
func (s *Scanner) byte() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// scalar reads a string, a number or a literal and returns its text.
func (s *Scanner) scalar() ([]byte, error) {
	switch c := s.peek(); {
	case c == '"':
		from := s.at
		_, _, err := s.quoted()
		return s.text[from:s.at], err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.literal()
}

// literal reads null, true or false.
func (s *Scanner) literal() ([]byte, error) {
	for _, word := range []string{"null", "true", "false"} {
		if s.byte() != word[0] {
			continue
		}
		from := s.at
		for i := range len(word) {
			if s.byte() != word[i] {
				return nil, s.invalid()
			}
			s.at++
		}
		return s.text[from:s.at], nil
	}
	return nil, s.invalid()
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? and returns its text.
func (s *Scanner) number() ([]byte, error) {
	from := s.at
	digits := func() error {
		if c := s.byte(); c < '0' || c > '9' {
			return s.invalid()
		}
		for c := s.byte(); c >= '0' && c <= '9'; c = s.byte() {
			s.at++
		}
		return nil
	}
	if s.byte() == '-' {
		s.at++
	}
	if s.byte() == '0' {
		s.at++ // no digit may follow; one would not be a delimiter either
	} else if err := digits(); err != nil {
		return nil, err
	}
	if s.byte() == '.' {
		s.at++
		if err := digits(); err != nil {
			return nil, err
		}
	}
	if c := s.byte(); c == 'e' || c == 'E' {
		s.at++
		if c := s.byte(); c == '+' || c == '-' {
			s.at++
		}
		if err := digits(); err != nil {
			return nil, err
		}
	}
	return s.text[from:s.at], nil
}

// quoted reads a string that begins at the current byte. It returns what is between the
// quotation marks, with escapes as they are written, and whether there are any.
func (s *Scanner) quoted() (raw []byte, escapes bool, err error) {
	s.at++
	from := s.at
	for {
		if s.at >= len(s.text) {
			return nil, false, s.invalid()
		}
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[from : s.at-1], escapes, nil
		case c == '\\':
			escapes = true
			if err := s.escape(); err != nil {
				return nil, false, err
			}
		case c < ' ':
			return nil, false, s.invalid()
		default:
			s.at++
		}
	}
}

// escape skips an escape sequence; the two halves of a surrogate pair count as one.
func (s *Scanner) escape() error {
	s.at++
	switch s.byte() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return nil
	case 'u':
	default:
		return s.invalid()
	}
	first, err := s.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return err
	}
	if s.byte() == '\\' && s.at+1 < len(s.text) && s.text[s.at+1] == 'u' {
		s.at++
		second, err := s.hex()
		if err != nil {
			return err
		}
		if utf16.DecodeRune(first, second) != utf8.RuneError {
			return nil
		}
	}
	return s.Errorf("the escape of half a surrogate pair")
}

// hex reads a u and four hexadecimal digits.
func (s *Scanner) hex() (rune, error) {
	s.at++
	var r rune
	for range 4 {
		c := s.byte()
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, s.invalid()
		}
		r = r<<4 | rune(c)
		s.at++
	}
	return r, nil
}

// unescape replaces the escape sequences in raw, which quoted has checked.
func unescape(raw []byte) []byte {
	text := make([]byte, 0, len(raw)) // no escape is shorter than what it stands for
	for s := (Scanner{text: raw}); s.at < len(raw); {
		c := raw[s.at]
		if c != '\\' {
			text = append(text, c)
			s.at++
			continue
		}
		s.at++
		switch c = raw[s.at]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := s.hex()
			if utf16.IsSurrogate(r) {
				s.at++ // skip the backslash of the second half
				second, _ := s.hex()
				r = utf16.DecodeRune(r, second)
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		text = append(text, c)
		s.at++
	}
	return text
}
