package kernels

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Matrix is a layer's weights and bias, packed for the kernels of one variant. The weights
// are in panels. A panel has as many outputs as a register tile, and within it the inputs
// follow one another (out/cols × steps × cols × group), so that a product reads it from
// front to back. A step is a group of inputs that one instruction multiplies: 1 for F32, 2
// or 4 for BF16, 2, 4 or 8 for Int8; for F16 a step is two inputs, one after the other. The
// last panel and the last steps are filled up with zeros.
//
// Its methods may be called from several goroutines.
type Matrix struct {
	variant Variant
	product *asm.Product // describes variant's kernel
	keep    []int        // channels that stay float32 in Int8
	in, out int
	tile    tileSize
	steps   int       // how many a panel has
	values  []float32 // F32; and Generic's BF16 and F16. Generic's are row-major, out×in
	narrow  []byte    // BF16, F16 and Int8
	columns []float32 // for each panel: the bias, or in Int8 all float32 terms, see packInt8
}

// tileSize is the size of the block of results that a kernel keeps in registers.
type tileSize struct{ rows, cols int }

// Pack packs a layer's weights for a variant. of says what is known of the inputs; only
// Int8 uses it.
//
//	w     out×in
//	bias  out
//
// Generic's F32 keeps w and bias themselves; all other variants copy them. The channels
// of.Keep must be those of the Keep with which the inputs are Set. Pack panics if the
// processor cannot run v.
func Pack(w, bias []float32, out, in int, v Variant, of Inputs) *Matrix {
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
		m.steps = padded(in, p.Unit) / 2 // two inputs, one after the other
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

// Bytes returns the memory that the packed weights take.
func (m *Matrix) Bytes() int {
	if m.variant == (Variant{Generic, F32}) {
		return 0
	}
	return 4*(len(m.values)+len(m.columns)) + len(m.narrow)
}

// Linear computes dst = x·wᵀ + bias. Rows of dst are dstStride values apart; there are as
// many as x has. x must have been Set for the matrix's variant.
//
// Each output is summed in a fixed order, which does not depend on the number of rows. In
// F32 it is the bias plus sums of sumBlock products, added from the left. BF16 does the
// same with rounded operands, except where instructions multiply whole matrices: there each
// output is one sum, rounded as those instructions do. In F16 the operands are halves, and
// so are the sums, of sumBlockF16 products each. In Int8 the integers' sum is exact.
func (m *Matrix) Linear(dst []float32, x *Input, dstStride int) {
	m.begin(x)
	m.linear(dst, x, 0, x.rows, dstStride, none)
}

// LinearGELU computes dst = GELU(x·wᵀ + bias); see Linear and Variant.GELU. It applies GELU
// to each tile while the tile is in the L1 cache.
func (m *Matrix) LinearGELU(dst []float32, x *Input, dstStride int) {
	m.begin(x)
	m.linear(dst, x, 0, x.rows, dstStride, gelu)
}

// LinearGELUTo computes GELU(x·wᵀ + bias) into next, the input of the next layer's product,
// in the format of m's variant. Afterwards next.Narrow must be called.
func (m *Matrix) LinearGELUTo(next, x *Input) {
	next.Room(m.variant, x.rows, m.out)
	switch {
	case !m.variant.WritesInput():
		m.LinearGELU(next.room, x, m.out)
	case x.rows > 0:
		m.begin(x)
		// The padding of a row is computed like outputs whose weights and biases are 0.
		m.linearTiles(unsafe.Pointer(&next.narrow[0]), m.padded(), x, 0, x.rows, next.stride/2, gelu, true)
	}
}

// LinearBF16 computes dst = x·wᵀ + bias, rounded to bfloat16 as RoundBF16 does; see Linear.
// It may be called only if the variant's WritesBF16 is true.
func (m *Matrix) LinearBF16(dst []uint16, x *Input, dstStride int) {
	if !m.variant.WritesBF16() {
		panic("kernels: no products in bfloat16 of " + m.variant.String())
	}
	m.begin(x)
	m.check("dst", len(dst), x.rows, dstStride, m.out)
	if x.rows > 0 {
		m.linearTiles(unsafe.Pointer(&dst[0]), m.out, x, 0, x.rows, dstStride, none, true)
	}
}

// WritesBF16 reports whether v's products can be rounded to bfloat16 while they are
// written.
func (v Variant) WritesBF16() bool { return v.product().Tiles && v.Format != BF16x3 }

// inputBlock is how much of x is multiplied by all panels before the next rows of x are: an
// amount that stays in the L2 cache beside a panel of weights.
const inputBlock = 384 << 10 // bytes

// blockRows returns how many rows of x make up an inputBlock, rounded to whole tiles.
func (m *Matrix) blockRows() int {
	tile := max(m.tile.rows, 1)
	return max(inputBlock/(4*m.in)/tile, 1) * tile
}

// begin checks that x was set for m, and multiplies the rests of x's kept rows (see Keep).
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

// linear multiplies rows first to first+rows of x.
func (m *Matrix) linear(dst []float32, x *Input, first, rows, dstStride int, act activation) {
	if rows == 0 {
		return
	}
	m.check("dst", len(dst), rows, dstStride, m.out)
	if m.variant.ISA == Generic {
		m.linearGeneric(dst, x, first, rows, dstStride, act)
		return
	}
	if m.product.Tiles {
		m.linearTiles(unsafe.Pointer(&dst[0]), m.out, x, first, rows, dstStride, act, false)
		return
	}
	step := m.blockRows()
	for r := 0; r < rows; r += step {
		m.block(dst[r*dstStride:], x, first+r, min(step, rows-r), dstStride, act)
	}
}

// panel locates one panel of a matrix in memory.
type panel struct {
	first   int // index of its first output
	weights unsafe.Pointer
	bytes   int // of its weights
	columns *float32
	terms   int // Int8: the number of float32 terms, see gemmInt8 in package asm
}

// panels returns the number of panels.
func (m *Matrix) panels() int { return (m.out + m.tile.cols - 1) / m.tile.cols }

// padded returns the number of outputs, those that fill up the last panel included.
func (m *Matrix) padded() int { return m.panels() * m.tile.cols }

// panel returns the i-th panel.
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

// prefetchTiles is how many tiles share the work of fetching the next panel into the L2
// cache: at each of its steps a tile fetches 48 bytes.
const prefetchTiles = 4

// block multiplies rows first to first+rows of x by every panel.
func (m *Matrix) block(dst []float32, x *Input, first, rows, dstStride int, act activation) {
	last := m.panels() - 1
	next := m.panel(0)
	for i := range last + 1 {
		p := next
		if i < last {
			next = m.panel(i + 1)
		}
		for r, t := 0, 0; r < rows; t++ {
			// Divide the rows evenly among the tiles that they need.
			tiles := (rows - r + m.tile.rows - 1) / m.tile.rows
			n := (rows - r + tiles - 1) / tiles
			if m.product.Pairs {
				n = min(n+n%2, rows-r)
			}
			// The first prefetchTiles tiles fetch the next panel, each a part of it.
			fetch := p.weights
			if t < prefetchTiles && i < last {
				fetch = unsafe.Add(next.weights, t*(p.bytes/prefetchTiles))
			}
			if p.first+m.tile.cols <= m.out {
				m.tileTo(dst[r*dstStride+p.first:], dstStride, x, first+r, n, &p, fetch, act)
			} else {
				m.narrowTo(dst[r*dstStride+p.first:], dstStride, x, first+r, n, &p, fetch, act)
			}
			r += n
		}
	}
}

// tileTo computes one tile of the product.
func (m *Matrix) tileTo(dst []float32, dstStride int, x *Input, row, rows int, p *panel, fetch unsafe.Pointer, act activation) {
	perRow := (*float32)(nil)
	if m.variant.Format == Int8 {
		perRow = &x.perRow[rowTerms*row]
	}
	asm.Gemm(asm.ISA(m.variant.ISA), asm.Format(m.variant.Format), rows, &dst[0], 4*dstStride, x.at(row), x.stride, p.weights, p.columns, m.steps, fetch, perRow, p.terms)
	if len(x.keep.Rows) > 0 {
		x.addRest(dst, dstStride, row, rows, p.first, min(m.tile.cols, m.out-p.first), m.out)
	}
	act.tile(m.variant, &dst[0], 4*dstStride, rows, m.tile.cols)
}

// narrowTo computes one tile of the last panel, not all columns of which are outputs: it
// goes through a tile on the stack.
func (m *Matrix) narrowTo(dst []float32, dstStride int, x *Input, row, rows int, p *panel, fetch unsafe.Pointer, act activation) {
	var tile [asm.MaxTile]float32
	m.tileTo(tile[:], m.tile.cols, x, row, rows, p, fetch, act)
	for r := range rows {
		copy(dst[r*dstStride:][:m.out-p.first], tile[r*m.tile.cols:])
	}
}

// check panics if a matrix of that size does not fit into a slice of that length.
func (m *Matrix) check(name string, length, rows, stride, width int) {
	if rows < 0 || stride < width || length < (rows-1)*stride+width {
		panic(fmt.Sprintf("kernels: %s: %d values, want %d rows of %d, %d apart", name, length, rows, width, stride))
	}
}
