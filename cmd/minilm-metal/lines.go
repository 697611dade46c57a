package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxLine bounds one line of input, in bytes. It is there so that a file
// without line ends cannot take all memory.
const maxLine = 64 << 20

// errLongLine is the error of a line over maxLine.
var errLongLine = fmt.Errorf("over %d bytes long", maxLine)

// lineReader reads lines of any length, unlike bufio.Scanner, which gives up at
// the first one that is too long.
type lineReader struct {
	r      *bufio.Reader
	limit  int // bytes in a line
	number int // of the line that next returned, from 1
	line   []byte
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), limit: maxLine}
}

// next returns the next line without its end ("\n" or "\r\n"), good until the
// next call. The error is io.EOF after the last line, errLongLine for a line
// that was skipped, or the reader's.
func (l *lineReader) next() ([]byte, error) {
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
	line = bytes.TrimSuffix(line, []byte("\r"))
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff")) // Windows editors begin a file with it
	}
	if length > l.limit+len("\r\n") || len(line) > l.limit {
		l.line = nil // the next lines will hardly be that long
		return nil, errLongLine
	}
	return line, nil
}

// openInput opens the file of --input.
func (p *program) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.stdin), nil
	}
	return os.Open(name)
}
