package kernels

// packGeneric keeps the weights row-major, as the plain loops read them.
func (m *Matrix) packGeneric(w, bias []float32, of Inputs) {
	m.columns = bias
	switch m.variant.Format {
	case F32:
		m.values = w
	case BF16, F16:
		m.values = make([]float32, len(w))
		for i, v := range w {
			if m.variant.Format == F16 {
				m.values[i] = roundF16(float64(v))
			} else {
				m.values[i] = roundBF16(v)
			}
		}
	case BF16x3:
		m.values = make([]float32, 2*len(w))
		splitAll(m.values[:len(w)], m.values[len(w):], w)
	case Int8:
		m.narrow, m.columns = make([]byte, len(w)), make([]float32, 0, (1+fewTerms+len(of.Keep))*m.out)
		q, quantize := make([]int8, m.in), m.quantizer(of)
		for o := range m.out {
			scale, sum, lost := quantize(q, w[o*m.in:][:m.in])
			for i, v := range q {
				m.narrow[o*m.in+i] = byte(v)
			}
			m.columns = append(m.columns, scale, bias[o]-lost, scale*float32(sum))
			for _, channel := range of.Keep {
				m.columns = append(m.columns, w[o*m.in+channel])
			}
		}
	}
}

// linearGeneric multiplies rows in plain Go.
func (m *Matrix) linearGeneric(dst []float32, x *Input, first, rows, dstStride int, act activation) {
	if rows > 1 && (m.variant.Format == Int8 || dstStride != m.out || x.stride != 4*m.in) {
		for r := range rows {
			m.linearGeneric(dst[r*dstStride:], x, first+r, 1, m.out, act)
		}
		return
	}
	switch m.variant.Format {
	case Int8:
		m.rowInt8(dst[:m.out], x, first)
		if len(x.keep.Rows) > 0 {
			x.addRest(dst, dstStride, first, 1, 0, m.out, m.out)
		}
	case BF16x3:
		linearSplit(dst, x.values[first*x.stride/4:], x.low[first*x.stride/4:], m.values[:m.in*m.out], m.values[m.in*m.out:], m.columns, rows, m.in, m.out)
	case F16:
		linearF16(dst, x.values[first*x.stride/4:], m.values, m.columns, rows, m.in, m.out)
	default:
		Linear(dst, x.values[first*x.stride/4:], m.values, m.columns, rows, m.in, m.out)
	}
	act.plain(dst[:rows*m.out])
}

// rowInt8 computes one row as gemmInt8 of package asm does.
func (m *Matrix) rowInt8(dst []float32, x *Input, row int) {
	q, of := x.narrow[row*x.stride:][:m.in], x.perRow[row*rowTerms:][:rowTerms]
	said := 1 + fewTerms + len(m.keep)
	for o := range dst {
		var sum int32
		for i, w := range m.narrow[o*m.in:][:m.in] {
			sum += int32(int8(q[i])) * int32(int8(w))
		}
		column := m.columns[o*said:][:said]
		y := of[rowBias] * column[1]
		for i, term := range column[2:] {
			y = fma(of[rowOffset+i], term, y)
		}
		dst[o] = fma(float32(sum)*of[rowScale], column[0], y)
	}
}
