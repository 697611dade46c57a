package tokenizer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The library's patterns are Oniguruma's, in Ruby's syntax. onig reads those that mean the
// same text to Go's regexp, and writes them in its syntax: both take, of the matches that
// begin leftmost, the one that the pattern prefers. What Go has not, or reads in another
// way, is refused by name, and so are patterns that an empty text matches, of which
// engines differ in where the next search begins.
type onig struct {
	text string // what is left to read
	out  strings.Builder
}

const (
	mostPattern = 1 << 10 // bytes
	mostAtoms   = 1 << 10 // what a pattern would have without repetitions
	mostWritten = 1 << 16 // bytes in Go's syntax
	mostNested  = 100
)

// onigRegexp returns Go's form of a pattern.
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
		return nil, fmt.Errorf("which finds empty texts too, is not supported")
	}
	return regexp.Compile(o.out.String())
}

// size is what is known of a part of a pattern.
type size struct {
	atoms int  // with repetitions written out
	empty bool // an empty text matches it
}

func (o *onig) next() (r rune, ok bool) {
	r, n := utf8.DecodeRuneInString(o.text)
	o.text = o.text[n:]
	return r, n > 0
}

// take takes a text, if that is what comes next.
func (o *onig) take(text string) bool {
	rest, ok := strings.CutPrefix(o.text, text)
	o.text = rest
	return ok
}

// alternatives reads up to the end or a closing parenthesis.
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

// sequence reads an alternative. Anchors may stand at its ends, outside of parentheses: at
// the end of a text that ends in a line feed, ^ is none to Oniguruma.
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

// atom reads one thing that may be repeated.
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

// repeated reads how often the atom before it may come.
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
		repeat += "?" // as few as will do
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

// class reads a class after its bracket.
func (o *onig) class() error {
	whole := o.text
	var all []runeRange
	not := o.take("^")
	for first := true; ; first = false {
		rest := o.text
		if o.take("]") && !first {
			break
		}
		if rest == "" || strings.ContainsAny(rest[:1], "[]") || strings.HasPrefix(rest, "&&") || rest[0] == '-' && !first && !strings.HasPrefix(rest, "-]") {
			return fmt.Errorf("has the class %.40q, which is not supported", "["+whole)
		}
		some, err := o.member()
		if err != nil {
			return err
		}
		if strings.HasPrefix(o.text, "-") && !strings.HasPrefix(o.text, "-]") {
			o.take("-")
			var last []runeRange
			if o.text != "" && strings.ContainsAny(o.text[:1], "[]-&") {
				return fmt.Errorf("has the class %.40q, which is not supported", "["+whole)
			}
			if last, err = o.member(); err != nil {
				return err
			}
			if !single(some) || !single(last) || some[0].lo > last[0].lo {
				return fmt.Errorf("has the class %.40q with no range of characters", "["+whole)
			}
			some = []runeRange{{some[0].lo, last[0].lo}}
		}
		all = append(all, some...)
	}
	if all = union(all); not {
		all = complement(all)
	}
	if len(all) == 0 {
		return fmt.Errorf("has the class %.40q of nothing", "["+whole)
	}
	o.write(all)
	return nil
}

func single(ranges []runeRange) bool { return len(ranges) == 1 && ranges[0].lo == ranges[0].hi }

// member reads a code point of a class, or an escape for several.
func (o *onig) member() ([]runeRange, error) {
	if o.take(`\`) {
		return o.escape()
	}
	r, ok := o.next()
	if !ok {
		return nil, fmt.Errorf("has a class that is not closed")
	}
	return []runeRange{{r, r}}, nil
}

// escape reads what is after a backslash.
func (o *onig) escape() ([]runeRange, error) {
	rest := o.text
	r, ok := o.next()
	if i := strings.IndexRune("tnrfvae", r); ok && i >= 0 {
		r = rune("\t\n\r\f\v\a\x1b"[i])
		return []runeRange{{r, r}}, nil
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("ends in a backslash")
	case r == 's':
		return spaceRanges, nil
	case r == 'd':
		return digitRanges, nil
	case r == 'w':
		return letterRanges, nil
	case r == 'S':
		return complement(spaceRanges), nil
	case r == 'D':
		return complement(digitRanges), nil
	case r == 'W':
		return complement(letterRanges), nil
	case r == 'u' && len(o.text) >= 4:
		if n, err := strconv.ParseUint(o.text[:4], 16, 16); err == nil && utf8.ValidRune(rune(n)) {
			o.text = o.text[4:]
			return []runeRange{{rune(n), rune(n)}}, nil
		}
	case r < utf8.RuneSelf && r > ' ' && !('0' <= r && r <= '9' || 'A' <= r&^' ' && r&^' ' <= 'Z'), r == ' ':
		return []runeRange{{r, r}}, nil
	}
	return nil, fmt.Errorf("has %.3q, which is not supported", `\`+rest)
}

// write writes a class.
func (o *onig) write(ranges []runeRange) {
	o.out.WriteByte('[')
	for _, r := range ranges {
		for i, r := range []rune{r.lo, '-', r.hi} {
			if i == 1 || r >= utf8.RuneSelf && utf8.ValidRune(r) {
				o.out.WriteRune(r)
			} else {
				fmt.Fprintf(&o.out, `\x{%x}`, r)
			}
		}
	}
	o.out.WriteByte(']')
}

// union sorts ranges and puts together those that touch.
func union(ranges []runeRange) []runeRange {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b runeRange) int { return int(a.lo - b.lo) })
	all := ranges[:0]
	for _, r := range ranges {
		if last := len(all) - 1; last >= 0 && r.lo <= all[last].hi+1 {
			all[last].hi = max(all[last].hi, r.hi)
			continue
		}
		all = append(all, r)
	}
	return all
}

// complement returns what is in none of the sorted ranges.
func complement(ranges []runeRange) []runeRange {
	var all []runeRange
	from := rune(0)
	for _, r := range ranges {
		if r.lo > from {
			all = append(all, runeRange{from, r.lo - 1})
		}
		from = r.hi + 1
	}
	if from <= utf8.MaxRune {
		all = append(all, runeRange{from, utf8.MaxRune})
	}
	return all
}
