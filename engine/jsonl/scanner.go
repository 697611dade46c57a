package jsonl

// scanner walks over JSON that is known to be valid, so it checks nothing. Unlike
// encoding/json it says where each value is, and it copies nothing. (Package jsonscan,
// which reads a checkpoint's files, is stricter than encoding/json, also in fields that are
// not used.)
type scanner struct {
	line   []byte
	at     int
	inside bool // at list's second and later calls for the same array or object
}

// space skips white space.
func (s *scanner) space() {
	for s.at < len(s.line) {
		switch s.line[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// next skips white space and then c, and returns true; if c does not come next, it skips
// nothing but the space and returns false.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.line[s.at] != c {
		return false
	}
	s.at++
	return true
}

// list steps to the next element of an array or object, at whose first byte or inside which
// the scanner is. It returns false at the end.
func (s *scanner) list() bool {
	if !s.inside {
		s.space()
		s.at++ // skip the bracket
		s.inside = true
	}
	s.next(',')
	return !s.next(']') && !s.next('}')
}

// value returns the next value and skips it.
func (s *scanner) value() value {
	s.space()
	begin, depth := s.at, 0
	for {
		switch s.line[s.at] {
		case '"':
			s.text()
		case '[', '{':
			depth++
			s.at++
		case ']', '}':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++ // step into the array or object
		default:
			s.word()
		}
		if depth == 0 {
			return value{raw: s.line[begin:s.at:s.at], column: begin + 1}
		}
	}
}

// text skips a string.
func (s *scanner) text() {
	for s.at++; s.line[s.at] != '"'; s.at++ {
		if s.line[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// word skips a number, true, false or null.
func (s *scanner) word() {
	for ; s.at < len(s.line); s.at++ {
		switch s.line[s.at] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
	}
}
