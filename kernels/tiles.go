package kernels

import (
	"math"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
	"github.com/minilm-metal/minilm-metal/kernels/internal/reuse"
)

// A product on tiles (asm.Linear) multiplies rows by a whole matrix at once. A panel is 32
// outputs wide. A step is 64 bytes of each output's inputs, in two tiles: one of the first
// 16 outputs, one of the last. A tile has a row for each group of 4 bytes.
const (
	tileRows  = 16
	tileBytes = 1 << 10
	stepBytes = 64
)

// placeTiles copies an output's inputs, whole steps of them, into column c of a panel. If
// the format has two parts, row holds the high parts of a step and then its low parts, as a
// row of x does, and their tiles follow one another in the same way.
func (m *Matrix) placeTiles(panel []byte, c int, row []byte) {
	at := c/tileRows*tileBytes + c%tileRows*4
	for ; len(row) > 0; at += 2 * tileBytes {
		for g := range tileRows {
			*(*[4]byte)(panel[at+g*stepBytes:]) = [4]byte(row[4*g:])
		}
		row = row[stepBytes:]
	}
}

// packSplit packs panels of BF16x3: for each step the high parts, then the low parts.
func (m *Matrix) packSplit(w, bias []float32) {
	m.narrow, m.columns = aligned[byte](m.padded()*m.rowBytes()), aligned[float32](m.padded())
	copy(m.columns, bias)
	const step = stepBytes / 2 // values of a part
	row := make([]uint16, m.rowBytes()/2)
	for o := range m.out {
		for i, v := range w[o*m.in:][:m.in] {
			high, low := split(v)
			at := i/step*2*step + i%step
			row[at], row[at+step] = uint16(math.Float32bits(high)>>16), uint16(math.Float32bits(low)>>16)
		}
		m.place(o, bytesOf(row), 4)
	}
}

// linearTiles multiplies rows first to first+rows of x for the first out outputs, and
// applies act to the results. dst is bfloat16 if narrow is true, else float32.
func (m *Matrix) linearTiles(dst unsafe.Pointer, out int, x *Input, first, rows, dstStride int, act activation, narrow bool) {
	linear, size := act.tileProduct(narrow)
	if x.sums == nil {
		x.sums = aligned[float32](tileBytes)
	}
	var perRow, rest *float32
	var rests *int
	terms := fewTerms
	if m.variant.Format == Int8 {
		perRow, rests, rest = &x.perRow[rowTerms*first], &x.rests[first], &x.products[0]
		if len(m.keep) > 0 {
			terms = mostTerms
		}
	}
	linear(asm.ISA(m.variant.ISA), asm.Format(m.variant.Format), rows, out, dst, size*dstStride, x.at(first), x.stride,
		unsafe.Pointer(&m.narrow[0]), m.steps, &m.columns[0], &x.sums[0], perRow, terms, rests, rest)
}

// restTiles multiplies the rounding errors of x's kept rows by all of m. The first row of
// products is negative zeros, which change nothing when added; then comes a row for each
// kept row. rests says, for each row of x, which of these rows is added to it.
func (x *Input) restTiles(m *Matrix) {
	width := m.padded()
	x.rests = reuse.Slice(x.rests, x.rows)
	clear(x.rests)
	if n := (1 + len(x.keep.Rows)) * width; cap(x.products) < n || x.zeros < width {
		x.products = reuse.Slice(x.products, n)
		x.zeros = width
		for i := range x.products[:width] {
			x.products[i] = float32(math.Copysign(0, -1))
		}
	} else {
		x.products = x.products[:n]
	}
	if len(x.keep.Rows) == 0 {
		return
	}
	for i, r := range x.keep.Rows {
		x.rests[r] = (1 + i) * width * 4
	}
	x.zeros = width // the padding of this matrix's products overwrites the rest of the zeros
	x.rest.restTiles(m)
	m.linearTiles(unsafe.Pointer(&x.products[width]), m.out, x.rest, 0, x.rest.rows, width, none, false)
}
