package safetensors

import (
	"errors"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// The format's errors, named as in the Rust library (safetensors/src/tensor.rs).
// What Parse and Open return wraps one of them and says file, tensor and value.
var (
	// ErrHeaderTooSmall: the file has fewer than 8 bytes.
	ErrHeaderTooSmall = errors.New("header too small")
	// ErrHeaderTooLarge: the header's length is over 100 MB.
	ErrHeaderTooLarge = errors.New("header too large")
	// ErrInvalidHeaderLength: the header ends past the file.
	ErrInvalidHeaderLength = errors.New("invalid header length")
	// ErrInvalidHeader: the header is not UTF-8.
	ErrInvalidHeader = errors.New("header is not UTF-8")
	// ErrInvalidHeaderDeserialization: the header is not the JSON it should be.
	ErrInvalidHeaderDeserialization = errors.New("invalid header")
	// ErrInvalidOffset: a tensor ends before it begins, or does not begin where
	// the one before it ends (an overlap or a gap).
	ErrInvalidOffset = errors.New("invalid offset")
	// ErrValidationOverflow: a shape's size in elements or bits overflows.
	ErrValidationOverflow = errors.New("shape overflows")
	// ErrMisalignedSlice: a tensor of a 4 or 6 bit dtype does not fill its bytes.
	ErrMisalignedSlice = errors.New("shape ends inside a byte")
	// ErrTensorInvalidInfo: shape times dtype is not the bytes the offsets say.
	ErrTensorInvalidInfo = errors.New("shape and offsets disagree")
	// ErrMetadataIncompleteBuffer: the tensors end before or past the file's end.
	ErrMetadataIncompleteBuffer = errors.New("tensors do not fill the file")
)

// Errors beyond the format's.
var (
	// ErrGitLFS: the file is the pointer that git-lfs leaves for a large file.
	ErrGitLFS = bounded.ErrGitLFS
	// ErrIndex: an index of shards is malformed, or does not fit its shards.
	ErrIndex = errors.New("invalid index")
	// ErrDType: the tensor's dtype has no float32 values here.
	ErrDType = errors.New("unsupported dtype")
	// ErrNotFinite: a tensor holds a NaN or an infinity.
	ErrNotFinite = errors.New("not finite")
	// ErrRange: a tensor of F64 holds a number too large for a float32.
	ErrRange = errors.New("beyond float32")
	// ErrTruncated: the file lost bytes while it was mapped.
	ErrTruncated = errors.New("truncated while in use")
	// ErrChanged: the file grew or was written to while it was mapped, so that its
	// tensors may be another's by now.
	ErrChanged = errors.New("changed while in use")
	// ErrClosed: the file was closed.
	ErrClosed = errors.New("file is closed")
)

// quote is s in double quotes, cut if it is long: a header may hold a name of 100 MB.
func quote(s string) string { return jsonscan.Quote(s) }
