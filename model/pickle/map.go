package pickle

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// Format is how a checkpoint's weights are opened in place, without converting them: see
// [safetensors.Format]. Errors are those of this package.
var Format = &safetensors.Format{Name: "PyTorch", Single: singleName, Index: indexName, Open: mapFile}

// mapFile opens a file whose tensors stay where they are: they are mapped, as safetensors are.
func mapFile(fsys fs.FS, name string) (*safetensors.File, error) {
	return safetensors.OpenRanges(fsys, name, "PyTorch", func(content []byte) ([]safetensors.Range, error) {
		return ranges(name, content)
	})
}

// mostHeld bounds the bytes of tensors that must be copied: so many times the file's size,
// plus someCost. With the file's own pages that is less than four times its size.
const mostHeld = 2

// memory is the content of a file, as an io.ReaderAt that need not be read to be seen.
type memory []byte

// ReadAt implements io.ReaderAt.
func (m memory) ReadAt(p []byte, at int64) (int, error) { return bytes.NewReader(m).ReadAt(p, at) }

// ranges returns where the tensors of a file are. What is stored in another way than in
// safetensors, compressed or not row-major or big-endian, is copied.
func ranges(name string, content []byte) ([]safetensors.Range, error) {
	size := int64(len(content))
	tensors, err := read(name, memory(content), size)
	if err != nil {
		return nil, err
	}
	left := someCost + mostHeld*size
	all := make([]safetensors.Range, len(tensors))
	for i, t := range tensors {
		v := t.view
		all[i] = safetensors.Range{Name: t.name, DType: v.dtype, Shape: v.shape}
		if at, ok := v.inPlace(); ok {
			all[i].Offset = at
			if err = v.in.in.check(); err != nil {
				err = fmt.Errorf("%s: %w", v.in.in.name, damaged(err))
			}
		} else if left -= v.held(); left < 0 {
			err = fmt.Errorf("%w: with it, tensors that are compressed or not row-major take more than %d bytes of a file of %d", ErrLimit, someCost+mostHeld*size, size)
		} else {
			copied := bytes.NewBuffer(make([]byte, 0, v.size))
			err = v.write(copied)
			all[i].Data = copied.Bytes()
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %.200q: %w", t.name, err)
		}
	}
	return all, nil
}

// inPlace returns the offset of the view's elements in the file, if they are there as
// safetensors has them.
func (v *view) inPlace() (offset int64, ok bool) {
	s := v.in.in
	if !v.ordered || v.size == 0 || s.deflated || s.big && v.dtype.Size() > 1 {
		return 0, false
	}
	_, at, _ := s.raw.Outer()
	return at + v.first, true
}

// held is how many bytes of memory a copy takes while it is made.
func (v *view) held() int64 {
	if v.ordered {
		return v.size
	}
	return v.size + v.spanned
}

// held returns the storage's bytes where they are in memory, and not compressed; else nil.
func (s *storage) held() []byte {
	if s == nil || s.deflated {
		return nil
	}
	r, at, n := s.raw.Outer()
	if b, ok := r.(*boundedReader); ok {
		r = b.r
	}
	if m, ok := r.(memory); ok && at <= int64(len(m)) {
		return m[at:min(at+n, int64(len(m)))]
	}
	return nil
}

// check reads the storage once, if it has a checksum.
func (s *storage) check() error {
	if s.checked || s.sum == 0 {
		return nil
	}
	_, err := io.Copy(io.Discard, s.all())
	return err
}
