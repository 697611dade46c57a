package pickle

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Limits for the bytes that are read or written for a file's tensors: mostCost times the
// file's size, plus someCost, so that a small file may have a table of zeros that is
// compressed well.
const (
	mostCost = 16
	someCost = 1 << 20
)

// File is an open file of tensors, or all shards of a checkpoint. It is not safe for
// concurrent use.
type File struct {
	Bytes   int64 // of the files
	tensors []tensor
	closers []io.Closer
}

// tensor is an entry of the dict.
type tensor struct {
	file, name string
	view       *view
}

// Open opens the file at path, of either format, and reads what it says of its tensors.
// Errors are those of this package or the operating system's, and name the file.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("pickle: %w", err)
	}
	return f, nil
}

// open checks the file before opening it: opening a named pipe would wait for a writer.
func open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := bounded.Regular(info); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	tensors, err := read(path, f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, f.Close()))
	}
	return &File{Bytes: info.Size(), tensors: tensors, closers: []io.Closer{f}}, nil
}

// read reads the dict of a file of size bytes. name is for errors.
func read(name string, r io.ReaderAt, size int64) ([]tensor, error) {
	head := make([]byte, min(size, 256))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if bounded.IsGitLFS(head) {
		return nil, bounded.ErrGitLFS
	}
	from := readLegacy
	if len(head) > 4 && string(head[:4]) == zipMagic {
		from = readZip
	}
	v, err := from(r, size)
	if err != nil {
		return nil, err
	}
	tensors, err := stateDict(name, v)
	if err != nil {
		return nil, err
	}
	return tensors, affordable(tensors, size)
}

// stateDict returns the tensors of the dict that a pickle made, in its order.
func stateDict(file string, v any) ([]tensor, error) {
	d, ok := v.(*dict)
	if !ok {
		return nil, fmt.Errorf("%w, but %s", ErrNotWeights, kind(v))
	}
	if len(d.items) == 0 {
		return nil, fmt.Errorf("%w, but an empty one", ErrNotWeights)
	}
	seen := make(map[string]bool, len(d.items)/2)
	var tensors []tensor
	for i := 0; i < len(d.items); i += 2 {
		name, ok := d.items[i].(string)
		if !ok {
			return nil, fmt.Errorf("%w: a key is %s", ErrNotWeights, kind(d.items[i]))
		}
		value, ok := d.items[i+1].(*view)
		switch _, isDict := d.items[i+1].(*dict); {
		case isDict:
			return nil, fmt.Errorf("%w: entry %.200q is a dict, as in a training checkpoint: save the dict of the weights alone", ErrNotWeights, name)
		case !ok:
			return nil, fmt.Errorf("%w: entry %.200q is %s", ErrNotWeights, name, kind(d.items[i+1]))
		case seen[name]:
			return nil, fmt.Errorf("%w: two entries %.200q", ErrFormat, name)
		}
		seen[name] = true
		tensors = append(tensors, tensor{file: file, name: name, view: value})
	}
	return tensors, nil
}

// affordable returns an error if the tensors cost far more than a file of that size should.
func affordable(tensors []tensor, size int64) error {
	left := someCost + mostCost*min(size, 1<<58)
	checked := map[*storage]bool{}
	for _, t := range tensors {
		v := t.view
		if !v.ordered && v.spanned > mostSpanned {
			return fmt.Errorf("tensor %.200q: %w: not row-major, and over %d bytes of its storage, at most %d are held in memory", t.name, ErrLimit, v.spanned, mostSpanned)
		}
		cost, fits := v.cost(), true
		if s := v.in.in; v.size > 0 && v.spanned != s.size && !checked[s] {
			checked[s] = true // it is read completely once more
			cost, fits = plus(cost, s.size)
		}
		if !fits || cost > left {
			return fmt.Errorf("tensor %.200q: %w: up to it %d bytes of a file of %d are to be read or written", t.name, ErrLimit, mostCost*size+someCost, size)
		}
		left -= cost
	}
	return nil
}

// Entries returns the tensors for writing to safetensors, while the file is open. Their
// order is that of the Rust library: by type, those with the widest elements first, then by
// name. So the result is, byte for byte, the file that Python's save_file writes for the
// same dict, and every tensor is aligned.
func (f *File) Entries() []safetensors.Entry {
	entries := make([]safetensors.Entry, len(f.tensors))
	for i, t := range f.tensors {
		entries[i] = safetensors.Entry{Name: t.name, DType: t.view.dtype, Shape: t.view.shape, Stream: func(w io.Writer) error {
			if err := t.view.write(w); err != nil {
				return fmt.Errorf("%s: %w", t.file, err)
			}
			return nil
		}}
	}
	slices.SortFunc(entries, func(a, b safetensors.Entry) int {
		return cmp.Or(safetensors.CompareDTypes(b.DType, a.DType), cmp.Compare(a.Name, b.Name))
	})
	return entries
}

// Close closes the files. Afterwards the entries' streams fail.
func (f *File) Close() error {
	var errs []error
	for _, c := range f.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
