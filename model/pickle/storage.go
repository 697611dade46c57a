package pickle

import (
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// storage is a sequence of bytes in the file; tensors are views of it.
type storage struct {
	name string // for errors: the entry of the zip file, or the key
	size int64  // in bytes, uncompressed

	raw      *io.SectionReader // the bytes in the file, compressed if deflated is set; nil if not located yet
	deflated bool
	sum      uint32 // CRC-32 of the content; 0 if not known
	big      bool   // the elements are big-endian
	checked  bool   // the content was read completely and has that checksum
}

// span is a part of a storage with an element type, which the pickle gave it. Offsets and
// strides of tensors count elements of their own type from its first byte.
type span struct {
	in          *storage
	dtype       safetensors.DType
	untyped     bool
	begin, size int64 // bytes in the storage
}

// all returns a reader of the whole storage. At the end it returns an error if the checksum
// is wrong.
func (s *storage) all() io.Reader {
	r := io.Reader(io.NewSectionReader(s.raw, 0, s.raw.Size()))
	if s.deflated {
		r = flate.NewReader(r)
	}
	return &checking{r: r, of: s, left: s.size}
}

// part returns a reader of size bytes from offset on. Before the first part, the whole
// storage is checked.
func (s *storage) part(offset, size int64) (io.Reader, error) {
	if offset == 0 && size == s.size {
		return s.all(), nil
	}
	if !s.checked && s.sum != 0 {
		if _, err := io.Copy(io.Discard, s.all()); err != nil {
			return nil, err
		}
	}
	if !s.deflated {
		return io.NewSectionReader(s.raw, offset, size), nil
	}
	r := s.all()
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		return nil, err
	}
	return io.LimitReader(r, size), nil
}

// cost returns the most bytes that part reads, either uncompressing or passing them on.
func (s *storage) cost(size int64) int64 {
	if s.deflated {
		return s.size
	}
	return size
}

// checking is a reader that compares what it has read with the storage's checksum.
type checking struct {
	r    io.Reader
	of   *storage
	left int64
	sum  uint32
}

func (c *checking) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	if c.of.sum != 0 {
		c.sum = crc32.Update(c.sum, crc32.IEEETable, p[:n])
	}
	if c.left -= int64(n); c.left == 0 {
		if c.sum != c.of.sum {
			return 0, ErrChecksum // no bytes: a reader that has all that it wants would ignore the error
		}
		c.of.checked = true
		return n, nil
	}
	if err == io.EOF {
		err = fmt.Errorf("%w: %d bytes are missing", ErrFormat, c.left)
	}
	return n, err
}

// pieceBytes is how much is copied at once: a multiple of every element's size.
const pieceBytes = 1 << 16

// copyElements copies size bytes from r to w. If swap is set, it reverses the bytes of each
// element of width bytes.
func copyElements(w io.Writer, r io.Reader, size int64, width int, swap bool) error {
	piece := make([]byte, min(size, pieceBytes))
	for size > 0 {
		piece = piece[:min(size, int64(len(piece)))]
		if _, err := io.ReadFull(r, piece); err != nil {
			return err
		}
		if swap {
			swapBytes(piece, width)
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		size -= int64(len(piece))
	}
	return nil
}

// swapBytes reverses the bytes of each element.
func swapBytes(b []byte, width int) {
	for ; len(b) >= width; b = b[width:] {
		for i, j := 0, width-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}
