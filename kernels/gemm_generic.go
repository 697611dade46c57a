package kernels

// packGeneric keeps weights row-major, as the plain loops read them.
func (m *Matrix) packGeneric(w, bias []float32) {
	m.columns = bias
	switch m.variant.Format {
	case F32:
		m.values = w
	case BF16:
		m.values = make([]float32, len(w))
		for i, v := range w {
			m.values[i] = roundBF16(v)
		}
	case Int8:
		m.narrow, m.columns = make([]byte, len(w)), make([]float32, 3*m.out)
		row := make([]int8, m.in)
		for o := range m.out {
			scale, sum := quantizeWeights(row, w[o*m.in:][:m.in])
			for i, q := range row {
				m.narrow[o*m.in+i] = byte(q)
			}
			m.columns[o], m.columns[m.out+o], m.columns[2*m.out+o] = scale, scale*float32(sum), bias[o]
		}
	}
}

// linearGeneric multiplies rows in plain Go.
func (m *Matrix) linearGeneric(dst []float32, x *Input, first, rows, dstStride int, gelu bool) {
	if rows > 1 && (m.variant.Format == Int8 || dstStride != m.out || x.stride != 4*m.in) {
		for r := range rows {
			m.linearGeneric(dst[r*dstStride:], x, first+r, 1, m.out, gelu)
		}
		return
	}
	if m.variant.Format == Int8 {
		m.rowInt8(dst[:m.out], x, first)
	} else {
		Linear(dst, x.values[first*x.stride/4:], m.values, m.columns, rows, m.in, m.out)
	}
	if gelu {
		GELU(dst[:rows*m.out])
	}
}

// rowInt8 is a row of gemmInt8AVX512VNNI's result.
func (m *Matrix) rowInt8(dst []float32, x *Input, row int) {
	q, scale, offset := x.narrow[row*x.stride:][:m.in], x.scales[2*row], x.scales[2*row+1]
	for o := range dst {
		var sum int32
		for i, w := range m.narrow[o*m.in:][:m.in] {
			sum += int32(int8(q[i])) * int32(int8(w))
		}
		columnScale, columnSum, bias := m.columns[o], m.columns[m.out+o], m.columns[2*m.out+o]
		dst[o] = fma(float32(sum)*scale, columnScale, fma(offset, columnSum, bias))
	}
}
