package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

const (
	lengthBytes    = 8           // of the header's length
	maxHeaderBytes = 100_000_000 // MAX_HEADER_SIZE of the Rust library
	maxDimensions  = 64          // as in NumPy and PyTorch
	metadataKey    = "__metadata__"
)

// Limits for what is kept of a header, far above what real files have. The description of a
// tensor may take less than 60 bytes in the file and some 300 in memory.
const (
	maxTensors  = 1 << 16 // in a file, or an index; the largest BERT has 400
	maxMetadata = 1 << 12 // entries of __metadata__; most files have one
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
	if bounded.IsGitLFS(file) {
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
	s := jsonscan.New(text)
	seen := map[string]bool{} // keys
	err := s.Object(func(key []byte) (err error) {
		if seen[string(key)] {
			return s.Errorf("duplicate key")
		}
		name := string(key)
		seen[name] = true
		if name == metadataKey {
			if !s.Null() {
				h.metadata, err = texts(s, maxMetadata)
			}
			return err
		}
		if len(h.infos) == maxTensors {
			return s.Errorf("more than %d tensors", maxTensors)
		}
		t, err := decodeInfo(s)
		t.name = name
		h.infos = append(h.infos, t)
		return err
	})
	if err != nil {
		return err
	}
	return s.End()
}

// decodeInfo reads one tensor's description. Fields the format does not know are
// skipped, as in the Rust library.
func decodeInfo(s *jsonscan.Scanner) (t info, err error) {
	var offsets []uint64
	var seen struct{ dtype, shape, offsets bool }
	err = s.Object(func(field []byte) (err error) {
		switch string(field) {
		case "dtype":
			if err = s.Once(&seen.dtype); err == nil {
				t.dtype, err = decodeDType(s)
			}
		case "shape":
			if err = s.Once(&seen.shape); err == nil {
				t.shape, err = naturals(s, maxDimensions)
			}
		case "data_offsets":
			if err = s.Once(&seen.offsets); err == nil {
				offsets, err = naturals(s, 2)
			}
			if err == nil && len(offsets) != 2 {
				err = s.Errorf("%d integers, want 2", len(offsets))
			}
		default:
			err = s.Skip()
		}
		return err
	})
	switch {
	case err != nil:
		return t, err
	case !seen.dtype:
		return t, s.Errorf("no dtype")
	case !seen.shape:
		return t, s.Errorf("no shape")
	case !seen.offsets:
		return t, s.Errorf("no data_offsets")
	}
	t.begin, t.end = offsets[0], offsets[1]
	return t, nil
}

func decodeDType(s *jsonscan.Scanner) (DType, error) {
	name, err := s.Text("a string")
	if err != nil {
		return "", err
	}
	d := DType(name)
	if d.Bits() == 0 {
		return "", s.Errorf("unknown dtype %s", jsonscan.Quote(name))
	}
	return d, nil
}

// naturals reads an array of at most limit integers in [0, 2^64).
func naturals(s *jsonscan.Scanner, limit int) (list []uint64, err error) {
	err = s.Array(func() error {
		n, err := s.Natural()
		if err == nil && len(list) == limit {
			err = s.Errorf("more than %d integers", limit)
		}
		list = append(list, n)
		return err
	})
	return list, err
}

// texts reads an object of at most limit strings. A string that occurs several times, such
// as a shard's name, is kept once.
func texts(s *jsonscan.Scanner, limit int) (map[string]string, error) {
	m, last := map[string]string{}, ""
	err := s.Object(func(key []byte) error {
		if _, ok := m[string(key)]; ok {
			return s.Errorf("duplicate key")
		}
		if len(m) == limit {
			return s.Errorf("more than %d entries", limit)
		}
		name := string(key)
		value, err := s.Text("a string")
		if string(value) != last {
			last = string(value)
		}
		m[name] = last
		return err
	})
	return m, err
}

// validate sorts the tensors by offset and checks that they tile a data section
// of size bytes, in the order of the Rust library's checks.
func (h *header) validate(size uint64) error {
	slices.SortFunc(h.infos, func(a, b info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	var end uint64 // the end of the tensors so far
	for i, t := range h.infos {
		err := t.validate()
		switch {
		case t.end < t.begin: // the error is in err
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
