// Package bounded reads small files: those of a checkpoint beside its weights, of a cache, of
// a report. Each read has a limit. A file that is longer is refused before any of it is read,
// if the system knows its length. Files that are not regular, and pointers that git-lfs
// leaves in place of a file, are errors, too.
package bounded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

var (
	// ErrTooLarge says that the file is longer than its limit.
	ErrTooLarge = errors.New("too large")
	// ErrNotRegular says that it is a directory, a device, or a named pipe (reading one
	// could wait for ever).
	ErrNotRegular = errors.New("not a regular file")
	// ErrGitLFS says that the file is the pointer that git-lfs leaves in place of a large
	// file.
	ErrGitLFS = errors.New("a git-lfs pointer, not the file itself: run git lfs pull")
)

// Every git-lfs pointer begins with lfsPrefix.
const lfsPrefix = "version https://git-lfs.github.com/spec/"

// IsGitLFS reports whether a file that begins with head is a git-lfs pointer.
func IsGitLFS(head []byte) bool { return bytes.HasPrefix(head, []byte(lfsPrefix)) }

// ReadFile returns the content of the file at path, or an error if it is longer than limit
// bytes. Errors name the file.
func ReadFile(path string, limit int64) ([]byte, error) {
	return read(path, limit, func() (fs.FileInfo, error) { return os.Stat(path) },
		func() (fs.File, error) { return os.Open(path) })
}

// ReadFS is ReadFile for a file of fsys.
func ReadFS(fsys fs.FS, name string, limit int64) ([]byte, error) {
	return read(name, limit, func() (fs.FileInfo, error) { return fs.Stat(fsys, name) },
		func() (fs.File, error) { return fsys.Open(name) })
}

// read checks the file before opening it: opening a named pipe would wait for a writer.
func read(name string, limit int64, stat func() (fs.FileInfo, error), open func() (fs.File, error)) ([]byte, error) {
	info, err := stat()
	if err != nil {
		return nil, err
	}
	if err := Regular(info); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := fits(info.Size(), limit); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	data, err := ReadAll(f, limit)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// Regular returns ErrNotRegular, with the kind of file, if info is not of a regular file.
func Regular(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w (%v)", ErrNotRegular, info.Mode().Type())
	}
	return nil
}

// ReadAll reads r to its end, or returns ErrTooLarge if that is beyond limit bytes. If r
// knows its size, as an opened file does, it allocates that much at once, or refuses to
// read. A file that grows meanwhile is read up to the limit. Errors do not name the file.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	size := int64(0)
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		// A pipe has no size, and some file systems do not know one: then only reading
		// tells.
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	if err := fits(size, limit); err != nil {
		return nil, err
	}
	// One byte more than the size, to see the end without growing.
	data := make([]byte, 0, max(min(size, limit)+1, 512))
	r = io.LimitReader(r, limit+1)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		case err == io.EOF && IsGitLFS(data):
			return nil, ErrGitLFS
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
	}
}

// fits returns ErrTooLarge if size is larger than limit.
func fits(size, limit int64) error {
	if size > limit {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, size, limit)
	}
	return nil
}
