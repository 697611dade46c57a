package synth

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"
)

// Checkpoint says which checkpoint to make. Its zero value is the shape of
// ms-marco-MiniLM-L-6-v2 in float32, from seed 0.
type Checkpoint struct {
	Seed   uint64
	Shape  Shape
	DType  DType // F32 if empty
	Layout Layout
}

// FS returns the checkpoint of a seed and a shape in float32, as
// Checkpoint.FS does.
func FS(seed uint64, shape Shape) (fs.FS, error) {
	return Checkpoint{Seed: seed, Shape: shape}.FS()
}

// FS returns a read-only file system, in memory, with the files config.json,
// model.safetensors, vocab.txt, tokenizer.json, tokenizer_config.json and
// special_tokens_map.json. The contents of a file are made when it is first opened and shared
// afterwards; they must not be changed. The files have a method
//
//	Bytes() []byte
//
// that returns the contents without a copy.
func (c Checkpoint) FS() (fs.FS, error) {
	files, err := c.files()
	if err != nil {
		return nil, err
	}
	return memory(files), nil
}

// files resolves c into its files, sorted by name.
func (c Checkpoint) files() ([]*memoryFile, error) {
	shape, err := c.Shape.Resolve()
	if err != nil {
		return nil, err
	}
	dtype := F32
	if c.DType != "" {
		if dtype, err = ParseDType(string(c.DType)); err != nil {
			return nil, err
		}
	}
	if c.Layout != Plain && c.Layout != Published {
		return nil, fmt.Errorf("synth: layout %d, want Plain or Published", c.Layout)
	}
	weights := newFile(c.Seed, shape, dtype, c.Layout)
	vocab := func() []string { return Vocab(shape.Vocab) }
	return []*memoryFile{
		newMemoryFile("config.json", -1, func() []byte { return configJSON(c.Seed, shape, dtype) }),
		newMemoryFile("model.safetensors", int64(weights.size()), weights.bytes),
		newMemoryFile("special_tokens_map.json", -1, specialTokensMapJSON),
		newMemoryFile("tokenizer.json", -1, func() []byte { return tokenizerJSON(vocab()) }),
		newMemoryFile("tokenizer_config.json", -1, func() []byte { return tokenizerConfigJSON(shape) }),
		newMemoryFile("vocab.txt", -1, func() []byte { return vocabTxt(vocab()) }),
	}, nil
}

// memoryFile is a file whose contents are made once, when they are first needed.
type memoryFile struct {
	name string
	size int64 // -1: the length of the contents
	data func() []byte
}

func newMemoryFile(name string, size int64, data func() []byte) *memoryFile {
	return &memoryFile{name, size, sync.OnceValue(data)}
}

// memory is a file system of one directory, its files sorted by name.
type memory []*memoryFile

// Open implements fs.FS.
func (m memory) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return &openDir{m: m}, nil
	}
	f := m.find(name)
	if f == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openFile{f, bytes.NewReader(f.data())}, nil
}

// Stat implements fs.StatFS. It does not make the weights.
func (m memory) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return dirInfo{}, nil
	}
	if f := m.find(name); f != nil {
		return f, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadFile implements fs.ReadFileFS.
func (m memory) ReadFile(name string) ([]byte, error) {
	f, err := m.Open(name)
	if err != nil {
		return nil, err
	}
	if f, ok := f.(*openFile); ok {
		return slices.Clone(f.Bytes()), nil
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
}

func (m memory) find(name string) *memoryFile {
	i, found := slices.BinarySearchFunc(m, name, func(f *memoryFile, name string) int { return strings.Compare(f.name, name) })
	if !found {
		return nil
	}
	return m[i]
}

// openFile is a file that was opened; the reader gives it Read, ReadAt and
// Seek.
type openFile struct {
	file *memoryFile
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.file, nil }
func (f *openFile) Close() error               { return nil }

// Bytes returns the contents, shared and read-only.
func (f *openFile) Bytes() []byte { return f.file.data() }

// A memoryFile is its own fs.FileInfo and fs.DirEntry.

func (f *memoryFile) Name() string               { return f.name }
func (f *memoryFile) Mode() fs.FileMode          { return 0o444 }
func (f *memoryFile) Type() fs.FileMode          { return 0 }
func (f *memoryFile) ModTime() time.Time         { return time.Time{} }
func (f *memoryFile) IsDir() bool                { return false }
func (f *memoryFile) Sys() any                   { return nil }
func (f *memoryFile) Info() (fs.FileInfo, error) { return f, nil }
func (f *memoryFile) String() string             { return fs.FormatFileInfo(f) }

// Size returns the length of the contents. It makes them only if the length is not known
// otherwise.
func (f *memoryFile) Size() int64 {
	if f.size < 0 {
		return int64(len(f.data()))
	}
	return f.size
}

// openDir is the directory, opened.
type openDir struct {
	m    memory
	next int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return dirInfo{}, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.m[d.next:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.next += len(rest)
	out := make([]fs.DirEntry, len(rest))
	for i, f := range rest {
		out[i] = f
	}
	return out, nil
}

type dirInfo struct{}

func (dirInfo) Name() string       { return "." }
func (dirInfo) Size() int64        { return 0 }
func (dirInfo) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (dirInfo) ModTime() time.Time { return time.Time{} }
func (dirInfo) IsDir() bool        { return true }
func (dirInfo) Sys() any           { return nil }
