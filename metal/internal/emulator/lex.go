package emulator

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// sourceName is what errors call the shaders.
const sourceName = "shaders.metal"

// token is a word, a literal or one character of punctuation.
type token struct {
	text string
	at   int // its offset
}

func (t token) end() int { return t.at + len(t.text) }

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// lex splits a preprocessed text. Lines that begin with # are not in the result.
func lex(text string) []token {
	var tokens []token
	lineStart := true
	for i := 0; i < len(text); {
		start := i
		switch c := text[i]; {
		case c == '\n':
			lineStart = true
			i++
			continue
		case c == ' ' || c == '\t':
			i++
			continue
		case c == '#' && lineStart:
			for i < len(text) && text[i] != '\n' {
				i++
			}
			continue
		case c == '"' || c == '\'':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			i = min(i+1, len(text))
		case isWord(c):
			for i < len(text) && (isWord(text[i]) || text[i] == '.' && '0' <= c && c <= '9') {
				i++
			}
		default:
			i++
		}
		lineStart = false
		tokens = append(tokens, token{text[start:i], start})
	}
	return tokens
}

// errorAt returns an error that names the line of the source which an offset of
// its preprocessed text comes from.
func errorAt(text string, at int, format string, args ...any) error {
	line, start := 0, 0
	for start < at {
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 || start+next >= at {
			break
		}
		if marked, ok := marker(text[start : start+next]); ok {
			line = marked - 1
		} else {
			line++
		}
		start += next + 1
	}
	return &gpu.SourceError{Log: fmt.Sprintf("%s:%d:%d: error: %s", sourceName, line+1, at-start+1, fmt.Sprintf(format, args...))}
}

// marker returns the number of the line after a line marker: # 12 "file".
func marker(line string) (int, bool) {
	rest, ok := strings.CutPrefix(line, "# ")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(number)
	return n, err == nil
}
