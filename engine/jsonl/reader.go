// Package jsonl reads the JSON Lines that commands and data sets are made of: pairs of a
// query and passages, as texts or as token ids.
//
// It is one reader for all that read such lines, so that a file which one of them takes
// means the same to the others. What it takes is JSON as encoding/json reads it, but for
// two things, both of which encoding/json replaces by U+FFFD, a text that nobody wrote:
// bytes that are not UTF-8, and the escape of half a surrogate pair in a text that is read.
// They are errors.
package jsonl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine bounds one line, in bytes. It is there so that a file without line ends cannot
// take all memory.
const MaxLine = 64 << 20

// ErrLong is the error of a line over MaxLine.
var ErrLong = fmt.Errorf("over %d bytes long", MaxLine)

// Reader reads lines of any length, unlike bufio.Scanner, which gives up at the first one
// that is too long.
type Reader struct {
	r      *bufio.Reader
	limit  int // bytes in a line
	number int
	line   []byte
}

// NewReader returns a reader of r's lines.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), limit: MaxLine}
}

// Number is the number of the line that Next returned last, from 1.
func (l *Reader) Number() int { return l.number }

// Next returns the next line without its "\n", good until the next call, and without the
// byte order mark with which Windows editors begin a file. A carriage return before the
// "\n" is part of the line: it is for [Text] to take off. The error is io.EOF after the
// last line, ErrLong for a line that was skipped, or the reader's.
func (l *Reader) Next() ([]byte, error) {
	line, length := l.line[:0], 0
	for {
		part, err := l.r.ReadSlice('\n')
		length += len(part)
		if length <= l.limit+len("\r\n") {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && length == 0:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, fmt.Errorf("after line %d: %w", l.number, err)
		}
		break
	}
	l.number++
	l.line = line
	line = bytes.TrimSuffix(line, []byte("\n"))
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	if length > l.limit+len("\r\n") || len(Text(line)) > l.limit {
		l.line = nil // the next lines will hardly be that long
		return nil, ErrLong
	}
	return line, nil
}

// Text is a line without the carriage return that ends it in a file of Windows.
func Text(line []byte) []byte { return bytes.TrimSuffix(line, []byte("\r")) }

// Blank says whether a line has nothing but JSON's white space. Such a line holds nothing
// and is to be skipped; it counts as a line all the same.
func Blank(line []byte) bool { return len(bytes.Trim(line, " \t\r\n")) == 0 }
