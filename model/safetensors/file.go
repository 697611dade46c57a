package safetensors

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// File is a read-only set of named tensors: those of one file, or of all shards
// of a checkpoint. It is safe for concurrent use, except Close.
type File struct {
	names    []string // sorted
	tensors  map[string]*Tensor
	metadata map[string]string
	backings []*backing
}

// Open maps the file at path.
func Open(path string) (*File, error) {
	return prefixed(openFile(path, func() (fs.FileInfo, error) { return os.Stat(path) },
		func() (fs.File, error) { return os.Open(path) }))
}

// OpenFS opens a file of fsys: mapped if it is one on disk (os.DirFS, os.Root),
// without a copy if the opened file has a method Bytes() []byte (which must then
// stay unchanged), and else read into memory, once.
func OpenFS(fsys fs.FS, name string) (*File, error) { return prefixed(openFS(fsys, name)) }

// Parse reads a file's content from memory, which stays referenced and must stay
// unchanged. The name is for errors.
func Parse(name string, data []byte) (*File, error) {
	return prefixed(parse(&backing{name: name, data: data}))
}

// prefixed says whose error it is. Errors inside the package do not.
func prefixed(f *File, err error) (*File, error) {
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

func openFS(fsys fs.FS, name string) (*File, error) {
	return openFile(name, func() (fs.FileInfo, error) { return fs.Stat(fsys, name) },
		func() (fs.File, error) { return fsys.Open(name) })
}

// openFile looks before it opens: opening a named pipe would wait for a writer.
func openFile(name string, stat func() (fs.FileInfo, error), open func() (fs.File, error)) (*File, error) {
	info, err := stat()
	if err != nil {
		return nil, err
	}
	if err := bounded.Regular(info); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	b, err := back(name, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(err, f.Close()))
	}
	file, err := parse(b)
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return file, nil
}

// back gets hold of f's bytes, and closes f if it is not needed any more.
func back(name string, f fs.File) (*backing, error) {
	if f, ok := f.(*os.File); ok {
		return mapFile(name, f)
	}
	if f, ok := f.(interface{ Bytes() []byte }); ok {
		b := &backing{name: name, data: f.Bytes()}
		return b, f.(fs.File).Close()
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data, err := readAll(f, stat.Size())
	if err != nil {
		return nil, err
	}
	return &backing{name: name, data: data}, f.Close()
}

// trustedBytes is how much is allocated on a file system's word alone.
const trustedBytes = 256 << 20

// readAll reads r, which should have size bytes, into memory allocated once,
// unless it is suspiciously much.
func readAll(r io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return nil, fmt.Errorf("its size is %d", size)
	}
	data := make([]byte, 0, min(size, trustedBytes)+1) // one more shows the end without growing
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if int64(len(data)) > size {
			return nil, fmt.Errorf("read more than the %d bytes of its size", size)
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
	}
	if int64(len(data)) != size {
		return nil, fmt.Errorf("read %d bytes, but its size is %d", len(data), size)
	}
	return data[:size:size], nil
}

// parse makes a File of one backing.
func parse(b *backing) (*File, error) {
	h, err := parseHeader(b.data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.name, err)
	}
	f := &File{
		tensors:  make(map[string]*Tensor, len(h.infos)),
		metadata: h.metadata,
		backings: []*backing{b},
	}
	section := b.data[h.bytes:]
	for _, t := range h.infos {
		shape := make([]int, len(t.shape))
		for i, n := range t.shape {
			shape[i] = int(n)
		}
		f.tensors[t.name] = &Tensor{
			Name: t.name, DType: t.dtype, Shape: shape,
			File: b.name, Offset: int64(h.bytes) + int64(t.begin),
			data: section[t.begin:t.end:t.end], in: b,
		}
	}
	f.names = slices.Sorted(maps.Keys(f.tensors))
	return f, nil
}

// Names are the tensors' names, sorted.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Lookup finds a tensor by its name.
func (f *File) Lookup(name string) (*Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Metadata is the header's free text, often {"format": "pt"}, or nil; of shards,
// that of the first in the order of file names that has any.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Guard runs read, which may read the tensors' bytes and views, and turns what
// would otherwise kill the process, a fault in a mapped file, into an error that
// wraps ErrTruncated and names the file. It returns the same if a file has
// become shorter without a fault: up to the end of its last page, zeros are
// read. Other panics pass.
//
// Once read has returned, each mapped file is asked for its size and time of
// modification (about a microsecond), and is an error that wraps ErrChanged if they are
// not those of when it was opened: what read made of it is worth nothing. A file that
// was only touched is no different, as nobody could tell without reading it all. One
// that was replaced (renamed over, as downloads are) stays what it was. Of a change in
// the same tick of the file system's clock as the opening nothing is seen.
//
// Guard protects the goroutine that calls it, not those that read starts.
func (f *File) Guard(read func() error) error { return guard(read, f.backings...) }

// Detached returns values that Float32s has returned in memory that is not a file's: a
// copy, where they are a view of one. The view's pages are given back piece by piece, so
// that memory does not hold the values twice. To be called under Guard.
func (f *File) Detached(values []float32) []float32 {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(values)))
	if len(values) == 0 || !slices.ContainsFunc(f.backings, func(b *backing) bool { return b.holds(at) }) {
		return values
	}
	const piece = 1 << 18 // values
	own := make([]float32, len(values))
	for lo := 0; lo < len(values); lo += piece {
		part := values[lo:min(lo+piece, len(values))]
		copy(own[lo:], part)
		release(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(part))), 4*len(part)))
	}
	return own
}

// Close unmaps the file. Its tensors' bytes and views are dead from then on and
// nobody may be reading them. Closing twice is fine.
func (f *File) Close() error {
	var errs []error
	for _, b := range f.backings {
		if err := b.close(); err != nil {
			errs = append(errs, fmt.Errorf("safetensors: %s: %w", b.name, err))
		}
	}
	return errors.Join(errs...)
}
