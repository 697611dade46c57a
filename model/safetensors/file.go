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
	format   string
	names    []string // sorted
	tensors  map[string]*Tensor
	metadata map[string]string
	backings []*backing
}

// Open maps the file at path.
func Open(path string) (*File, error) {
	return prefixed(openFile(path, func() (fs.FileInfo, error) { return os.Stat(path) },
		func() (fs.File, error) { return os.Open(path) }, parse))
}

// OpenFS opens a file of fsys. A file on disk (os.DirFS, os.Root) is mapped. If the opened
// file has a method Bytes() []byte, its result is used without a copy, and must not change.
// Any other file is read into memory.
func OpenFS(fsys fs.FS, name string) (*File, error) { return prefixed(openFS(fsys, name)) }

// Parse reads a file's content from memory, which stays referenced and must stay
// unchanged. The name is for errors.
func Parse(name string, data []byte) (*File, error) {
	return prefixed(parse(&backing{name: name, data: data}))
}

// prefixed adds the package's name to an error. Errors inside the package lack it.
func prefixed(f *File, err error) (*File, error) {
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return f, nil
}

func openFS(fsys fs.FS, name string) (*File, error) { return openAs(fsys, name, parse) }

// openAs opens a file of fsys whose tensors parse finds.
func openAs(fsys fs.FS, name string, parse func(*backing) (*File, error)) (*File, error) {
	return openFile(name, func() (fs.FileInfo, error) { return fs.Stat(fsys, name) },
		func() (fs.File, error) { return fsys.Open(name) }, parse)
}

// openFile checks the file before opening it: opening a named pipe would wait for a writer.
func openFile(name string, stat func() (fs.FileInfo, error), open func() (fs.File, error), parse func(*backing) (*File, error)) (*File, error) {
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

// back returns f's bytes, and closes f if it is not needed any more.
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

// trustedBytes is the most memory that is allocated because a file system reports that
// size.
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
		format:   formatName,
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

// Format is the name of the file's format: "safetensors", or that of its [Format].
func (f *File) Format() string { return f.format }

// Names are the tensors' names, sorted.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Lookup finds a tensor by its name.
func (f *File) Lookup(name string) (*Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Metadata returns the header's free text, often {"format": "pt"}, or nil. For shards it is
// that of the first one that has any, in the order of file names.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Guard runs read, which may read the tensors' bytes and views. A fault in a mapped file
// would otherwise kill the process; Guard turns it into an error that wraps ErrTruncated
// and names the file. It returns the same error if a file became shorter without a fault,
// since zeros are read up to the end of its last page. Other panics are not caught.
//
// After read has returned, Guard compares each mapped file's size and time of modification
// with those at its opening (this takes about a microsecond). If they differ, it returns an
// error that wraps ErrChanged, and the results of read are worthless. A file whose time
// alone was changed is an error, too, since nobody could tell the difference without
// reading all of it. A file that was replaced by renaming another over it, as downloads do,
// is still the old one here. A change within the same tick of the file system's clock as
// the opening is not noticed.
//
// Guard protects the goroutine that calls it, not those that read starts.
func (f *File) Guard(read func() error) error { return guard(read, f.backings...) }

// Detached returns values, a result of Float32s, in memory that is not a file's. If they
// are a view of a file, it copies them and releases the view's pages piece by piece, so
// that memory does not hold the values twice. Call it under Guard.
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

// Close unmaps the file. Its tensors' bytes and views must not be used afterwards or at the
// same time. A second Close does nothing.
func (f *File) Close() error {
	var errs []error
	for _, b := range f.backings {
		if err := b.close(); err != nil {
			errs = append(errs, fmt.Errorf("safetensors: %s: %w", b.name, err))
		}
	}
	return errors.Join(errs...)
}
