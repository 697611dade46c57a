package kernels

import (
	"fmt"
	"slices"
	"unsafe"
)

// Matrix is a layer's weights and bias, laid out once for the kernels of one
// instruction set: panels of as many outputs as fit a register tile, the inputs
// one after the other within a panel (out/cols × in × cols), so that a product
// reads them from front to back. The last panel is filled up with zeros.
//
// Its methods may be called from several goroutines.
type Matrix struct {
	isa     ISA
	in, out int
	tile    tileSize
	panels  []float32 // row-major out×in for Generic
	bias    []float32 // as many as panels have columns
}

// tileSize is the block of outputs that a kernel keeps in registers.
type tileSize struct{ rows, cols int }

// Pack lays out a layer's weights for isa.
//
//	w     out×in
//	bias  out
//
// For Generic it keeps w and bias themselves; otherwise it copies them. It
// panics if the processor does not run isa.
func Pack(w, bias []float32, out, in int, isa ISA) *Matrix {
	if !slices.Contains(Available(), isa) {
		panic("kernels: this processor or build does not run " + isa.String())
	}
	w, bias = w[:out*in:out*in], bias[:out:out]
	m := &Matrix{isa: isa, in: in, out: out, tile: tileOf(isa), panels: w, bias: bias}
	if isa == Generic {
		return m
	}
	cols := m.tile.cols
	padded := (out + cols - 1) / cols * cols
	m.panels, m.bias = aligned(padded*in), aligned(padded)
	copy(m.bias, bias)
	for o := range out {
		panel, c := m.panels[o/cols*cols*in:], o%cols
		for i, v := range w[o*in:][:in] {
			panel[i*cols+c] = v
		}
	}
	return m
}

// In returns the number of inputs of the layer.
func (m *Matrix) In() int { return m.in }

// Out returns the number of outputs of the layer.
func (m *Matrix) Out() int { return m.out }

// Bytes returns the memory that Pack took.
func (m *Matrix) Bytes() int {
	if m.isa == Generic {
		return 0
	}
	return 4 * (len(m.panels) + len(m.bias))
}

// Linear computes dst = x·wᵀ + bias.
//
//	dst  rows×out, rows dstStride apart
//	x    rows×in, rows xStride apart
//
// Each output is the bias plus sums of sumBlock products, added from the left;
// it does not depend on the number of rows.
func (m *Matrix) Linear(dst, x []float32, rows, dstStride, xStride int) {
	m.linear(dst, x, rows, dstStride, xStride, false)
}

// LinearGELU computes dst = GELU(x·wᵀ + bias), see Linear and ISA.GELU. A tile
// goes through GELU while it is in the L1 cache.
func (m *Matrix) LinearGELU(dst, x []float32, rows, dstStride, xStride int) {
	m.linear(dst, x, rows, dstStride, xStride, true)
}

// LinearAddNorm replaces each row of x by LayerNorm(x + h·wᵀ + bias).
//
//	x        rows×out
//	h        rows×in
//	scratch  at least out values, best Scratch(rows)
//
// As many rows go through both steps at a time as scratch holds.
func (m *Matrix) LinearAddNorm(x, h []float32, rows int, n *Norm, scratch []float32) {
	m.check("x", len(x), rows, m.out, m.out)
	m.check("h", len(h), rows, m.in, m.in)
	m.check("scratch", len(scratch), 1, m.out, m.out)
	if len(n.Gain) != m.out || len(n.Bias) != m.out {
		panic(fmt.Sprintf("kernels: norm of %d gains and %d biases, want %d", len(n.Gain), len(n.Bias), m.out))
	}
	step := len(scratch) / m.out
	for r := 0; r < rows; r += step {
		part := min(step, rows-r)
		m.Linear(scratch, h[r*m.in:], part, m.out, m.in)
		m.isa.AddNorm(x[r*m.out:], scratch, n, part)
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

func (m *Matrix) linear(dst, x []float32, rows, dstStride, xStride int, gelu bool) {
	if rows == 0 {
		return
	}
	m.check("dst", len(dst), rows, dstStride, m.out)
	m.check("x", len(x), rows, xStride, m.in)
	if m.isa == Generic {
		m.linearGeneric(dst, x, rows, dstStride, xStride, gelu)
		return
	}
	step := m.blockRows()
	for r := 0; r < rows; r += step {
		m.block(dst[r*dstStride:], x[r*xStride:], min(step, rows-r), dstStride, xStride, gelu)
	}
}

// block multiplies some rows by every panel.
func (m *Matrix) block(dst, x []float32, rows, dstStride, xStride int, gelu bool) {
	cols, size := m.tile.cols, m.tile.cols*m.in
	for o := 0; o < m.out; o += cols {
		panel, bias := m.panels[o*m.in:][:size], m.bias[o:][:cols]
		for r, t := 0, 0; r < rows; t++ {
			// The rows are shared out evenly over the tiles that they need.
			tiles := (rows - r + m.tile.rows - 1) / m.tile.rows
			n := (rows - r + tiles - 1) / tiles
			// The first tiles fetch the next panel, each a part of it.
			next := &panel[0]
			if t < prefetchTiles && o+cols < m.out {
				next = &m.panels[(o+cols)*m.in+t*size/prefetchTiles]
			}
			if o+cols <= m.out {
				gemm(m.isa, n, &dst[r*dstStride+o], 4*dstStride, &x[r*xStride], 4*xStride, &panel[0], &bias[0], m.in, next)
				if gelu {
					geluTile(m.isa, &dst[r*dstStride+o], 4*dstStride, n)
				}
			} else {
				m.narrow(dst[r*dstStride+o:], x[r*xStride:], n, dstStride, xStride, panel, bias, m.out-o, gelu)
			}
			r += n
		}
	}
}

// prefetchTiles is how many tiles it takes to fetch a panel into the L2 cache:
// a tile fetches 48 bytes beside each of its rows of weights.
const prefetchTiles = 4

// narrow multiplies a tile by the last panel, of which only out columns are
// outputs.
func (m *Matrix) narrow(dst, x []float32, rows, dstStride, xStride int, panel, bias []float32, out int, gelu bool) {
	var tile [maxTile]float32
	cols := m.tile.cols
	gemm(m.isa, rows, &tile[0], 4*cols, &x[0], 4*xStride, &panel[0], &bias[0], m.in, &panel[0])
	if gelu {
		geluTile(m.isa, &tile[0], 4*cols, rows)
	}
	for r := range rows {
		copy(dst[r*dstStride:][:out], tile[r*cols:])
	}
}

// maxTile is the largest tile of all instruction sets.
const maxTile = 8 * 48

func (m *Matrix) linearGeneric(dst, x []float32, rows, dstStride, xStride int, gelu bool) {
	if rows > 1 && (dstStride != m.out || xStride != m.in) {
		for r := range rows {
			m.linearGeneric(dst[r*dstStride:], x[r*xStride:], 1, m.out, m.in, gelu)
		}
		return
	}
	Linear(dst, x, m.panels, m.bias, rows, m.in, m.out)
	if gelu {
		GELU(dst[:rows*m.out])
	}
}

// check panics if a matrix does not lie within a slice.
func (m *Matrix) check(name string, length, rows, stride, width int) {
	if rows < 0 || stride < width || length < (rows-1)*stride+width {
		panic(fmt.Sprintf("kernels: %s: %d values, want %d rows of %d, %d apart", name, length, rows, width, stride))
	}
}

// aligned returns n zeros that begin at a multiple of 64 bytes, a cache line
// and the widest register.
func aligned(n int) []float32 {
	s := make([]float32, n+15)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(s)))/4) & 15
	return s[skip:][:n:n]
}
