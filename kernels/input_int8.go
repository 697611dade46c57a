package kernels

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// quantize makes in the integers that stand for rows of x.
func (in *Input) quantize(x []float32, stride int, keep Keep) {
	if len(keep.Channels) > MostChannels {
		panic(fmt.Sprintf("kernels: %d channels kept, want at most %d", len(keep.Channels), MostChannels))
	}
	in.keep, in.other = keep, keep.firstOther()
	in.narrowRows()
	in.ofRows = grow(in.ofRows, in.rows*rowTerms)
	for r := range in.rows {
		in.quantizeRow(r, x[r*stride:][:in.width])
	}
	if len(keep.Rows) == 0 {
		return
	}
	if in.rest == nil {
		in.rest = new(Input)
	}
	in.rest.quantizeRest(in, x, stride)
}

func (in *Input) quantizeRow(r int, x []float32) {
	of := in.ofRows[r*rowTerms:][:rowTerms]
	of[rowBias] = 1
	clear(of[rowFirst:])
	dst := in.narrow[in.begins(r):]
	// The kept channels do not count for the others' range, and meet weights of 0.
	// Until the row is read they are out of x, which is quicker than a copy of it.
	for i, c := range in.keep.Channels {
		of[rowFirst+i], x[c] = x[c], x[in.other]
	}
	if in.variant.ISA == Generic {
		quantizeRow(dst[:in.stride], x, (*[2]float32)(of[rowScale:]))
	} else {
		// What fills up the last unit is within the range of the others.
		row := in.fill(x, x[len(x)-1])
		asm.Quantize(asm.ISA(in.variant.ISA), unsafe.Pointer(&dst[0]), &row[0], len(row), &of[rowScale])
	}
	of[rowOffset], of[rowBias] = of[rowBias], 1
	for i, c := range in.keep.Channels {
		x[c] = of[rowFirst+i]
	}
}

// firstOther returns the first channel that is not kept.
func (k *Keep) firstOther() int {
	for c := 0; ; c++ {
		if !slices.Contains(k.Channels, c) {
			return c
		}
	}
}

// quantizeRest makes in what was lost of the rows that of keeps. There is no bias
// in their products, and the channels that stay float32 lost nothing.
func (in *Input) quantizeRest(of *Input, x []float32, stride int) {
	in.begin(of.variant, len(of.keep.Rows), of.width)
	in.other = 0
	in.narrowRows()
	in.ofRows = grow(in.ofRows, in.rows*rowTerms)
	in.rounded = grow(in.rounded, in.width)
	for i, r := range of.keep.Rows {
		scale, offset := of.ofRows[r*rowTerms+rowScale], of.ofRows[r*rowTerms+rowOffset]
		for c, v := range x[r*stride:][:in.width] {
			in.rounded[c] = (v - offset) - float32(float32(of.digit(r, c))*scale)
		}
		for _, c := range of.keep.Channels {
			in.rounded[c] = 0
		}
		in.quantizeRow(i, in.rounded)
		in.ofRows[i*rowTerms+rowBias] = 0
	}
}

// digit returns the integer that stands for a value.
func (in *Input) digit(row, c int) int {
	// Of an int16 the lower byte is the int8 that it holds.
	digit := in.narrow[in.place(row, c)]
	if in.product.Unsigned {
		return int(digit) - 128
	}
	return int(int8(digit))
}

// multiplyRest multiplies what the kept rows lost by all of m.
func (in *Input) multiplyRest(m *Matrix) {
	if len(in.keep.Rows) > 0 {
		in.products = grow(in.products, in.rest.rows*m.out)
		m.linear(in.products, in.rest, 0, in.rest.rows, m.out, false)
	}
}

// addRest adds what multiplyRest found to outputs o to o+n of some rows.
func (in *Input) addRest(dst []float32, dstStride, first, rows, o, n, out int) {
	at, _ := slices.BinarySearch(in.keep.Rows, first)
	for ; at < len(in.keep.Rows) && in.keep.Rows[at] < first+rows; at++ {
		y := dst[(in.keep.Rows[at]-first)*dstStride:][:n]
		for c, v := range in.products[at*out+o:][:n] {
			y[c] += v
		}
	}
}
