package kernels

// sumBlock is how many products are summed before the partial sum is added to the total.
// Two short sums have a smaller rounding error than one long one: over 1536 products it
// grows with about √(64+24) instead of √1536.
const sumBlock = 64

// Linear computes dst = x·wᵀ + b.
//
//	dst  rows×out
//	x    rows×in
//	w    out×in
//	b    out
//
// Each sum runs over in in blocks of sumBlock (see dot), then b is added.
func Linear(dst, x, w, b []float32, rows, in, out int) {
	dst, x, w, b = dst[:rows*out], x[:rows*in], w[:out*in], b[:out]
	// A panel of rows stays in the L2 cache while all weights are read; four rows of
	// weights stay in L1 while the panel is read.
	const panel = 64
	for r0 := 0; r0 < rows; r0 += panel {
		r1 := min(r0+panel, rows)
		o := 0
		for ; o+4 <= out; o += 4 {
			w0, w1, w2, w3 := row(w, o, in), row(w, o+1, in), row(w, o+2, in), row(w, o+3, in)
			b0, b1, b2, b3 := b[o], b[o+1], b[o+2], b[o+3]
			r := r0
			for ; r+2 <= r1; r += 2 {
				s := dot2x4(row(x, r, in), row(x, r+1, in), w0, w1, w2, w3)
				d := dst[r*out+o:][:4]
				d[0], d[1], d[2], d[3] = s[0]+b0, s[1]+b1, s[2]+b2, s[3]+b3
				d = dst[(r+1)*out+o:][:4]
				d[0], d[1], d[2], d[3] = s[4]+b0, s[5]+b1, s[6]+b2, s[7]+b3
			}
			for ; r < r1; r++ {
				xr, d := row(x, r, in), dst[r*out+o:][:4]
				d[0], d[1], d[2], d[3] = dot(xr, w0)+b0, dot(xr, w1)+b1, dot(xr, w2)+b2, dot(xr, w3)+b3
			}
		}
		for ; o < out; o++ {
			for r := r0; r < r1; r++ {
				dst[r*out+o] = dot(row(x, r, in), row(w, o, in)) + b[o]
			}
		}
	}
}

// row returns row r of a matrix with n columns.
func row(m []float32, r, n int) []float32 { return m[r*n:][:n:n] }

// dot returns Σ x[k]·w[k]. Blocks of sumBlock products are each summed from the left; then
// the blocks' sums are added from the left.
func dot(x, w []float32) float32 {
	w = w[:len(x)]
	var total float32
	for len(x) > 0 {
		n := min(len(x), sumBlock)
		xb, wb := x[:n], w[:n]
		var s float32
		for k := range xb {
			s += xb[k] * wb[k]
		}
		total += s
		x, w = x[n:], w[n:]
	}
	return total
}

// dot2x4 returns dot of each of two rows with each of four rows, bit for bit. It runs eight
// sums side by side, so that the processor does not wait for one addition to end before it
// starts the next.
func dot2x4(x0, x1, w0, w1, w2, w3 []float32) (total [8]float32) {
	for len(x0) > 0 {
		n := min(len(x0), sumBlock)
		a0, a1 := x0[:n], x1[:n]
		c0, c1, c2, c3 := w0[:n], w1[:n], w2[:n], w3[:n]
		var s00, s01, s02, s03, s10, s11, s12, s13 float32
		for k := range a0 {
			p, q := a0[k], a1[k]
			v0, v1, v2, v3 := c0[k], c1[k], c2[k], c3[k]
			s00 += p * v0
			s01 += p * v1
			s02 += p * v2
			s03 += p * v3
			s10 += q * v0
			s11 += q * v1
			s12 += q * v2
			s13 += q * v3
		}
		total[0] += s00
		total[1] += s01
		total[2] += s02
		total[3] += s03
		total[4] += s10
		total[5] += s11
		total[6] += s12
		total[7] += s13
		x0, x1 = x0[n:], x1[n:]
		w0, w1, w2, w3 = w0[n:], w1[n:], w2[n:], w3[n:]
	}
	return total
}
