package jsonl

// scanner walks over JSON that is known to be valid, and so asks nothing twice. It says
// where each value is, which encoding/json does not, and copies none. Package jsonscan, for
// a checkpoint's files, is stricter than encoding/json, also in fields that nobody reads.
type scanner struct {
	line   []byte
	at     int
	inside bool // of the list that list walks over
}

// space goes on to what is no white space.
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

// next goes behind c, which comes next, after white space perhaps, or does nothing.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.line[s.at] != c {
		return false
	}
	s.at++
	return true
}

// list says whether the array or object, at whose first byte or inside which the scanner
// is, has one more element, and goes there.
func (s *scanner) list() bool {
	if !s.inside {
		s.space()
		s.at++ // the bracket
		s.inside = true
	}
	s.next(',')
	return !s.next(']') && !s.next('}')
}

// value returns the value that comes next, and goes behind it.
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
			s.at++ // inside an array or an object
		default:
			s.word()
		}
		if depth == 0 {
			return value{raw: s.line[begin:s.at:s.at], column: begin + 1}
		}
	}
}

// text goes behind a string.
func (s *scanner) text() {
	for s.at++; s.line[s.at] != '"'; s.at++ {
		if s.line[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// word goes behind a number, true, false or null.
func (s *scanner) word() {
	for ; s.at < len(s.line); s.at++ {
		switch s.line[s.at] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
	}
}
