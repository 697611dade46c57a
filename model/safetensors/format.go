package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/bounded"
)

const formatName = "safetensors"

// Format is a format in which checkpoints have their weights: how Hugging Face's libraries
// name the files, and how one of them is opened. The index of shards is the same in all.
type Format struct {
	Name   string // for people
	Single string // the file that has all weights, ...
	Index  string // ... or, where they are in several, the one that names those
	// Open opens a file of weights. Its errors name the file, but not the format's package.
	Open func(fsys fs.FS, name string) (*File, error)
}

// Own is the format of this package.
var Own = &Format{formatName, "model.safetensors", "model.safetensors.index.json", openFS}

// In reports whether a model's directory has weights of the format, or something by their
// name.
func (of *Format) In(fsys fs.FS) bool {
	return slices.ContainsFunc([]string{of.Single, of.Index}, func(name string) bool {
		_, err := fs.Stat(fsys, name)
		return !errors.Is(err, fs.ErrNotExist)
	})
}

// OpenCheckpoint opens the weights in a model's directory, as the function of that name does.
// Errors begin with the name of a file.
func (of *Format) OpenCheckpoint(fsys fs.FS) (*File, error) {
	if _, err := fs.Stat(fsys, of.Single); !errors.Is(err, fs.ErrNotExist) {
		return of.Open(fsys, of.Single)
	}
	text, err := bounded.ReadFS(fsys, of.Index, MaxIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("neither %s nor %s: %w", of.Single, of.Index, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	f, err := of.openShards(fsys, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", of.Index, err)
	}
	return f, nil
}

// Range is a tensor of a file in another format.
type Range struct {
	Name  string
	DType DType
	Shape []int
	// Offset is that of the tensor's bytes in the file, if they are there as they are in this
	// format: little-endian, row-major and without gaps. Otherwise Data has them so.
	Offset int64
	Data   []byte
}

// OpenRanges opens a file of fsys in another format, of that name, as OpenFS opens one of this.
// find reads the content and returns the tensors, each of a name of its own. Errors name the
// file.
func OpenRanges(fsys fs.FS, name, format string, find func(content []byte) ([]Range, error)) (*File, error) {
	return openAs(fsys, name, func(b *backing) (f *File, err error) {
		err = guard(func() error {
			ranges, err := find(b.data)
			if err == nil {
				f, err = b.ranges(format, ranges)
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
			return err
		}, b)
		if b.mapped != nil {
			release(b.data) // find may have read all of it
		}
		return f, err
	})
}

// ranges makes a File of a backing with these tensors.
func (b *backing) ranges(format string, ranges []Range) (*File, error) {
	f := &File{format: format, tensors: make(map[string]*Tensor, len(ranges)), backings: []*backing{b}}
	for _, r := range ranges {
		shape := make([]uint64, len(r.Shape))
		for i, n := range r.Shape {
			shape[i] = uint64(n)
		}
		_, size, err := sizeOf(r.DType, shape)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", quote(r.Name), err)
		}
		t := &Tensor{Name: r.Name, DType: r.DType, Shape: r.Shape, File: b.name, Offset: r.Offset, data: r.Data, in: b}
		switch whole := uint64(len(b.data)); {
		case f.tensors[r.Name] != nil:
			return nil, fmt.Errorf("two tensors %s", quote(r.Name))
		case r.Data != nil:
			t.in = &backing{name: b.name, data: r.Data}
		case r.Offset < 0 || uint64(r.Offset) > whole || size > whole-uint64(r.Offset):
			return nil, fmt.Errorf("tensor %s: %w: %d bytes from byte %d on, and the file has %d", quote(r.Name), ErrMetadataIncompleteBuffer, size, r.Offset, whole)
		default:
			t.data = b.data[r.Offset:][:size:size]
		}
		if uint64(len(t.data)) != size {
			return nil, fmt.Errorf("tensor %s: %w: %s of shape %d has %d bytes, and here %d", quote(r.Name), ErrTensorInvalidInfo, r.DType, r.Shape, size, len(t.data))
		}
		f.tensors[r.Name] = t
	}
	f.names = slices.Sorted(maps.Keys(f.tensors))
	return f, nil
}
