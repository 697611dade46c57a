package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

const (
	lengthBytes    = 8           // of the header's length
	maxHeaderBytes = 100_000_000 // MAX_HEADER_SIZE of the Rust library
	maxDimensions  = 64          // as in NumPy and PyTorch
	metadataKey    = "__metadata__"
	lfsPrefix      = "version https://git-lfs.github.com/spec/"
)

// info is one tensor as the header tells it.
type info struct {
	name       string
	dtype      DType
	shape      []uint64
	begin, end uint64 // bytes of the data section
}

// header is what precedes the data section.
type header struct {
	infos    []info // by offset, tiling the data section
	metadata map[string]string
	bytes    int // where the data section starts
}

// parseHeader reads and checks the header of a whole file. Errors do not name
// the file.
func parseHeader(file []byte) (*header, error) {
	if bytes.HasPrefix(file, []byte(lfsPrefix)) {
		return nil, ErrGitLFS
	}
	if len(file) < lengthBytes {
		return nil, fmt.Errorf("%w: the file has %d bytes, want at least %d", ErrHeaderTooSmall, len(file), lengthBytes)
	}
	n := binary.LittleEndian.Uint64(file)
	if n > maxHeaderBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrHeaderTooLarge, n, maxHeaderBytes)
	}
	if n > uint64(len(file)-lengthBytes) {
		return nil, fmt.Errorf("%w: %d bytes after the first %d, but the file has %d", ErrInvalidHeaderLength, n, lengthBytes, len(file))
	}
	h := &header{bytes: lengthBytes + int(n)}
	text := file[lengthBytes:h.bytes]
	if !utf8.Valid(text) {
		return nil, ErrInvalidHeader
	}
	if err := h.decode(text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidHeaderDeserialization, err)
	}
	return h, h.validate(uint64(len(file) - h.bytes))
}

// decode reads the JSON text.
func (h *header) decode(text []byte) error {
	w := newWalker(text)
	err := w.object(func(key string) (err error) {
		if key == metadataKey {
			h.metadata, err = w.strings()
			return err
		}
		t, err := decodeInfo(w)
		t.name = key
		h.infos = append(h.infos, t)
		return err
	})
	if err != nil {
		return err
	}
	return w.end()
}

// decodeInfo reads one tensor's description. Fields the format does not know are
// skipped, as in the Rust library.
func decodeInfo(w walker) (t info, err error) {
	var hasShape bool
	var offsets []uint64
	err = w.object(func(field string) (err error) {
		switch field {
		case "dtype":
			var name string
			if name, err = expect[string](w, "a string"); err != nil {
				return err
			}
			if t.dtype = DType(name); t.dtype.Bits() == 0 {
				return w.errorf("unknown dtype %s", quote(name))
			}
		case "shape":
			hasShape = true
			t.shape, err = w.naturals(maxDimensions)
		case "data_offsets":
			offsets, err = w.naturals(2)
			if err == nil && len(offsets) != 2 {
				err = w.errorf("%d integers, want 2", len(offsets))
			}
		default:
			err = w.skip()
		}
		return err
	})
	switch {
	case err != nil:
		return t, err
	case t.dtype == "":
		return t, w.errorf("no dtype")
	case !hasShape:
		return t, w.errorf("no shape")
	case offsets == nil:
		return t, w.errorf("no data_offsets")
	}
	t.begin, t.end = offsets[0], offsets[1]
	return t, nil
}

// validate sorts the tensors by offset and checks that they tile a data section
// of size bytes, in the order of the Rust library's checks.
func (h *header) validate(size uint64) error {
	slices.SortFunc(h.infos, func(a, b info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	var end uint64 // of the tensors so far
	for i, t := range h.infos {
		err := t.validate()
		switch {
		case t.end < t.begin: // err says so
		case t.begin > end:
			err = fmt.Errorf("%w: data_offsets [%d, %d] leave a gap after byte %d", ErrInvalidOffset, t.begin, t.end, end)
		case t.begin < end:
			err = fmt.Errorf("%w: data_offsets [%d, %d] overlap tensor %s, which ends at %d",
				ErrInvalidOffset, t.begin, t.end, quote(h.infos[i-1].name), end)
		}
		if err != nil {
			return fmt.Errorf("tensor %s: %w", quote(t.name), err)
		}
		end = t.end
	}
	if end == size {
		return nil
	}
	for _, t := range h.infos {
		if t.end > size {
			return fmt.Errorf("tensor %s: %w: data_offsets [%d, %d], but the data section has %d bytes",
				quote(t.name), ErrMetadataIncompleteBuffer, t.begin, t.end, size)
		}
	}
	return fmt.Errorf("%w: they end at byte %d of the data section, which has %d", ErrMetadataIncompleteBuffer, end, size)
}

// validate checks a tensor by itself.
func (t info) validate() error {
	if t.end < t.begin {
		return fmt.Errorf("%w: data_offsets [%d, %d] end before they begin", ErrInvalidOffset, t.begin, t.end)
	}
	elements, bytes, err := sizeOf(t.dtype, t.shape)
	if err != nil {
		return fmt.Errorf("%w: %s of shape %d", err, t.dtype, t.shape)
	}
	// An empty tensor may have one huge dimension, which the Rust library allows
	// up to 2^64; our shapes are ints.
	if elements > math.MaxInt || slices.ContainsFunc(t.shape, func(n uint64) bool { return n > math.MaxInt }) {
		return fmt.Errorf("%w: %s of shape %d", ErrValidationOverflow, t.dtype, t.shape)
	}
	if bytes != t.end-t.begin {
		return fmt.Errorf("%w: %s of shape %d has %d bytes, data_offsets [%d, %d] %d",
			ErrTensorInvalidInfo, t.dtype, t.shape, bytes, t.begin, t.end, t.end-t.begin)
	}
	return nil
}
