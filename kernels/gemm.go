package kernels

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Matrix is a layer's weights and bias, laid out once for the kernels of one
// variant: panels of as many outputs as fit a register tile, the inputs one after
// the other within a panel (out/cols × steps × cols × group), so that a product
// reads them from front to back. A step is a group of inputs that are multiplied
// at once: 1 for F32, 2 or 4 for BF16, 2, 4 or 8 for Int8; for F16 it is two inputs, one
// after the other. What fills up the last panel and the last steps is zero.
//
// Its methods may be called from several goroutines.
type Matrix struct {
	variant Variant
	product *asm.Product // how variant multiplies
	keep    []int        // channels
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
// Int8, spread as rows are: those of the Keep that its inputs are Set with. It panics if the processor
// does not run v.
func Pack(w, bias []float32, out, in int, v Variant, keep []int) *Matrix {
	return PackFor(w, bias, out, in, v, Inputs{Keep: keep})
}

// PackFor is Pack, told more of the inputs, which counts for Int8 alone.
func PackFor(w, bias []float32, out, in int, v Variant, of Inputs) *Matrix {
	if err := v.Check(); err != nil {
		panic(err.Error())
	}
	w, bias = w[:out*in:out*in], bias[:out:out]
	p := v.product()
	m := &Matrix{variant: v, product: p, in: in, out: out, tile: tileSize{p.Rows, p.Cols}}
	switch {
	case v.ISA == Generic:
	case p.Tiles:
		m.steps = padded(in, p.Unit) / p.Unit
	case v.Format == F16:
		m.steps = padded(in, p.Unit) / 2 // one after the other
	default:
		m.steps = padded(in, p.Unit) / p.Group
	}
	switch {
	case v.ISA == Generic:
		m.packGeneric(w, bias, of)
	case v.Format == F32:
		m.packF32(w, bias)
	case v.Format == BF16:
		m.packBF16(w, bias)
	case v.Format == F16:
		m.packF16(w, bias)
	case v.Format == BF16x3:
		m.packSplit(w, bias)
	default:
		m.packInt8(w, bias, of)
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
// left; for BF16 so too, of operands that are rounded, but where instructions multiply
// matrices: there it is one sum, rounded as they do; for F16 too, but that the operands
// and the sums, of sumBlockF16 products, are halves; for Int8 it is what the integers'
// exact sum gives. It does not depend on the number of rows.
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

// LinearGELUTo makes next, after its Narrow, what the next layer multiplies:
// GELU(x·wᵀ + bias), in the format of m's variant.
func (m *Matrix) LinearGELUTo(next, x *Input) {
	next.Room(m.variant, x.rows, m.out)
	switch {
	case !m.variant.WritesInput():
		m.LinearGELU(next.room, x, m.out)
	case x.rows > 0:
		m.begin(x)
		// What fills up the rows are outputs of weights and biases that are 0.
		m.linearTiles(unsafe.Pointer(&next.narrow[0]), m.padded(), x, 0, x.rows, next.stride/2, true, true)
	}
}

// LinearBF16 computes dst = bfloat16(x·wᵀ + bias), rounded as RoundBF16 does, see
// Linear. It is there where the variant's WritesBF16 says so.
func (m *Matrix) LinearBF16(dst []uint16, x *Input, dstStride int) {
	if !m.variant.WritesBF16() {
		panic("kernels: no products in bfloat16 of " + m.variant.String())
	}
	m.begin(x)
	m.check("dst", len(dst), x.rows, dstStride, m.out)
	if x.rows > 0 {
		m.linearTiles(unsafe.Pointer(&dst[0]), m.out, x, 0, x.rows, dstStride, false, true)
	}
}

// WritesBF16 says whether products of v can be rounded to bfloat16 as they are
// written.
func (v Variant) WritesBF16() bool { return v.product().Tiles && v.Format != BF16x3 }

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
	if m.product.Tiles && m.variant.Format == Int8 {
		x.restTiles(m)
	} else {
		x.multiplyRest(m)
	}
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
	if m.product.Tiles {
		m.linearTiles(unsafe.Pointer(&dst[0]), m.out, x, first, rows, dstStride, gelu, false)
		return
	}
	step := m.blockRows()
	for r := 0; r < rows; r += step {
		m.block(dst[r*dstStride:], x, first+r, min(step, rows-r), dstStride, gelu)
	}
}

// panel is some outputs' part of a matrix, in memory.
type panel struct {
	first   int // output
	weights unsafe.Pointer
	bytes   int // of weights
	columns *float32
	terms   int // Int8: what is float32, see package asm's gemmInt8
}

// panels returns how many there are.
func (m *Matrix) panels() int { return (m.out + m.tile.cols - 1) / m.tile.cols }

// padded returns the number of outputs of all panels.
func (m *Matrix) padded() int { return m.panels() * m.tile.cols }

// panel returns the i-th.
func (m *Matrix) panel(i int) panel {
	n := m.panels()
	p := panel{first: i * m.tile.cols, columns: &m.columns[i*(len(m.columns)/n)]}
	if m.variant.Format == F32 {
		size := len(m.values) / n
		p.weights, p.bytes = unsafe.Pointer(&m.values[i*size]), 4*size
	} else {
		p.bytes = len(m.narrow) / n
		p.weights = unsafe.Pointer(&m.narrow[i*p.bytes])
	}
	if p.terms = fewTerms; len(m.keep) > 0 {
		p.terms = mostTerms
	}
	return p
}

// prefetchTiles is how many tiles it takes to fetch a panel into the L2 cache:
// a tile fetches 48 bytes beside each of its steps.
const prefetchTiles = 4

// block multiplies some rows by every panel.
func (m *Matrix) block(dst []float32, x *Input, first, rows, dstStride int, gelu bool) {
	last := m.panels() - 1
	next := m.panel(0)
	for i := range last + 1 {
		p := next
		if i < last {
			next = m.panel(i + 1)
		}
		for r, t := 0, 0; r < rows; t++ {
			// The rows are shared out evenly over the tiles that they need.
			tiles := (rows - r + m.tile.rows - 1) / m.tile.rows
			n := (rows - r + tiles - 1) / tiles
			if m.product.Pairs {
				n = min(n+n%2, rows-r)
			}
			// The first tiles fetch the next panel, each a part of it.
			fetch := p.weights
			if t < prefetchTiles && i < last {
				fetch = unsafe.Add(next.weights, t*(p.bytes/prefetchTiles))
			}
			if p.first+m.tile.cols <= m.out {
				m.tileTo(dst[r*dstStride+p.first:], dstStride, x, first+r, n, &p, fetch, gelu)
			} else {
				m.narrowTo(dst[r*dstStride+p.first:], dstStride, x, first+r, n, &p, fetch, gelu)
			}
			r += n
		}
	}
}

// tileTo multiplies a tile.
func (m *Matrix) tileTo(dst []float32, dstStride int, x *Input, row, rows int, p *panel, fetch unsafe.Pointer, gelu bool) {
	ofRows := (*float32)(nil)
	if m.variant.Format == Int8 {
		ofRows = &x.ofRows[rowTerms*row]
	}
	asm.Gemm(asm.ISA(m.variant.ISA), asm.Format(m.variant.Format), rows, &dst[0], 4*dstStride, x.at(row), x.stride, p.weights, p.columns, m.steps, fetch, ofRows, p.terms)
	if len(x.keep.Rows) > 0 {
		x.addRest(dst, dstStride, row, rows, p.first, min(m.tile.cols, m.out-p.first), m.out)
	}
	if gelu {
		m.variant.geluTile(&dst[0], 4*dstStride, rows, m.tile.cols)
	}
}

// narrowTo multiplies a tile of the last panel, of which not all columns are
// outputs.
func (m *Matrix) narrowTo(dst []float32, dstStride int, x *Input, row, rows int, p *panel, fetch unsafe.Pointer, gelu bool) {
	var tile [asm.MaxTile]float32
	m.tileTo(tile[:], m.tile.cols, x, row, rows, p, fetch, gelu)
	for r := range rows {
		copy(dst[r*dstStride:][:m.out-p.first], tile[r*m.tile.cols:])
	}
}

// check panics if a matrix does not lie within a slice.
func (m *Matrix) check(name string, length, rows, stride, width int) {
	if rows < 0 || stride < width || length < (rows-1)*stride+width {
		panic(fmt.Sprintf("kernels: %s: %d values, want %d rows of %d, %d apart", name, length, rows, width, stride))
	}
}
