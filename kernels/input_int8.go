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
	if len(keep.Rows) > 0 {
		if in.rest == nil {
			in.rest = new(Input)
		}
		in.rest.begin(in.variant, len(keep.Rows), in.width)
		in.rest.narrowRows()
		in.rest.ofRows = grow(in.rest.ofRows, in.rest.rows*rowTerms)
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
			row[c] = in.ofRows[r*rowTerms+rowFirst+i]
		}
	}
}

// takeOut returns what of a row is quantized, and puts the kept channels into what is
// said of it. Until the row is done they are out of x, which is quicker than a copy of it.
func (in *Input) takeOut(r int, x []float32) []float32 {
	of, stand := in.ofRows[r*rowTerms:][:rowTerms], x[in.other]
	clear(of[rowFirst:])
	if spreads(in.width) {
		stand = 0 // of which nothing is spread
	}
	// They do not count for the others' range, and meet weights of 0.
	for i, c := range in.keep.Channels {
		of[rowFirst+i], x[c] = x[c], stand
	}
	if !spreads(in.width) {
		return x
	}
	in.wide = grow(in.wide, in.width)
	in.variant.ISA.spread(in.wide, x)
	return in.wide
}

// quantizeRow makes integers of all values of a row.
func (in *Input) quantizeRow(r int, x []float32) {
	of := in.ofRows[r*rowTerms:][:rowTerms]
	dst := in.narrow[in.begins(r):]
	if in.variant.ISA == Generic {
		quantizeRow(dst[:in.stride], x, (*[2]float32)(of[rowScale:]))
	} else {
		// What fills up the last unit is within the range of the others.
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

// quantizeRest makes row i of in what was lost of row r of another, which was made of x.
// There is no bias in its products, and the channels that stay float32 lost nothing.
func (in *Input) quantizeRest(i int, of *Input, r int, x []float32) {
	in.rounded = grow(in.rounded, in.width)
	scale, offset := of.ofRows[r*rowTerms+rowScale], of.ofRows[r*rowTerms+rowOffset]
	for c, v := range x {
		in.rounded[c] = (v - offset) - float32(float32(of.digit(r, c))*scale)
	}
	if !spreads(in.width) {
		for _, c := range of.keep.Channels {
			in.rounded[c] = 0
		}
	}
	clear(in.ofRows[i*rowTerms:][:rowTerms])
	in.quantizeRow(i, in.rounded)
	in.ofRows[i*rowTerms+rowBias] = 0
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
