package kernels

import (
	"fmt"
	"unsafe"
)

// Input is the left operand of products: rows of x in a variant's format. It
// keeps its memory from one use to the next. The zero value is empty.
type Input struct {
	variant     Variant
	rows, width int
	stride      int       // bytes from row to row
	values      []float32 // F32: x itself. Generic's BF16: rounded
	rounded     []float32 // memory for those
	narrow      []byte    // BF16 and Int8 otherwise, rows filled up to whole units
	scales      []float32 // Int8: each row's scale and offset
	wide        []float32 // a row filled up
}

// inputUnit is what the narrowing kernels take at a time; rows of narrow values
// are filled up to whole units, weights with zeros beside them.
const inputUnit = 16

func padded(width int) int { return (width + inputUnit - 1) / inputUnit * inputUnit }

// Set makes in the rows of x.
//
//	x  rows×width, rows stride values apart
//
// For F32 in is x itself, which must stay as it is while in is used. For BF16
// each value is rounded to the nearest, ties to even, denormals to 0. For Int8
// each row is x ≈ scale·q + offset, with q from -127 to 127, and scale and
// offset such that the row's smallest and largest values are at the ends. A row
// with values that are not finite gives products that are NaN.
func (in *Input) Set(v Variant, x []float32, rows, width, stride int) {
	if rows < 0 || stride < width || len(x) < (rows-1)*stride+width {
		panic(fmt.Sprintf("kernels: x: %d values, want %d rows of %d, %d apart", len(x), rows, width, stride))
	}
	in.variant, in.rows, in.width = v, rows, width
	if rows == 0 {
		return
	}
	if v.Format == F32 {
		in.values, in.stride = x, 4*stride
		return
	}
	if v == (Variant{Generic, BF16}) {
		in.rounded = grow(in.rounded, rows*width)
		in.values, in.stride = in.rounded, 4*width
		for r := range rows {
			for c, value := range x[r*stride:][:width] {
				in.values[r*width+c] = roundBF16(value)
			}
		}
		return
	}
	size := padded(width) * v.xSize()
	in.narrow, in.stride = grow(in.narrow, rows*size), size
	in.scales = grow(in.scales, 2*rows)
	for r := range rows {
		in.row(in.narrow[r*size:][:size], x[r*stride:][:width], (*[2]float32)(in.scales[2*r:]))
	}
}

// row writes one row. What fills up its last unit meets weights of 0: zeros too
// for BF16, where Inf·0 would be NaN, and for Int8 the last value again, which is
// within the range of the others.
func (in *Input) row(dst []byte, x []float32, scale *[2]float32) {
	if in.variant.ISA == Generic {
		quantizeRow(dst, x, scale)
		return
	}
	whole := len(x) / inputUnit * inputUnit
	if whole == len(x) {
		in.convert(dst, x, scale)
		return
	}
	in.wide = grow(in.wide, padded(len(x)))
	fill := float32(0)
	if in.variant.Format == Int8 {
		fill = x[len(x)-1]
	}
	for i := copy(in.wide, x); i < len(in.wide); i++ {
		in.wide[i] = fill
	}
	in.convert(dst, in.wide, scale)
}

// convert writes whole units.
func (in *Input) convert(dst []byte, x []float32, scale *[2]float32) {
	if in.variant.Format == BF16 {
		round(in.variant.ISA, unsafe.Pointer(&dst[0]), &x[0], len(x))
	} else {
		quantize(in.variant.ISA, unsafe.Pointer(&dst[0]), &x[0], len(x), &scale[0])
	}
}

// at returns where a row begins.
func (in *Input) at(row int) unsafe.Pointer {
	if in.variant.Format == F32 {
		return unsafe.Pointer(&in.values[row*in.stride/4])
	}
	return unsafe.Pointer(&in.narrow[row*in.stride])
}

// grow returns a slice of length n, s's memory where it is large enough. What
// is in it is garbage.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
