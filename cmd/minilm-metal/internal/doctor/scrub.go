package doctor

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Scrubber takes what is personal out of texts.
type Scrubber struct{ all []replacement }

type replacement struct{ text, instead string }

// HidePath has a path stand as instead wherever it occurs, also with a Windows path's
// backslashes doubled, as JSON has them, or turned. A path without a folder in it, such as
// "/", is nobody's.
func (s *Scrubber) HidePath(path, instead string) {
	path = strings.TrimRight(path, `/\`)
	if strings.Trim(path, `/\:.`) == "" || !strings.ContainsAny(path, `/\`) {
		return
	}
	s.hide(path, instead)
	if strings.Contains(path, `\`) {
		s.hide(strings.ReplaceAll(path, `\`, `\\`), instead)
		s.hide(strings.ReplaceAll(path, `\`, "/"), instead)
	}
}

// common are names of users and machines that say nothing of anybody.
var common = []string{"", "admin", "administrator", "debian", "ec2-user", "guest", "linux", "localdomain", "localhost", "mac", "macos", "nobody",
	"root", "runner", "runneradmin", "ubuntu", "user", "windows"}

// HideName has a name stand as instead wherever it is a word, in capitals or not, unless it
// is a name that many have. One letter is no name.
func (s *Scrubber) HideName(name, instead string) {
	if utf8.RuneCountInString(name) > 1 && !slices.Contains(common, strings.ToLower(name)) {
		s.hide(name, instead)
	}
}

func (s *Scrubber) hide(text, instead string) {
	s.all = append(s.all, replacement{text, instead})
	// The longest first: a home folder before the name that ends it.
	slices.SortStableFunc(s.all, func(a, b replacement) int { return cmp.Compare(len(b.text), len(a.text)) })
}

// Scrub returns text without what is hidden.
func (s *Scrubber) Scrub(text string) string {
	for _, r := range s.all {
		text = r.apply(text)
	}
	return text
}

func (r replacement) apply(text string) string {
	var out strings.Builder
	for at := 0; ; {
		found := indexFold(text[at:], r.text)
		if found < 0 {
			if at == 0 {
				return text
			}
			out.WriteString(text[at:])
			return out.String()
		}
		begin, end := at+found, at+found+len(r.text)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		after, _ := utf8.DecodeRuneInString(text[end:])
		first, _ := utf8.DecodeRuneInString(r.text)
		last, _ := utf8.DecodeLastRuneInString(r.text)
		if inWord(before) && inWord(first) || inWord(last) && inWord(after) {
			_, size := utf8.DecodeRuneInString(text[begin:])
			out.WriteString(text[at : begin+size])
			at = begin + size
			continue
		}
		out.WriteString(text[at:begin])
		out.WriteString(r.instead)
		at = end
	}
}

// inWord says that r is part of a word: a name that goes on with such is another name.
func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// indexFold is strings.Index without regard to the case of letters whose two cases are of
// the same length.
func indexFold(text, of string) int {
	for i := 0; i+len(of) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(of)], of) {
			return i
		}
	}
	return -1
}
