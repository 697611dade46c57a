package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
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

// Data returns the tensor's raw little-endian bytes, of any alignment. They are read-only
// and shared with the file: reading them may fault if the file is truncated (see
// [File.Guard]). After Close it returns nil, and slices returned before must not be used.
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

// Float32s returns the values of a tensor of F32, F16 or BF16, exactly, and those of F64 as the
// nearest float32. A number in F64 that is too large for a float32 is an error, which is
// ErrRange.
//
// An F32 tensor is returned as a view of the file if the machine can read it in place. The
// view is read-only and valid until Close; read it under [File.Guard]. Other tensors are
// decoded to new memory, and the mapped pages are released.
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
			if err := t.checkRange(values); err != nil {
				return err
			}
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
	case F64:
		return decodeF64, nil
	}
	return nil, t.wrap(fmt.Errorf("%w %s, want F64, F32, F16 or BF16", ErrDType, t.DType))
}

// checkRange returns an error about the first number in F64 that became infinite in values.
func (t *Tensor) checkRange(values []float32) error {
	if t.DType != F64 {
		return nil
	}
	for i, v := range values {
		if !math.IsInf(float64(v), 0) {
			continue
		}
		if exact := math.Float64frombits(binary.LittleEndian.Uint64(t.data[8*i:])); !math.IsInf(exact, 0) {
			return t.wrap(fmt.Errorf("%w: element %d of shape %d is %g", ErrRange, i, t.Shape, exact))
		}
	}
	return nil
}

// view returns the tensor as float32 without a copy, or nil if that is impossible: on a
// big-endian machine, or if the bytes are unaligned and the processor cannot load them. Go
// allows misaligned pointers to types without pointers (runtime's checkptrAlignment,
// golang.org/issue/37298). ms-marco-MiniLM's own file is unaligned throughout, and a copy
// would take twice its size in memory.
func (t *Tensor) view() []float32 {
	p := unsafe.Pointer(unsafe.SliceData(t.data))
	if t.DType != F32 || !littleEndian || len(t.data) == 0 || !unalignedLoads && uintptr(p)%unsafe.Alignof(float32(0)) != 0 {
		return nil
	}
	n := len(t.data) / 4
	return unsafe.Slice((*float32)(p), n)[:n:n]
}

// Release tells the system that the tensor's mapped pages are not needed for now. If they
// are used again, they are read from the file again. It does nothing for a tensor in plain
// memory, or if the system has no such call.
func (t *Tensor) Release() {
	if !t.in.closed.Load() && t.in.mapped != nil {
		release(t.data)
	}
}

// CheckFinite returns an error that says where the tensor's first NaN or infinity is, if it
// has any. It checks tensors of F64, F32, F16 and BF16. Integers are finite, and other
// floats are not checked.
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
