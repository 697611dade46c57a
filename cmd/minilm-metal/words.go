package main

import (
	"errors"
	"strings"
)

// words splits text at white space, as a shell does: quotes, single or double, keep what is
// between them together, and nothing else is special.
func words(text string) (out []string, err error) {
	var word strings.Builder
	quote, within := rune(0), false // the quote that is open; whether there is a word
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, within = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if within {
				out = append(out, word.String())
			}
			word.Reset()
			within = false
		default:
			word.WriteRune(r)
			within = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if within {
		out = append(out, word.String())
	}
	return out, nil
}
