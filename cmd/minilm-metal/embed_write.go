package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// vectorWriter writes embeddings in the form that was asked for, a line's after another.
type vectorWriter struct {
	*embedding
	width int // values of an embedding
	rows  int // written so far
	to    io.Writer
	row   []byte // memory, of the current one

	file     *os.File // of --out; nil without it
	buffered *bufio.Writer
}

// writer returns what writes embeddings of that many values. input is what --out must not be.
func (r *embedding) writer(width int, input io.Reader) (*vectorWriter, error) {
	w := &vectorWriter{embedding: r, width: width, to: r.stdout}
	if r.out == "" {
		return w, nil
	}
	if before, err := os.Stat(r.out); err == nil {
		var read []os.FileInfo
		if in, ok := input.(*os.File); ok {
			is, _ := in.Stat()
			read = append(read, is)
		}
		sample, _ := os.Stat(r.calibrate)
		for _, is := range append(read, sample) {
			if is != nil && os.SameFile(before, is) {
				return nil, fmt.Errorf("--out %s: is read, too", r.out)
			}
		}
		if r.format == formatNPY && !before.Mode().IsRegular() {
			return nil, fmt.Errorf("--out %s: is not a file in which the number of rows can be written at the end", r.out)
		}
	}
	var err error
	if w.file, err = os.Create(r.out); err != nil {
		return nil, err
	}
	w.buffered = bufio.NewWriter(w.file)
	if w.to = w.buffered; r.format == formatNPY {
		w.to.Write(w.header()) // which keeps the place; the buffer has room
	}
	return w, nil
}

// write writes a line's embedding, or that it has none. A user may write a line and wait for its
// answer, so that nothing is kept back from standard output.
func (w *vectorWriter) write(a *answer) error {
	w.rows++
	out := w.row[:0]
	if a.err == nil {
		a.values = w.shape.apply(a.values)
	}
	if w.format == formatJSONL {
		var whole bool
		if out, whole = a.begin(out); !whole {
			out = append(w.values(append(out, `"embedding":[`...), a.values), "]}\n"...)
		}
	} else {
		if a.err != nil {
			w.warn("%v", a.err)
		}
		switch {
		case a.err == nil:
			out = w.of.Append(out, a.values, &w.ranges)
		case w.of == vectors.Float32:
			out = w.of.Append(out, slices.Repeat([]float32{float32(math.NaN())}, w.width), nil)
		default:
			out = append(out, make([]byte, w.of.Bytes(w.width))...)
		}
	}
	w.row = out
	_, err := w.to.Write(out)
	return err
}

// values appends an embedding as numbers in JSON.
func (w *vectorWriter) values(out []byte, v []float32) []byte {
	if w.of == vectors.Float32 {
		for _, x := range v {
			out = append(appendFloat(out, x), ',')
		}
	} else {
		for _, b := range w.of.Append(nil, v, &w.ranges) {
			n := int64(b)
			if w.of.Signed() {
				n = int64(int8(b))
			}
			out = append(strconv.AppendInt(out, n, 10), ',')
		}
	}
	return out[:len(out)-1] // without the last comma: an embedding has a value
}

// close ends the file of --out. What was written before an error is whole.
func (w *vectorWriter) close() error {
	if w.file == nil {
		return nil
	}
	err := w.buffered.Flush()
	if err == nil && w.format == formatNPY {
		_, err = w.file.WriteAt(w.header(), 0)
	}
	return errors.Join(err, w.file.Close())
}

// npyHeader is the length of the beginning of a .npy file. The format wants a multiple of 64.
const npyHeader = 128

// header returns the beginning of a .npy file, version 1.0, with as many rows as were written:
// numpy's own description of the format is numpy.lib.format. Its length is the same for any
// number of rows.
func (w *vectorWriter) header() []byte {
	kind, columns := "|u1", w.of.Bytes(w.width)
	switch {
	case w.of == vectors.Float32:
		kind, columns = "<f4", w.width
	case w.of.Signed():
		kind = "|i1"
	}
	const magic = "\x93NUMPY\x01\x00"
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", kind, w.rows, columns)
	length := npyHeader - len(magic) - 2 // of the text
	text += strings.Repeat(" ", length-1-len(text)) + "\n"
	return append([]byte(magic+string([]byte{byte(length), byte(length >> 8)})), text...)
}
