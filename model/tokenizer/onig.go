package tokenizer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// onig translates the library's patterns, which are Oniguruma's in Ruby's syntax, to Go's
// syntax, if Go's regexp matches the same text. Both engines take the leftmost match and,
// of several that begin there, the one that the pattern prefers. What Go does not have or
// reads differently is refused by name. So are patterns that match the empty text, because
// engines differ in where they continue the search then.
type onig struct {
	text string // the rest of the pattern
	out  strings.Builder
}

const (
	mostPattern = 1 << 10 // bytes
	mostAtoms   = 1 << 10 // atoms of a pattern with its repetitions written out
	mostWritten = 1 << 16 // bytes in Go's syntax
	mostNested  = 100
)

// onigRegexp returns a pattern as a Go regexp.
func onigRegexp(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > mostPattern {
		return nil, fmt.Errorf("of %d bytes, want at most %d", len(pattern), mostPattern)
	}
	o := onig{text: pattern}
	whole, err := o.alternatives(0)
	switch {
	case err != nil:
		return nil, err
	case o.text != "":
		return nil, fmt.Errorf("%.40q: a parenthesis that closes nothing", o.text)
	case whole.empty:
		return nil, fmt.Errorf("finds empty texts too, which is not supported")
	}
	return regexp.Compile(o.out.String())
}

// size describes a part of a pattern.
type size struct {
	atoms int  // with repetitions written out
	empty bool // it matches the empty text
}

func (o *onig) next() (r rune, ok bool) {
	r, n := utf8.DecodeRuneInString(o.text)
	o.text = o.text[n:]
	return r, n > 0
}

// take reads text, if that comes next.
func (o *onig) take(text string) bool {
	rest, ok := strings.CutPrefix(o.text, text)
	o.text = rest
	return ok
}

// alternatives reads up to the end or to a closing parenthesis.
func (o *onig) alternatives(depth int) (size, error) {
	all := size{}
	if depth > mostNested {
		return all, fmt.Errorf("has more than %d parentheses in each other", mostNested)
	}
	for {
		one, err := o.sequence(depth)
		if err != nil {
			return all, err
		}
		all.atoms += one.atoms
		all.empty = all.empty || one.empty
		if !o.take("|") {
			return all, nil
		}
		o.out.WriteByte('|')
	}
}

// sequence reads one alternative. Anchors may be at its ends, outside of parentheses. (At
// the end of a text that ends in a line feed, Oniguruma does not match ^.)
func (o *onig) sequence(depth int) (size, error) {
	all := size{empty: true}
	if depth == 0 {
		switch {
		case o.take("^"):
			o.out.WriteString(`(?m:^)`)
		case o.take(`\A`):
			o.out.WriteString(`\A`)
		}
	}
	for o.text != "" && o.text[0] != '|' && o.text[0] != ')' {
		if depth == 0 {
			if at := strings.IndexByte(o.text+"|", '|'); at == 1 && o.take("$") {
				o.out.WriteString(`(?m:$)`)
				break
			} else if at == 2 && o.take(`\z`) {
				o.out.WriteString(`\z`)
				break
			}
		}
		one, err := o.atom(depth)
		if err == nil {
			err = o.repeated(&one)
		}
		if err != nil {
			return all, err
		}
		all.atoms += one.atoms
		all.empty = all.empty && one.empty
		if all.atoms > mostAtoms || o.out.Len() > mostWritten {
			return all, fmt.Errorf("is too large")
		}
	}
	return all, nil
}

// atom reads one element that may be repeated.
func (o *onig) atom(depth int) (size, error) {
	one := size{atoms: 1}
	switch rest := o.text; {
	case o.take("("):
		if !o.take("?:") && strings.HasPrefix(o.text, "?") {
			return one, fmt.Errorf("has %.3q, which is not supported", rest)
		}
		o.out.WriteString("(?:")
		one, err := o.alternatives(depth + 1)
		if err == nil && !o.take(")") {
			err = fmt.Errorf("%.40q: a parenthesis that is not closed", rest)
		}
		o.out.WriteByte(')')
		return one, err
	case o.take("["):
		return one, o.class()
	case o.take(`\`):
		ranges, err := o.escape()
		if err == nil {
			o.write(ranges)
		}
		return one, err
	case o.take("."):
		o.out.WriteByte('.')
		return one, nil
	case strings.ContainsAny(o.text[:1], "^$*+?{"):
		return one, fmt.Errorf("has %.1q where that is not supported", rest)
	}
	r, _ := o.next()
	o.out.WriteString(regexp.QuoteMeta(string(r)))
	return one, nil
}

// repeated reads the repetition of the atom before it.
func (o *onig) repeated(one *size) error {
	before := o.text
	from, to := 1, 1
	switch {
	case o.take("*"):
		from, to = 0, -1
	case o.take("+"):
		to = -1
	case o.take("?"):
		from = 0
	case o.take("{"):
		inside, rest, _ := strings.Cut(o.text, "}")
		low, high, two := strings.Cut(inside, ",")
		var err error
		if from, err = strconv.Atoi(low); err == nil && two && high == "" {
			to = -1
		} else if to = from; err == nil && two {
			to, err = strconv.Atoi(high)
		}
		if err != nil || from < 0 || to >= 0 && (to < from || to == 0) || strings.ContainsAny(inside, "+-") || !strings.Contains(o.text, "}") {
			return fmt.Errorf("has %.8q, which is not supported", before)
		}
		o.text = rest
	default:
		return nil
	}
	if one.empty {
		return fmt.Errorf("has %.8q after what may be empty, which is not supported", before)
	}
	repeat := before[:len(before)-len(o.text)]
	if strings.HasPrefix(o.text, "?") && !(repeat[0] == '{' && from == to) && o.take("?") {
		repeat += "?" // as few as possible
	}
	if o.text != "" && strings.ContainsAny(o.text[:1], "*+?{") {
		return fmt.Errorf("has %.8q, which is not supported", before)
	}
	if max(from, to) > mostAtoms {
		return fmt.Errorf("is too large")
	}
	one.atoms *= max(from, to, 1)
	one.empty = from == 0
	o.out.WriteString(repeat)
	return nil
}
