package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

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

// checkFiles refuses to write over a file that is read or written otherwise, and into what cannot
// hold an array.
func (r *embedding) checkFiles(input io.Reader) error {
	var read []os.FileInfo
	if r.input == "-" { // a shell may have opened a file for it
		input = r.stdin
	}
	if in, ok := input.(*os.File); ok {
		if is, err := in.Stat(); err == nil {
			read = append(read, is)
		}
	}
	for _, name := range []string{r.rangeFlags.calibrate, r.rangeFlags.from} {
		if is, err := os.Stat(name); err == nil {
			read = append(read, is)
		}
	}
	if r.out != "" && filepath.Clean(r.out) == filepath.Clean(r.rangeFlags.to) {
		return fmt.Errorf("--out and --save-ranges: both are %s", r.out)
	}
	for flag, name := range map[string]string{"out": r.out, "save-ranges": r.rangeFlags.to} {
		is, err := os.Stat(name)
		switch {
		case err != nil: // it is new
		case within(name, r.engineFlags.model):
			return fmt.Errorf("--%s %s: is a file in the model's folder", flag, name)
		case !is.Mode().IsRegular() && flag == "out" && r.format == formatNPY:
			return fmt.Errorf("--out %s: is not a file in which the number of rows can be written at the end", name)
		case is.Mode().IsRegular() && slices.ContainsFunc(read, func(other os.FileInfo) bool { return os.SameFile(is, other) }):
			return fmt.Errorf("--%s %s: is a file that is read, too", flag, name)
		}
	}
	return nil
}

// within reports whether a file is in that folder, or in one of its folders.
func within(file, folder string) bool {
	root, err := os.Stat(folder)
	if err != nil {
		return false // a model by its name
	}
	for dir := filepath.Dir(mustAbs(file)); ; dir = filepath.Dir(dir) {
		if is, err := os.Stat(dir); err == nil && os.SameFile(is, root) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// writer returns what writes embeddings of that many values.
func (r *embedding) writer(width int) (w *vectorWriter, err error) {
	w = &vectorWriter{embedding: r, width: width, to: r.stdout}
	if r.out == "" {
		return w, nil
	}
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
		w.shape.apply(a.values)
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

// header is the beginning of a .npy file with as many rows as were written.
func (w *vectorWriter) header() []byte {
	switch {
	case w.of == vectors.Float32:
		return npyHeader(npyFloat32, w.rows, w.width)
	case w.of.Signed():
		return npyHeader(npyInt8, w.rows, w.of.Bytes(w.width))
	}
	return npyHeader(npyUint8, w.rows, w.of.Bytes(w.width))
}
