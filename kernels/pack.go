package kernels

import (
	"encoding/binary"
	"math"
	"unsafe"
)

func (m *Matrix) packF32(w, bias []float32) {
	cols := m.tile.cols
	m.values, m.columns = aligned[float32](m.padded()*m.in), aligned[float32](m.padded())
	copy(m.columns, bias)
	for o := range m.out {
		panel, c := m.values[o/cols*cols*m.in:], o%cols
		for i, v := range w[o*m.in:][:m.in] {
			panel[i*cols+c] = v
		}
	}
}

func (m *Matrix) packBF16(w, bias []float32) {
	m.narrow, m.columns = aligned[byte](m.padded()*m.steps*4), aligned[float32](m.padded())
	copy(m.columns, bias)
	cols := m.tile.cols
	for o := range m.out {
		panel, c := m.narrow[o/cols*cols*m.steps*4:], o%cols
		for i, v := range w[o*m.in:][:m.in] {
			half := uint16(math.Float32bits(roundBF16(v)) >> 16)
			binary.LittleEndian.PutUint16(panel[(i/2*cols+c)*4+i%2*2:], half)
		}
	}
}

// packInt8 lays out what gemmInt8 reads: the weights in panels, and of each
// panel's columns the start of the sums, the scale, scale times the sum of the
// weights, and the bias.
func (m *Matrix) packInt8(w, bias []float32) {
	cols, group := m.tile.cols, m.variant.group()
	m.narrow, m.columns = aligned[byte](m.padded()*m.steps*group), aligned[float32](4*m.padded())
	row := make([]int8, m.in)
	for o := range m.out {
		panel, c := m.narrow[o/cols*cols*m.steps*group:], o%cols
		scale, sum := quantizeWeights(row, w[o*m.in:][:m.in])
		for i, q := range row {
			panel[(i/group*cols+c)*group+i%group] = byte(q)
		}
		of := m.columns[o/cols*cols*4:]
		if m.variant.unsigned() {
			of[c] = math.Float32frombits(uint32(-128 * sum))
		}
		of[cols+c], of[2*cols+c], of[3*cols+c] = scale, scale*float32(sum), bias[o]
	}
}

// aligned returns n zeros that begin at a multiple of 64 bytes, a cache line
// and the widest register.
func aligned[T float32 | byte](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	s := make([]T, n+64/size-1)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(s)))/uintptr(size)) & (64/size - 1)
	return s[skip:][:n:n]
}
