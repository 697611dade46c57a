package kernels

import (
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

// packBF16 packs panels of bfloat16.
func (m *Matrix) packBF16(w, bias []float32) {
	m.narrow, m.columns = aligned[byte](m.padded()*m.rowBytes()), aligned[float32](m.padded())
	copy(m.columns, bias)
	row := make([]uint16, m.rowBytes()/2)
	for o := range m.out {
		for i, v := range w[o*m.in:][:m.in] {
			row[i] = uint16(math.Float32bits(roundBF16(v)) >> 16)
		}
		m.place(o, bytesOf(row), 2*m.product.Group)
	}
}

// rowBytes returns the bytes of one output's weights.
func (m *Matrix) rowBytes() int {
	p := m.product
	return padded(m.in, p.Unit) * p.WeightBytes
}

// place copies the weights of output o into its column of a panel, in groups of size bytes;
// one instruction multiplies a group.
func (m *Matrix) place(o int, row []byte, size int) {
	cols := m.tile.cols
	panel, c := m.narrow[o/cols*cols*m.rowBytes():], o%cols
	switch {
	case m.product.Tiles:
		m.placeTiles(panel, c, row)
	case size == 8:
		for at := 8 * c; len(row) > 0; at += 8 * cols {
			*(*[8]byte)(panel[at:]), row = [8]byte(row), row[8:]
		}
	case size == 4:
		for at := 4 * c; len(row) > 0; at += 4 * cols {
			*(*[4]byte)(panel[at:]), row = [4]byte(row), row[4:]
		}
	default:
		for at := 2 * c; len(row) > 0; at += 2 * cols {
			*(*[2]byte)(panel[at:]), row = [2]byte(row), row[2:]
		}
	}
}

// bytesOf returns the memory of a slice.
func bytesOf[T int8 | uint16](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(T(0))))
}

// The number of float32 terms of an Int8 product: the bias, the offset, and the kept
// channels.
const (
	fewTerms  = 2
	mostTerms = fewTerms + MostChannels
)

// packInt8 packs what gemmInt8 reads: the weights in panels and, for the columns of each
// panel, the start value of the sums, the scale, the bias, the scale times the sum of the
// weights, and the weights of the kept channels.
func (m *Matrix) packInt8(w, bias []float32, inputs Inputs) {
	keep := inputs.Keep
	cols, group, said := m.tile.cols, m.product.Group, 2+fewTerms
	if len(keep) > 0 {
		said = 2 + mostTerms
	}
	m.narrow, m.columns = aligned[byte](m.padded()*m.rowBytes()), aligned[float32](said*m.padded())
	q, quantize := make([]int8, m.rowBytes()), m.quantizer(inputs)
	for o := range m.out {
		of, c, row := m.columns[o/cols*cols*said:], o%cols, w[o*m.in:][:m.in]
		for i, channel := range keep {
			of[(2+fewTerms+i)*cols+c] = row[channel]
		}
		scale, sum, lost := quantize(q[:m.in], row)
		m.place(o, bytesOf(q), group)
		if m.product.Unsigned {
			of[c] = math.Float32frombits(uint32(-128 * sum))
		}
		of[cols+c], of[2*cols+c], of[3*cols+c] = scale, bias[o]-lost, scale*float32(sum)
	}
}

// aligned returns n zeros at an address that is a multiple of 64, the size of a cache line
// and of the widest register.
func aligned[T float32 | byte](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	s := make([]T, n+64/size-1)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(s)))/uintptr(size)) & (64/size - 1)
	return s[skip:][:n:n]
}
