package kernels

import (
	"fmt"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
	"github.com/minilm-metal/minilm-metal/kernels/internal/reuse"
)

// Input is the left operand x of products, in a variant's format. It reuses its memory each
// time it is Set. The zero value is empty.
type Input struct {
	variant     Variant
	product     *asm.Product // describes variant's kernel
	keep        Keep
	other       int // Int8: the first channel that is not kept
	rows, width int
	stride      int       // bytes from row to row; half of that for rows stored in pairs
	values      []float32 // F32: x itself. Generic's BF16 and F16: x rounded
	rounded     []float32 // memory for the rounded values
	low         []float32 // Generic's BF16x3: the low parts; values are the high parts
	narrow      []byte    // BF16, F16 and Int8, except as above: padded rows; place says where
	perRow      []float32 // Int8: rowTerms float32 values for each row, see gemmInt8 in package asm
	room        []float32 // rows that a product writes here and Narrow then converts
	wide        []float32 // one row, padded or spread, for the converting kernel
	rest        *Input    // Int8: the rounding errors of the kept rows, as another input
	products    []float32 // Int8: the products of rest, laid out as the outputs of the kept rows
	rests       []int     // tiles: for each row the offset, in bytes, of its row in products
	zeros       int       // tiles: how many negative zeros are at the start of products
	sums        []float32 // tiles: scratch memory for sums
}

// Keep says which parts of an Int8 input get more than 8 bits. In the other formats it
// changes nothing.
type Keep struct {
	// Rows, ascending, get a second digit: their rounding error is rounded again, in steps
	// 254 times as fine, and multiplied as well.
	Rows []int
	// Channels, at most MostChannels, stay float32, both in x and in the weights; the
	// matrix must be packed with the same ones. Trained models have a few channels with
	// very large values (Dettmers et al. 2022, arXiv:2208.07339). Without them the rounding
	// steps of the others are smaller.
	Channels []int
}

// MostChannels is the largest number of channels that can stay float32.
const MostChannels = 4

// Indices of the float32 terms of a row, as gemmInt8 reads them: the row's scale, the
// factor of the bias, the offset, and from rowFirst on the kept channels.
const (
	rowTerms                               = 8
	rowScale, rowBias, rowOffset, rowFirst = 0, 1, 2, 3
)

// padded rounds n up to a multiple of unit. The converting kernels take 16 or more values
// at a time, and products take whole steps, so rows of narrow values are filled up with
// zeros; the weights beside them are zeros, too.
func padded(n, unit int) int { return (n + unit - 1) / unit * unit }

// rowStride returns the bytes of a narrow row, padding included.
func (v Variant) rowStride(width int) int {
	if v.ISA == Generic {
		return padded(width, 16) // Int8: Generic keeps the other formats as rounded float32
	}
	p := v.product()
	return padded(width, p.Unit) * p.XBytes
}

// Set makes in the rows of x, in v's format.
//
//	x  rows×width, rows stride values apart
//
// In F32, in refers to x itself, which must not change while in is used. BF16 and F16 round
// each value to the nearest, ties to even. BF16 rounds denormals to 0, or its products
// treat them so; F16 rounds too large values to infinity; BF16x3 rounds the rounding error
// to bfloat16 once more.
//
// In Int8 each row is first spread over its channels if its width is a multiple of 128 (see
// spread.go), and then approximated as x ≈ scale·q + offset, with q from -127 to 127; scale
// and offset put the row's smallest and largest value at the ends. A row with values that
// are not finite gives products that are not finite. While Set runs, it overwrites the kept
// channels of x; afterwards x is as before.
func (in *Input) Set(v Variant, x []float32, rows, width, stride int, keep Keep) {
	if rows < 0 || stride < width || len(x) < (rows-1)*stride+width {
		panic(fmt.Sprintf("kernels: x: %d values, want %d rows of %d, %d apart", len(x), rows, width, stride))
	}
	in.begin(v, rows, width)
	switch {
	case rows == 0:
	case v.Format == F32:
		in.values, in.stride = x, 4*stride
	case v.ISA == Generic && v.Format != Int8:
		in.rounded = reuse.Slice(in.rounded, rows*width)
		in.values, in.stride = in.rounded, 4*width
		if v.Format == BF16x3 {
			in.low = reuse.Slice(in.low, rows*width)
			for r := range rows {
				splitAll(row(in.values, r, width), row(in.low, r, width), x[r*stride:][:width])
			}
			break
		}
		for r := range rows {
			for c, value := range x[r*stride:][:width] {
				if v.Format == F16 {
					in.values[r*width+c] = roundF16(float64(value))
				} else {
					in.values[r*width+c] = roundBF16(value)
				}
			}
		}
	case v.Format != Int8:
		in.narrowRows()
		for r := range rows {
			row := in.fill(x[r*stride:][:width], 0)
			asm.Round(asm.ISA(v.ISA), asm.Format(v.Format), in.at(r), &row[0], len(row))
		}
	default:
		in.quantize(x, stride, keep)
	}
}

// begin sets the variant and the size of the rows that in will hold.
func (in *Input) begin(v Variant, rows, width int) {
	in.variant, in.product, in.rows, in.width, in.keep = v, v.product(), rows, width, Keep{}
}

// Len returns the number of rows.
func (in *Input) Len() int { return in.rows }

// Room makes in ready for rows of v that Matrix.LinearGELUTo or attention will write. After
// they are written, Narrow converts them to what products read.
func (in *Input) Room(v Variant, rows, width int) {
	in.begin(v, rows, width)
	if v.WritesInput() {
		in.narrowRows()
	} else {
		in.room = reuse.Slice(in.room, rows*width)
	}
}

// WritesInput reports whether v's kernels write the rows of an Input directly in the format
// that products read. Then Narrow has nothing to do.
func (v Variant) WritesInput() bool { return v.Format == BF16 && v.product().Tiles }

// Narrow converts the rows that were written since Room to what products read.
func (in *Input) Narrow(keep Keep) {
	if !in.variant.WritesInput() {
		in.Set(in.variant, in.room, in.rows, in.width, in.width, keep)
	}
}

// View makes in a range of rows of another Input, of a variant for which WritesInput is
// true. They share memory: in must not be Set.
func (in *Input) View(of *Input, first, rows int) {
	in.begin(of.variant, rows, of.width)
	in.stride = of.stride
	in.narrow = of.narrow[first*of.stride:]
}

// narrowRows makes room for narrow rows. It adds some at the end: tiles read 16 rows from
// wherever a View begins, and rows stored in pairs are read in pairs. What the extra rows
// hold does not matter.
func (in *Input) narrowRows() {
	in.stride = in.variant.rowStride(in.width)
	rows := in.rows
	switch p := in.product; {
	case p.Tiles:
		rows += tileRows - 1
	case p.Pairs:
		rows = padded(rows, 2)
	}
	in.narrow = reuse.Slice(in.narrow, rows*in.stride)
}

// fill returns x padded with value to whole units. The weights beside the padding are 0.
func (in *Input) fill(x []float32, value float32) []float32 {
	unit := in.product.Unit
	if len(x)&(unit-1) == 0 { // the usual case, a power of two, is fast: this is called for every row
		return x
	}
	in.wide = reuse.Slice(in.wide, padded(len(x), unit))
	for i := copy(in.wide, x); i < len(in.wide); i++ {
		in.wide[i] = value
	}
	return in.wide
}

// begins returns the index in narrow at which a row begins. Rows lie one after the other,
// or interleaved in pairs: a group of one row, then a group of the other.
func (in *Input) begins(row int) int {
	if p := in.product; p.Pairs && row%2 != 0 {
		return (row-1)*in.stride + p.Group*p.XBytes
	}
	return row * in.stride
}

// place returns the index in narrow of a value.
func (in *Input) place(row, c int) int {
	at := in.begins(row) + c*in.variant.xSize()
	if p := in.product; p.Pairs {
		at += c / p.Group * p.Group * p.XBytes // skip the other row's groups
	}
	return at
}

// at returns the address of a row.
func (in *Input) at(row int) unsafe.Pointer {
	if in.variant.Format == F32 {
		return unsafe.Pointer(&in.values[row*in.stride/4])
	}
	return unsafe.Pointer(&in.narrow[in.begins(row)])
}
