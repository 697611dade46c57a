package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// Entry is a tensor to write.
type Entry struct {
	Name  string
	DType DType
	Shape []int // no dimension means a scalar

	// Data is the little-endian content, row-major. If it is nil, Stream is
	// called to write it, when the tensor's turn comes.
	Data   []byte
	Stream func(io.Writer) error
}

// Layout sets what the format leaves open. The zero value does what the Rust library does.
type Layout struct {
	// Align is the alignment of the data section, in bytes; the header is padded with
	// spaces. 0 stands for 8; 1 means no padding.
	Align int
	// HeaderBytes, if not 0, is the exact length of the header, the number in the first 8
	// bytes. Then Align is ignored.
	HeaderBytes int
}

// Write writes a file in the default layout.
func Write(w io.Writer, tensors []Entry, metadata map[string]string) error {
	return Layout{}.Write(w, tensors, metadata)
}

// Write writes a file: the tensors in the given order, without gaps, so the alignment of a
// tensor depends on those before it. metadata may be nil. If a name occurs twice, or a
// shape, a dtype or the length of Data is wrong, it writes nothing and returns an error. If
// a Stream writes the wrong number of bytes, the error comes when it ends.
func (l Layout) Write(w io.Writer, tensors []Entry, metadata map[string]string) error {
	prefix, sizes, err := l.header(tensors, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: write: %w", err)
	}
	if _, err := w.Write(prefix); err != nil {
		return fmt.Errorf("safetensors: write header: %w", err)
	}
	for i, t := range tensors {
		if err := t.write(w, sizes[i]); err != nil {
			return fmt.Errorf("safetensors: write tensor %s: %w", quote(t.Name), err)
		}
	}
	return nil
}

// header returns everything before the data section, and the tensors' sizes in bytes.
func (l Layout) header(tensors []Entry, metadata map[string]string) (prefix []byte, sizes []uint64, err error) {
	if len(tensors) > maxTensors || len(metadata) > maxMetadata {
		return nil, nil, fmt.Errorf("%d tensors and %d entries of metadata, at most %d and %d can be read again",
			len(tensors), len(metadata), maxTensors, maxMetadata)
	}
	if l.Align < 0 || l.Align > maxHeaderBytes || l.HeaderBytes < 0 {
		return nil, nil, fmt.Errorf("layout %+v is out of range", l)
	}
	b := make([]byte, lengthBytes, 1<<12)
	b = append(b, '{')
	if metadata != nil {
		if b, err = appendMetadata(b, metadata); err != nil {
			return nil, nil, err
		}
	}
	seen := make(map[string]bool, len(tensors))
	var begin uint64
	for _, t := range tensors {
		size, err := t.size()
		if err == nil && seen[t.Name] {
			err = errors.New("duplicate name")
		}
		end := begin + size
		if err == nil && end < begin {
			err = ErrValidationOverflow
		}
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", quote(t.Name), err)
		}
		seen[t.Name] = true
		sizes = append(sizes, size)
		b = appendString(appendComma(b), t.Name)
		b = append(b, `:{"dtype":"`...)
		b = append(b, t.DType...)
		b = append(b, `","shape":[`...)
		for i, n := range t.Shape {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Append(b, n)
		}
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, begin, end)
		begin = end
	}
	b = append(b, '}')
	if b, err = l.pad(b); err != nil {
		return nil, nil, err
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-lengthBytes))
	return b, sizes, nil
}

// pad prepends the length to the JSON text and appends spaces.
func (l Layout) pad(b []byte) ([]byte, error) {
	align := l.Align
	if align == 0 {
		align = 8
	}
	length := (len(b)+align-1)/align*align - lengthBytes
	if l.HeaderBytes != 0 {
		length = l.HeaderBytes
	}
	spaces := lengthBytes + length - len(b)
	if spaces < 0 {
		return nil, fmt.Errorf("the header has %d bytes, more than the %d it should", len(b)-lengthBytes, length)
	}
	if length > maxHeaderBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrHeaderTooLarge, length, maxHeaderBytes)
	}
	return append(b, bytes.Repeat([]byte{' '}, spaces)...), nil
}

// size checks a tensor and returns its size in bytes.
func (t Entry) size() (uint64, error) {
	if t.Name == metadataKey || !utf8.ValidString(t.Name) {
		return 0, errors.New("not a tensor's name")
	}
	if t.DType.Bits() == 0 {
		return 0, fmt.Errorf("unknown dtype %s", quote(string(t.DType)))
	}
	if len(t.Shape) > maxDimensions {
		return 0, fmt.Errorf("%d dimensions, at most %d are allowed", len(t.Shape), maxDimensions)
	}
	shape := make([]uint64, len(t.Shape))
	for i, n := range t.Shape {
		if n < 0 {
			return 0, fmt.Errorf("negative shape %d", t.Shape)
		}
		shape[i] = uint64(n)
	}
	_, size, err := sizeOf(t.DType, shape)
	if err != nil {
		return 0, fmt.Errorf("%w: %s of shape %d", err, t.DType, t.Shape)
	}
	if t.Data != nil && t.Stream != nil {
		return 0, errors.New("both Data and Stream")
	}
	if t.Stream == nil && uint64(len(t.Data)) != size {
		return 0, fmt.Errorf("%w: %s of shape %d has %d bytes, Data %d", ErrTensorInvalidInfo, t.DType, t.Shape, size, len(t.Data))
	}
	return size, nil
}

// write writes a tensor's content of size bytes.
func (t Entry) write(w io.Writer, size uint64) error {
	if t.Stream == nil {
		_, err := w.Write(t.Data)
		return err
	}
	exact := &exactWriter{w: w, left: size}
	if err := t.Stream(exact); err != nil {
		return err
	}
	if exact.err != nil { // the stream may have ignored this error
		return exact.err
	}
	if exact.left > 0 {
		return fmt.Errorf("the stream ended after %d bytes of %d", size-exact.left, size)
	}
	return nil
}

// exactWriter accepts exactly so many bytes.
type exactWriter struct {
	w    io.Writer
	left uint64
	err  error
}

func (e *exactWriter) Write(p []byte) (n int, err error) {
	if e.err != nil {
		return 0, e.err
	}
	if uint64(len(p)) > e.left {
		e.err = fmt.Errorf("the stream writes %d bytes too many, or more", uint64(len(p))-e.left)
		return 0, e.err
	}
	n, e.err = e.w.Write(p)
	e.left -= uint64(n)
	return n, e.err
}

// appendMetadata appends the "__metadata__" member, keys sorted.
func appendMetadata(b []byte, metadata map[string]string) ([]byte, error) {
	b = append(b, `"`+metadataKey+`":{`...)
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return nil, fmt.Errorf("metadata %s: not UTF-8", quote(key))
		}
		b = appendString(appendComma(b), key)
		b = appendString(append(b, ':'), value)
	}
	return append(b, '}'), nil
}

// appendComma appends a comma unless an object has just been opened.
func appendComma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// appendString appends a JSON string, escaped as little as JSON allows.
func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // of a string, to memory: cannot fail
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
