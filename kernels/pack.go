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

// The terms of an Int8 product that are float32: the bias and the offset, and the
// channels that are kept.
const (
	fewTerms  = 2
	mostTerms = fewTerms + MostChannels
)

// packInt8 lays out what gemmInt8 reads: the weights in panels, and of each
// panel's columns the start of the sums, the scale, the bias, the scale times the
// sum of the weights, and the weights of the channels that are kept.
func (m *Matrix) packInt8(w, bias []float32, keep []int) {
	m.keep = keep
	cols, group, said := m.tile.cols, m.variant.product().Group, 2+fewTerms
	if len(keep) > 0 {
		said = 2 + mostTerms
	}
	m.narrow, m.columns = aligned[byte](m.padded()*m.steps*group), aligned[float32](said*m.padded())
	row, q := make([]float32, m.in), make([]int8, m.steps*group)
	for o := range m.out {
		panel, c := m.narrow[o/cols*cols*m.steps*group:], o%cols
		of := m.columns[o/cols*cols*said:]
		copy(row, w[o*m.in:])
		for i, channel := range keep {
			of[(2+fewTerms+i)*cols+c], row[channel] = row[channel], 0
		}
		scale, sum := quantizeWeights(q[:m.in], row)
		// A group's bytes at a time: packing is much of what opening a model takes.
		bytes := unsafe.Slice((*byte)(unsafe.Pointer(&q[0])), len(q))
		if group == 4 {
			for at := c * 4; len(bytes) > 0; at += cols * 4 {
				*(*[4]byte)(panel[at:]), bytes = [4]byte(bytes), bytes[4:]
			}
		} else {
			for at := c * 2; len(bytes) > 0; at += cols * 2 {
				*(*[2]byte)(panel[at:]), bytes = [2]byte(bytes), bytes[2:]
			}
		}
		if m.variant.product().Unsigned {
			of[c] = math.Float32frombits(uint32(-128 * sum))
		}
		of[cols+c], of[2*cols+c], of[3*cols+c] = scale, bias[o], scale*float32(sum)
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
