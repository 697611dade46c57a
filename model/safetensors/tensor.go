package safetensors

import (
	"fmt"
	"unsafe"
)

// Tensor is a view of one tensor of a File, good until the File is closed.
type Tensor struct {
	Name   string
	DType  DType
	Shape  []int // row-major, the last dimension is contiguous; no dimension means a scalar
	File   string
	Offset int64 // of the tensor's first byte in its file

	data []byte
	in   *backing
}

// Data is the tensor's raw little-endian bytes, of any alignment. They are
// read-only, and shared with the file: reading them may fault if the file is
// truncated (see [File.Guard]). It is nil once the file is closed; slices taken
// before must not be used after that.
func (t *Tensor) Data() []byte {
	if t.in.closed.Load() {
		return nil
	}
	return t.data
}

// Elements is the product of the shape's dimensions, 1 for a scalar.
func (t *Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32s returns the values of a tensor of F32, F16 or BF16, exactly.
//
// An F32 tensor is returned as a view of the file where the machine can read it
// in place: read-only, good until Close, and to be read under [File.Guard].
// Everything else is decoded to new memory, and the mapped pages released.
func (t *Tensor) Float32s() ([]float32, error) {
	decode, err := t.decoder()
	if err != nil {
		return nil, err
	}
	var values []float32
	err = guard(func() error {
		if values = t.view(); values == nil {
			values = make([]float32, t.Elements())
			decode(values, t.data)
			t.Release()
		}
		return nil
	}, t.in)
	if err != nil {
		return nil, err
	}
	return values, nil
}

// decoder is the function that decodes t's dtype.
func (t *Tensor) decoder() (func(dst []float32, src []byte), error) {
	switch t.DType {
	case F32:
		return decodeF32, nil
	case F16:
		return decodeF16, nil
	case BF16:
		return decodeBF16, nil
	}
	return nil, t.wrap(fmt.Errorf("%w %s, want F32, F16 or BF16", ErrDType, t.DType))
}

// view is the tensor as float32 without a copy, or nil if it cannot be had: on a
// big-endian machine, or where the bytes are unaligned and the processor may not
// load them so. Go itself allows misaligned pointers to types without pointers
// (runtime's checkptrAlignment, golang.org/issue/37298), and ms-marco-MiniLM's
// own file, unaligned throughout, would take twice its size in memory as a copy.
func (t *Tensor) view() []float32 {
	p := unsafe.Pointer(unsafe.SliceData(t.data))
	if t.DType != F32 || !littleEndian || len(t.data) == 0 || !unalignedLoads && uintptr(p)%unsafe.Alignof(float32(0)) != 0 {
		return nil
	}
	n := len(t.data) / 4
	return unsafe.Slice((*float32)(p), n)[:n:n]
}

// Release tells the system that the tensor's mapped pages are not needed for
// now; they are read from the file again when they are touched. It does nothing
// for a tensor in plain memory, or where the system has no such call.
func (t *Tensor) Release() {
	if !t.in.closed.Load() && t.in.mapped != nil {
		release(t.data)
	}
}

// CheckFinite looks for a NaN or an infinity and says where the first is. It
// reads tensors of F64, F32, F16 and BF16; integers are finite, and the other
// floats have no check.
func (t *Tensor) CheckFinite() error {
	var lane lanes
	switch t.DType {
	case Bool, U8, I8, U16, I16, U32, I32, U64, I64:
		return nil
	case F64:
		lane = lanesF64
	case F32:
		lane = lanesF32
	case F16:
		lane = lanesF16
	case BF16:
		lane = lanesBF16
	default:
		return t.wrap(fmt.Errorf("%w %s, cannot tell whether it is finite", ErrDType, t.DType))
	}
	return guard(func() error {
		if i := lane.firstNonFinite(t.data); i >= 0 {
			return t.wrap(fmt.Errorf("%w: element %d of shape %d is %s", ErrNotFinite, i, t.Shape, lane.name(t.data, i)))
		}
		return nil
	}, t.in)
}

// wrap names the file and the tensor in an error.
func (t *Tensor) wrap(err error) error {
	return fmt.Errorf("safetensors: %s: tensor %s: %w", t.File, quote(t.Name), err)
}
