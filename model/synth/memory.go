package synth

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryFile is a file whose contents are made once, when they are first needed.
type memoryFile struct {
	name string // its path
	size int64  // -1: the length of the contents
	data func() []byte
}

func newMemoryFile(name string, size int64, data func() []byte) *memoryFile {
	return &memoryFile{name, size, sync.OnceValue(data)}
}

// memory is a file system. Its files are sorted by their paths; a directory is there if a
// file is in it.
type memory []*memoryFile

// Open implements fs.FS.
func (m memory) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if f := m.find(name); f != nil {
		return &openFile{f, bytes.NewReader(f.data())}, nil
	}
	if m.isDir(name) {
		return &openDir{info: dirInfo{name}, entries: m.entries(name)}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Stat implements fs.StatFS. It does not make the weights.
func (m memory) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	if f := m.find(name); f != nil {
		return f, nil
	}
	if m.isDir(name) {
		return dirInfo{name}, nil
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

// inside is what the paths of a directory's files begin with.
func inside(dir string) string {
	if dir == "." {
		return ""
	}
	return dir + "/"
}

func (m memory) isDir(name string) bool {
	return slices.ContainsFunc(m, func(f *memoryFile) bool { return strings.HasPrefix(f.name, inside(name)) })
}

// entries lists a directory, sorted by name.
func (m memory) entries(dir string) (list []fs.DirEntry) {
	for _, f := range m {
		rest, in := strings.CutPrefix(f.name, inside(dir))
		if !in {
			continue
		}
		if first, _, deeper := strings.Cut(rest, "/"); !deeper {
			list = append(list, f)
		} else if n := len(list); n == 0 || list[n-1].Name() != first { // the files of a directory follow each other
			list = append(list, dirInfo{path.Join(dir, first)})
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list
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

func (f *memoryFile) Name() string               { return path.Base(f.name) }
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

// openDir is a directory, opened.
type openDir struct {
	info    dirInfo
	entries []fs.DirEntry // those not read yet
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.path, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	out := slices.Clone(d.entries[:n])
	d.entries = d.entries[n:]
	return out, nil
}

// dirInfo is fs.FileInfo and fs.DirEntry of a directory.
type dirInfo struct{ path string }

func (d dirInfo) Name() string               { return path.Base(d.path) }
func (dirInfo) Size() int64                  { return 0 }
func (dirInfo) Mode() fs.FileMode            { return fs.ModeDir | 0o555 }
func (dirInfo) Type() fs.FileMode            { return fs.ModeDir }
func (dirInfo) ModTime() time.Time           { return time.Time{} }
func (dirInfo) IsDir() bool                  { return true }
func (dirInfo) Sys() any                     { return nil }
func (d dirInfo) Info() (fs.FileInfo, error) { return d, nil }
func (d dirInfo) String() string             { return fs.FormatFileInfo(d) }
