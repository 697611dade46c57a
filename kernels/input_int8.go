package kernels

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
	"github.com/minilm-metal/minilm-metal/kernels/internal/reuse"
)

// quantize rounds rows of x to integers and stores them in in.
func (in *Input) quantize(x []float32, stride int, keep Keep) {
	if len(keep.Channels) > MostChannels {
		panic(fmt.Sprintf("kernels: %d channels kept, want at most %d", len(keep.Channels), MostChannels))
	}
	in.keep, in.other = keep, keep.firstOther()
	in.narrowRows()
	in.perRow = reuse.Slice(in.perRow, in.rows*rowTerms)
	if len(keep.Rows) > 0 {
		if in.rest == nil {
			in.rest = new(Input)
		}
		in.rest.begin(in.variant, len(keep.Rows), in.width)
		in.rest.narrowRows()
		in.rest.perRow = reuse.Slice(in.rest.perRow, in.rest.rows*rowTerms)
	}
	kept := 0
	for r := range in.rows {
		row := x[r*stride:][:in.width]
		values := in.takeOut(r, row)
		in.quantizeRow(r, values)
		if kept < len(keep.Rows) && keep.Rows[kept] == r {
			in.rest.quantizeRest(kept, in, r, values)
			kept++
		}
		for i, c := range keep.Channels {
			row[c] = in.perRow[r*rowTerms+rowFirst+i]
		}
	}
}

// takeOut returns the values of row r that are to be quantized. It moves the kept channels
// from x to the row's float32 terms; quantize moves them back when the row is done, which
// is quicker than working on a copy of x.
func (in *Input) takeOut(r int, x []float32) []float32 {
	of, stand := in.perRow[r*rowTerms:][:rowTerms], x[in.other]
	clear(of[rowFirst:])
	if spreads(in.width) {
		stand = 0 // the spread of 0 is 0
	}
	// The value that stands in for a kept channel must not widen the range of the others.
	// Its weight is 0.
	for i, c := range in.keep.Channels {
		of[rowFirst+i], x[c] = x[c], stand
	}
	if !spreads(in.width) {
		return x
	}
	in.wide = reuse.Slice(in.wide, in.width)
	in.variant.ISA.spread(in.wide, x)
	return in.wide
}

// quantizeRow rounds all values of a row to integers.
func (in *Input) quantizeRow(r int, x []float32) {
	of := in.perRow[r*rowTerms:][:rowTerms]
	dst := in.narrow[in.begins(r):]
	if in.variant.ISA == Generic {
		quantizeRow(dst[:in.stride], x, (*[2]float32)(of[rowScale:]))
	} else {
		// Pad with one of the row's own values, which does not widen its range.
		row := in.fill(x, x[len(x)-1])
		asm.Quantize(asm.ISA(in.variant.ISA), unsafe.Pointer(&dst[0]), &row[0], len(row), &of[rowScale])
	}
	of[rowOffset], of[rowBias] = of[rowBias], 1
}

// firstOther returns the first channel that is not kept.
func (k *Keep) firstOther() int {
	for c := 0; ; c++ {
		if !slices.Contains(k.Channels, c) {
			return c
		}
	}
}

// quantizeRest rounds the rounding errors of row r of the input of, and stores them as row
// i of in. x is what row r was rounded from. The products of this row get no bias, and the
// float32 channels have no rounding error.
func (in *Input) quantizeRest(i int, of *Input, r int, x []float32) {
	in.rounded = reuse.Slice(in.rounded, in.width)
	scale, offset := of.perRow[r*rowTerms+rowScale], of.perRow[r*rowTerms+rowOffset]
	for c, v := range x {
		in.rounded[c] = (v - offset) - float32(float32(of.digit(r, c))*scale)
	}
	if !spreads(in.width) {
		for _, c := range of.keep.Channels {
			in.rounded[c] = 0
		}
	}
	clear(in.perRow[i*rowTerms:][:rowTerms])
	in.quantizeRow(i, in.rounded)
	in.perRow[i*rowTerms+rowBias] = 0
}

// digit returns the integer that a value was rounded to.
func (in *Input) digit(row, c int) int {
	// The lower byte of an int16 is the int8 in it.
	digit := in.narrow[in.place(row, c)]
	if in.product.Unsigned {
		return int(digit) - 128
	}
	return int(int8(digit))
}

// multiplyRest multiplies the rounding errors of the kept rows by all of m.
func (in *Input) multiplyRest(m *Matrix) {
	if len(in.keep.Rows) > 0 {
		in.products = reuse.Slice(in.products, in.rest.rows*m.out)
		m.linear(in.products, in.rest, 0, in.rest.rows, m.out, none)
	}
}

// addRest adds the results of multiplyRest to outputs o to o+n of rows first to first+rows.
func (in *Input) addRest(dst []float32, dstStride, first, rows, o, n, out int) {
	at, _ := slices.BinarySearch(in.keep.Rows, first)
	for ; at < len(in.keep.Rows) && in.keep.Rows[at] < first+rows; at++ {
		y := dst[(in.keep.Rows[at]-first)*dstStride:][:n]
		for c, v := range in.products[at*out+o:][:n] {
			y[c] += v
		}
	}
}
