package tokenizer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// class reads a character class after its opening bracket.
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

// union sorts ranges and joins those that touch.
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

// complement returns everything that is in none of the sorted ranges.
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
