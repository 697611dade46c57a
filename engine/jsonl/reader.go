// Package jsonl reads the JSON Lines that the commands and data sets use: pairs of a query
// and passages, as texts or as token ids.
//
// All readers of such lines use this package, so a file means the same to each of them. It
// accepts what encoding/json accepts, with two exceptions, which are errors here: bytes that
// are not UTF-8, and the escape of half a surrogate pair. encoding/json would replace either
// by U+FFFD, and a text that nobody wrote would be scored.
package jsonl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line, in bytes. Without it, a file without line ends would be read
// into memory as a whole.
const MaxLine = 64 << 20

// ErrLong is the error of a line over MaxLine.
var ErrLong = fmt.Errorf("over %d bytes long", MaxLine)

// Reader reads lines. Unlike bufio.Scanner it goes on after a line that is too long.
type Reader struct {
	r      *bufio.Reader
	limit  int // the longest line, in bytes
	number int
	line   []byte
}

// NewReader returns a reader of r's lines.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), limit: MaxLine}
}

// Number returns the number of the line that Next returned last. The first line is 1.
func (l *Reader) Number() int { return l.number }

// Next returns the next line without its "\n", and without the byte order mark with which
// Windows editors begin a file. The slice is valid until the next call. A carriage return
// before the "\n" stays; [Text] removes it. The error is io.EOF after the last line,
// ErrLong for a line that was skipped, or an error of the underlying reader.
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
		l.line = nil // do not keep so much memory for the next lines
		return nil, ErrLong
	}
	return line, nil
}

// Text is a line without the carriage return that ends it in a file of Windows.
func Text(line []byte) []byte { return bytes.TrimSuffix(line, []byte("\r")) }

// Blank reports whether a line has only JSON's white space. Such a line is to be skipped;
// it counts as a line.
func Blank(line []byte) bool { return len(bytes.Trim(line, " \t\r\n")) == 0 }
