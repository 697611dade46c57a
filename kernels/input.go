package kernels

import (
	"fmt"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Input is the left operand of products: rows of x in a variant's format. It
// keeps its memory from one use to the next. The zero value is empty.
type Input struct {
	variant     Variant
	product     *asm.Product // how variant multiplies
	keep        Keep
	other       int // a channel that is not kept
	rows, width int
	stride      int       // bytes from row to row, of a pair half
	values      []float32 // F32: x itself. Generic's BF16 and F16: rounded
	rounded     []float32 // memory for those
	low         []float32 // Generic's BF16x3: the low parts beside values
	narrow      []byte    // BF16, F16 and Int8 otherwise, rows filled up to whole units, see place
	ofRows      []float32 // Int8: rowTerms values of each row, see package asm's gemmInt8
	room        []float32 // what a product writes that Narrow makes rows of
	wide        []float32 // a row as the narrowing kernel wants it
	rest        *Input    // what the kept rows lost
	products    []float32 // the rest's, in the layout of the kept rows' outputs
	rests       []int     // tiles: where in products each row's are, in bytes
	zeros       int       // tiles: the negative zeros that products begins with
	sums        []float32 // tiles: what products go through
}

// Keep says what of an Int8 input is worth more than 8 bits. What is not Int8 has
// them anyway.
type Keep struct {
	// Rows, ascending, have a second digit: what rounding took from them is
	// rounded again, to 1/254 of the steps, and multiplied too.
	Rows []int
	// Channels, at most MostChannels, stay float32, in x and in the weights. The
	// matrix was packed with the same ones. The steps of the others are the smaller
	// for it: a few channels far out are what trained models have (Dettmers et al.
	// 2022, arXiv:2208.07339).
	Channels []int
}

// MostChannels is how many channels can stay float32.
const MostChannels = 4

// What gemmInt8 reads of a row: the scale, what the bias is multiplied by, the
// offset and the channels that are kept.
const (
	rowTerms                               = 8
	rowScale, rowBias, rowOffset, rowFirst = 0, 1, 2, 3
)

// padded returns the next multiple of a unit. The narrowing kernels take 16 values or
// more at a time, products whole steps: rows of narrow values are filled up, with
// zeros as the weights beside them.
func padded(n, unit int) int { return (n + unit - 1) / unit * unit }

// rowStride returns the bytes of a narrow row.
func (v Variant) rowStride(width int) int {
	if v.ISA == Generic {
		return padded(width, 16) // Int8: the other formats are float32s there, rounded
	}
	p := v.product()
	return padded(width, p.Unit) * p.XBytes
}

// Set makes in the rows of x.
//
//	x  rows×width, rows stride values apart
//
// For F32 in is x itself, which must stay as it is while in is used. For BF16
// and F16 each value is rounded to the nearest, ties to even; BF16 rounds denormals
// to 0, or products count them so, F16 what is too large to infinity; BF16x3 rounds what
// is lost to bfloat16 once more.
// For Int8 each row, spread over its channels where its width is a multiple of 128, is
// x ≈ scale·q + offset, with q from -127 to 127, and scale and offset such that the
// row's smallest and largest values are at the ends. A row
// with values that are not finite gives products that are not. The channels that
// are kept are overwritten while Set runs, and then are what they were.
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
		in.rounded = grow(in.rounded, rows*width)
		in.values, in.stride = in.rounded, 4*width
		if v.Format == BF16x3 {
			in.low = grow(in.low, rows*width)
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

// begin says what the rows are that will be in in.
func (in *Input) begin(v Variant, rows, width int) {
	in.variant, in.product, in.rows, in.width, in.keep = v, v.product(), rows, width, Keep{}
}

// Len returns the number of rows.
func (in *Input) Len() int { return in.rows }

// Room makes in rows of v that are yet to be written, by Matrix.LinearGELUTo or by
// attention. Then Narrow makes them what products read.
func (in *Input) Room(v Variant, rows, width int) {
	in.begin(v, rows, width)
	if v.WritesInput() {
		in.narrowRows()
	} else {
		in.room = grow(in.room, rows*width)
	}
}

// WritesInput says whether v's kernels write what products read straight into an
// Input: then Narrow has nothing to do.
func (v Variant) WritesInput() bool { return v.Format == BF16 && v.product().Tiles }

// Narrow makes in what products read, of what was written since Room.
func (in *Input) Narrow(keep Keep) {
	if !in.variant.WritesInput() {
		in.Set(in.variant, in.room, in.rows, in.width, in.width, keep)
	}
}

// View makes in some rows of another Input that WritesInput says was written. They share
// their memory: in must not be Set.
func (in *Input) View(of *Input, first, rows int) {
	in.begin(of.variant, rows, of.width)
	in.stride = of.stride
	in.narrow = of.narrow[first*of.stride:]
}

// narrowRows makes room for narrow rows. Tiles read 16 of them from wherever a View
// begins, and pairs are read whole, whatever is there.
func (in *Input) narrowRows() {
	in.stride = in.variant.rowStride(in.width)
	rows := in.rows
	switch p := in.product; {
	case p.Tiles:
		rows += tileRows - 1
	case p.Pairs:
		rows = padded(rows, 2)
	}
	in.narrow = grow(in.narrow, rows*in.stride)
}

// fill returns a row of whole units. Beside what is filled up are weights of 0.
func (in *Input) fill(x []float32, value float32) []float32 {
	unit := in.product.Unit
	if len(x)&(unit-1) == 0 { // a power of two: this is asked of every row
		return x
	}
	in.wide = grow(in.wide, padded(len(x), unit))
	for i := copy(in.wide, x); i < len(in.wide); i++ {
		in.wide[i] = value
	}
	return in.wide
}

// begins returns where in narrow a row begins. Rows lie one after the other, or in
// pairs: a group of the one and a group of the other in turn.
func (in *Input) begins(row int) int {
	if p := in.product; p.Pairs && row%2 != 0 {
		return (row-1)*in.stride + p.Group*p.XBytes
	}
	return row * in.stride
}

// place returns where in narrow a value lies.
func (in *Input) place(row, c int) int {
	at := in.begins(row) + c*in.variant.xSize()
	if p := in.product; p.Pairs {
		at += c / p.Group * p.Group * p.XBytes // the other row's groups
	}
	return at
}

// at returns where a row begins.
func (in *Input) at(row int) unsafe.Pointer {
	if in.variant.Format == F32 {
		return unsafe.Pointer(&in.values[row*in.stride/4])
	}
	return unsafe.Pointer(&in.narrow[in.begins(row)])
}

// grow returns a slice of length n, s's memory where it is large enough. What
// is in it is garbage.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		s = make([]T, n, n+n/8) // the next may be a little larger
	}
	return s[:n]
}
