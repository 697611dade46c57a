package kernels

import (
	"fmt"
	"slices"
	"unsafe"
)

// Matrix is a layer's weights and bias, laid out once for the kernels of one
// variant: panels of as many outputs as fit a register tile, the inputs one after
// the other within a panel (out/cols × steps × cols × group), so that a product
// reads them from front to back. A step is a group of inputs that are multiplied
// at once: 1 for F32, 2 for BF16, 4 or 2 for Int8; for F16 it is two inputs, one
// after the other. What fills up the last panel
// and the last steps is zero.
//
// Its methods may be called from several goroutines.
type Matrix struct {
	variant Variant
	keep    []int // channels
	in, out int
	tile    tileSize
	steps   int       // in a panel
	values  []float32 // F32, and Generic's BF16 and F16, which are row-major out×in as Generic's F32
	narrow  []byte    // BF16, F16 and Int8
	columns []float32 // of each panel: the bias, or what gemmInt8 wants
}

// tileSize is the block of outputs that a kernel keeps in registers.
type tileSize struct{ rows, cols int }

// Pack lays out a layer's weights for a variant.
//
//	w     out×in
//	bias  out
//
// For Generic's F32 it keeps w and bias themselves; otherwise it copies them. Keep
// are the channels, at most MostChannels, that stay float32 where the others are
// Int8: those of the Keep that its inputs are Set with. It panics if the processor
// does not run v.
func Pack(w, bias []float32, out, in int, v Variant, keep []int) *Matrix {
	if err := v.Check(); err != nil {
		panic(err.Error())
	}
	w, bias = w[:out*in:out*in], bias[:out:out]
	m := &Matrix{variant: v, in: in, out: out, tile: tileOf(v)}
	switch {
	case v.ISA == Generic:
		m.packGeneric(w, bias, keep)
	case v.Format == F32:
		m.steps = in
		m.packF32(w, bias)
	case v.Format == BF16:
		m.steps = padded(in) / 2
		m.packBF16(w, bias)
	case v.Format == F16:
		m.steps = padded(in) / 2
		m.packF16(w, bias)
	default:
		m.steps = padded(in) / v.group()
		m.packInt8(w, bias, keep)
	}
	return m
}

// In returns the number of inputs of the layer.
func (m *Matrix) In() int { return m.in }

// Out returns the number of outputs of the layer.
func (m *Matrix) Out() int { return m.out }

// Bytes returns the memory that Pack took.
func (m *Matrix) Bytes() int {
	if m.variant == (Variant{Generic, F32}) {
		return 0
	}
	return 4*(len(m.values)+len(m.columns)) + len(m.narrow)
}

// Linear computes dst = x·wᵀ + bias, rows of dst dstStride values apart. x has
// been Set for the matrix's variant; dst has as many rows.
//
// For F32 each output is the bias plus sums of sumBlock products, added from the
// left; for BF16 so too, of operands that are rounded; for F16 too, but that the
// operands and the sums, of sumBlockF16 products, are halves; for Int8 it is what
// the integers' exact sum gives. It does not depend on the number of rows.
func (m *Matrix) Linear(dst []float32, x *Input, dstStride int) {
	m.begin(x)
	m.linear(dst, x, 0, x.rows, dstStride, false)
}

// LinearGELU computes dst = GELU(x·wᵀ + bias), see Linear and Variant.GELU. A tile
// goes through GELU while it is in the L1 cache.
func (m *Matrix) LinearGELU(dst []float32, x *Input, dstStride int) {
	m.begin(x)
	m.linear(dst, x, 0, x.rows, dstStride, true)
}

// LinearAddNorm replaces each row of x by LayerNorm(x + h·wᵀ + bias).
//
//	x        rows×out
//	h        rows, Set for the matrix's variant
//	scratch  at least out values, best Scratch(rows)
//
// As many rows go through both steps at a time as scratch holds.
func (m *Matrix) LinearAddNorm(x []float32, h *Input, n *Norm, scratch []float32) {
	m.check("x", len(x), h.rows, m.out, m.out)
	m.check("scratch", len(scratch), 1, m.out, m.out)
	if len(n.Gain) != m.out || len(n.Bias) != m.out {
		panic(fmt.Sprintf("kernels: norm of %d gains and %d biases, want %d", len(n.Gain), len(n.Bias), m.out))
	}
	m.begin(h)
	step := len(scratch) / m.out
	for r := 0; r < h.rows; r += step {
		part := min(step, h.rows-r)
		m.linear(scratch, h, r, part, m.out, false)
		m.variant.ISA.AddNorm(x[r*m.out:], scratch, n, part)
	}
}

// Scratch returns how many values LinearAddNorm can use for that many rows.
func (m *Matrix) Scratch(rows int) int { return min(rows, m.blockRows()) * m.out }

// inputBlock is how much of x is multiplied by all panels before the next rows
// are: it stays in the L2 cache beside a panel of weights.
const inputBlock = 384 << 10 // bytes

// blockRows returns how many rows of x are an inputBlock, in whole tiles.
func (m *Matrix) blockRows() int {
	tile := max(m.tile.rows, 1)
	return max(inputBlock/(4*m.in)/tile, 1) * tile
}

// begin checks that x is for m, and multiplies what its kept rows lost.
func (m *Matrix) begin(x *Input) {
	if x.variant != m.variant || x.width != m.in {
		panic(fmt.Sprintf("kernels: input of %d values for %v, want %d for %v", x.width, x.variant, m.in, m.variant))
	}
	if x.rows > 0 && !slices.Equal(x.keep.Channels, m.keep) {
		panic(fmt.Sprintf("kernels: input keeps channels %d, the matrix %d", x.keep.Channels, m.keep))
	}
	x.multiplyRest(m)
}

// linear multiplies some rows of x.
func (m *Matrix) linear(dst []float32, x *Input, first, rows, dstStride int, gelu bool) {
	if rows == 0 {
		return
	}
	m.check("dst", len(dst), rows, dstStride, m.out)
	if m.variant.ISA == Generic {
		m.linearGeneric(dst, x, first, rows, dstStride, gelu)
		return
	}
	step := m.blockRows()
	for r := 0; r < rows; r += step {
		m.block(dst[r*dstStride:], x, first+r, min(step, rows-r), dstStride, gelu)
	}
}

// block multiplies some rows by every panel.
func (m *Matrix) block(dst []float32, x *Input, first, rows, dstStride int, gelu bool) {
	cols := m.tile.cols
	for o := 0; o < m.out; o += cols {
		for r, t := 0, 0; r < rows; t++ {
			// The rows are shared out evenly over the tiles that they need.
			tiles := (rows - r + m.tile.rows - 1) / m.tile.rows
			n := (rows - r + tiles - 1) / tiles
			// The first tiles fetch the next panel, each a part of it.
			next := m.panel(o, 0)
			if t < prefetchTiles && o+cols < m.out {
				next = m.panel(o+cols, t)
			}
			if o+cols <= m.out {
				m.tileTo(dst[r*dstStride+o:], dstStride, x, first+r, n, o, next, gelu)
			} else {
				m.narrowTo(dst[r*dstStride+o:], dstStride, x, first+r, n, o, next, gelu)
			}
			r += n
		}
	}
}

// prefetchTiles is how many tiles it takes to fetch a panel into the L2 cache:
// a tile fetches 48 bytes beside each of its steps.
const prefetchTiles = 4

// panel returns where the given part, of prefetchTiles, of an output's panel is.
func (m *Matrix) panel(o, part int) unsafe.Pointer {
	if m.variant.Format == F32 {
		size := m.tile.cols * m.steps
		return unsafe.Pointer(&m.values[o/m.tile.cols*size+part*size/prefetchTiles])
	}
	size := len(m.narrow) / (m.padded() / m.tile.cols)
	return unsafe.Pointer(&m.narrow[o/m.tile.cols*size+part*size/prefetchTiles])
}

// padded returns the number of outputs of all panels.
func (m *Matrix) padded() int { return (m.out + m.tile.cols - 1) / m.tile.cols * m.tile.cols }

// tileTo multiplies a tile.
func (m *Matrix) tileTo(dst []float32, dstStride int, x *Input, row, rows, o int, next unsafe.Pointer, gelu bool) {
	columns, ofRows, terms := &m.columns[o*len(m.columns)/m.padded()], (*float32)(nil), 0
	if m.variant.Format == Int8 {
		ofRows, terms = &x.ofRows[rowTerms*row], fewTerms
		if len(m.keep) > 0 {
			terms = mostTerms
		}
	}
	gemm(m.variant, rows, &dst[0], 4*dstStride, x.at(row), x.stride, m.panel(o, 0), columns, m.steps, next, ofRows, terms)
	if len(x.keep.Rows) > 0 {
		x.addRest(dst, dstStride, row, rows, o, min(m.tile.cols, m.out-o), m.out)
	}
	if gelu {
		geluTile(m.variant, &dst[0], 4*dstStride, rows)
	}
}

// narrowTo multiplies a tile of the last panel, of which not all columns are
// outputs.
func (m *Matrix) narrowTo(dst []float32, dstStride int, x *Input, row, rows, o int, next unsafe.Pointer, gelu bool) {
	var tile [maxTile]float32
	m.tileTo(tile[:], m.tile.cols, x, row, rows, o, next, gelu)
	for r := range rows {
		copy(dst[r*dstStride:][:m.out-o], tile[r*m.tile.cols:])
	}
}

// maxTile is the largest tile of all instruction sets.
const maxTile = 8 * 48

// check panics if a matrix does not lie within a slice.
func (m *Matrix) check(name string, length, rows, stride, width int) {
	if rows < 0 || stride < width || length < (rows-1)*stride+width {
		panic(fmt.Sprintf("kernels: %s: %d values, want %d rows of %d, %d apart", name, length, rows, width, stride))
	}
}
