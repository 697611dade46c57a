package pickle

import (
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// mostSpanned is how many bytes of a storage are held in memory for a view that is not
// row-major. The largest such weights are transposed word embeddings.
const mostSpanned = 256 << 20

// view is a tensor: some of a storage's elements.
type view struct {
	in      span
	dtype   safetensors.DType
	first   int64   // offset of the first element in the storage, in bytes
	shape   []int   // in elements
	strides []int64 // in elements
	size    int64   // in bytes, when written
	spanned int64   // bytes in the storage from the first element's start to the last one's end
	ordered bool    // row-major, without gaps
}

// newView returns the tensor that f, one of the functions that rebuild tensors, makes from
// a storage, the offset of the first element, sizes, strides, and its other arguments.
func (m *machine) newView(f global, args tuple) (*view, error) {
	fixed := map[global]int{rebuildTensor: 4, rebuildTensorV2: 6, rebuildTensorV3: 7}[f]
	if n := len(args); n != fixed && (n != fixed+1 || f == rebuildTensor) {
		return nil, fmt.Errorf("%w: %d arguments, want %d", ErrFormat, n, fixed)
	}
	in, isSpan := args[0].(span)
	offset, isInt := args[1].(int64)
	sizes, hasSizes := args[2].(tuple)
	strides, hasStrides := args[3].(tuple)
	if !isSpan || !isInt || !hasSizes || !hasStrides {
		return nil, fmt.Errorf("%w: of %s, %s, %s and %s, want a storage, an int and two tuples", ErrFormat,
			kind(args[0]), kind(args[1]), kind(args[2]), kind(args[3]))
	}
	v := &view{in: in, dtype: in.dtype}
	switch {
	case f == rebuildTensorV3:
		if v.dtype = elementTypeOf(args[6]); v.dtype == "" {
			return nil, fmt.Errorf("%w: elements of %s", ErrUnsupported, kind(args[6]))
		}
		if in.in.big {
			return nil, fmt.Errorf("%w: %s, big-endian", ErrUnsupported, v.dtype)
		}
	case in.untyped:
		return nil, fmt.Errorf("%w: a tensor without a type", ErrFormat)
	}
	if len(args) > fixed {
		if err := plainBits(args[fixed]); err != nil {
			return nil, err
		}
	}
	if len(sizes) != len(strides) || len(sizes) > mostDimensions {
		return nil, fmt.Errorf("%w: %d sizes and %d strides, want as many, and at most %d", ErrFormat, len(sizes), len(strides), mostDimensions)
	}
	if err := m.spend(4 + 2*len(sizes)); err != nil { // a view takes more memory than other values
		return nil, err
	}
	for i := range sizes {
		n, ok := sizes[i].(int64)
		stride, ok2 := strides[i].(int64)
		if !ok || !ok2 || n < 0 || stride < 0 || int64(int(n)) != n {
			return nil, fmt.Errorf("%w: dimension %d: size or stride is no number from 0 on", ErrFormat, i)
		}
		v.shape, v.strides = append(v.shape, int(n)), append(v.strides, stride)
	}
	if err := v.place(offset); err != nil {
		return nil, err
	}
	return v, nil
}

// elementTypeOf returns the element type that a global names, or "" if it names none.
func elementTypeOf(v any) safetensors.DType {
	g, _ := v.(global)
	return elementTypes[g]
}

// plainBits returns an error for a tensor whose values must be negated or conjugated when
// they are read.
func plainBits(v any) error {
	d, ok := v.(*dict)
	if v != nil && !ok {
		return fmt.Errorf("%w: a tensor's metadata is %s", ErrFormat, kind(v))
	}
	if d == nil {
		return nil
	}
	for i := 0; i < len(d.items); i += 2 {
		if name, _ := d.items[i].(string); d.items[i+1] != false {
			return fmt.Errorf("%w: a tensor with the bit %.200q", ErrUnsupported, name)
		}
	}
	return nil
}

// place checks that all elements are inside the storage, and sets the fields that follow
// from shape and strides.
func (v *view) place(offset int64) error {
	width := int64(v.dtype.Size())
	elements, last := int64(1), int64(0) // last is the last element's index, relative to the first
	v.ordered = true
	fits := true
	for i := len(v.shape) - 1; i >= 0; i-- {
		n, stride := int64(v.shape[i]), v.strides[i]
		if n != 1 && stride != elements {
			v.ordered = false
		}
		var ok1, ok2, ok3 bool
		var reach int64
		reach, ok1 = times(max(n-1, 0), stride)
		last, ok2 = plus(last, reach)
		elements, ok3 = times(elements, n)
		fits = fits && ok1 && ok2 && ok3
	}
	if slices.Contains(v.shape, 0) { // without elements any offset is valid, as in PyTorch
		v.ordered = true
		return nil
	}
	begin, ok1 := times(offset, width)
	end, ok2 := plus(last, 1)
	span, ok3 := times(end, width)
	size, ok4 := times(elements, width)
	end, ok5 := plus(begin, span)
	if !fits || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || offset < 0 || end > v.in.size {
		return fmt.Errorf("%w: shape %d with strides %d from element %d on is not within a storage of %d bytes (%s)",
			ErrFormat, v.shape, v.strides, offset, v.in.size, v.dtype)
	}
	v.first, v.size, v.spanned = v.in.begin+begin, size, span
	return nil
}

// times and plus compute with non-negative numbers and report whether the result fits.
func times(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && int64(lo) >= 0
}

func plus(a, b int64) (int64, bool) { return a + b, a+b >= a }

// cost returns how many bytes are read or written for the tensor.
func (v *view) cost() int64 {
	if v.size == 0 {
		return 0
	}
	return max(v.size, v.in.in.cost(v.spanned))
}

// write writes the elements, row-major and little-endian.
func (v *view) write(w io.Writer) error {
	if v.size == 0 {
		return nil
	}
	if err := v.writeFrom(w); err != nil {
		return fmt.Errorf("%s: %w", v.in.in.name, damaged(err))
	}
	return nil
}

func (v *view) writeFrom(w io.Writer) error {
	r, err := v.in.in.part(v.first, v.spanned)
	if err != nil {
		return err
	}
	width := v.dtype.Size()
	if v.dtype == safetensors.C64 {
		width /= 2 // a complex number is two floats
	}
	if v.ordered {
		return copyElements(w, r, v.size, width, v.in.in.big)
	}
	data := make([]byte, v.spanned)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	if v.in.in.big {
		swapBytes(data, width)
	}
	return v.gather(w, data)
}

// gather writes the elements of a view that is not row-major, from the bytes that it spans.
func (v *view) gather(w io.Writer, data []byte) error {
	width := int64(v.dtype.Size())
	piece := make([]byte, 0, min(v.size, pieceBytes))
	index := make([]int, len(v.shape)) // of the next element
	at := int64(0)                     // its offset in bytes
	for left := v.size; left > 0; left -= width {
		piece = append(piece, data[at:at+width]...)
		if len(piece) == cap(piece) || left == width {
			if _, err := w.Write(piece); err != nil {
				return err
			}
			piece = piece[:0]
		}
		for i := len(index) - 1; i >= 0; i-- {
			index[i]++
			at += v.strides[i] * width
			if index[i] < v.shape[i] {
				break
			}
			at -= int64(index[i]) * v.strides[i] * width
			index[i] = 0
		}
	}
	return nil
}
