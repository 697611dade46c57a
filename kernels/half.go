package kernels

import (
	"math"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Half is IEEE 754's binary16: a sign, 5 bits of exponent and 10 of fraction. The largest
// value is 65504; below 2^-14 the values are 2^-24 apart. The functions here keep halves in
// float32, which can hold all of them.

// sumBlockF16 is how many products are summed in half before that sum is added to a
// float32. The operands have a relative error of 2^-12/√3; a sum of n products has one of
// √(n/6)·2^-12.
const sumBlockF16 = 32

// SumBlockF16 is sumBlockF16, for packages that bound such sums.
const SumBlockF16 = sumBlockF16

// roundF16 rounds to the nearest half, ties to even. 65520 and more become infinite.
func roundF16(x float64) float32 {
	bits := math.Float64bits(x)
	exponent := int(bits>>52&0x7ff) - 1023
	switch {
	case exponent == 1024: // infinite or NaN
		return float32(x)
	case exponent < -14:
		// Around 2^28 float64's steps are 2^-24, so adding and subtracting large rounds x
		// to such a step.
		const large = 1.5 * (1 << 28)
		sum := x + large
		return float32(math.Copysign(sum-large, x))
	}
	const lost = 52 - 10
	bits += 1<<(lost-1) - 1 + bits>>lost&1
	if x = math.Float64frombits(bits &^ (1<<lost - 1)); math.Abs(x) > 65504 {
		return float32(math.Inf(1 - 2*int(bits>>63)))
	}
	return float32(x)
}

// fmaF16 returns x·y + z of halves, rounded once to half. The product has 22 bits and is
// exact in float64. The sum is rounded to float64 first, which never changes the result:
//
//   - A half is a multiple of 2^-24, a product of two is one of 2^-48 and has at most 22
//     bits. Where a product below 2^17 and z do not fit into 53 bits together, so that
//     their sum is rounded, the product is below 2^-30·|z|. Then the half nearest to the
//     sum is z, with or without that rounding.
//   - With a larger product the sum is beyond 65520, rounded or not.
func fmaF16(x, y, z float32) float32 {
	sum := float64(x)*float64(y) + float64(z)
	// Most sums are normal halves, far below the largest.
	bits := math.Float64bits(sum)
	if exponent := bits << 1 >> 53; exponent-(1023-14) < 14+15 {
		const lost = 52 - 10
		bits += 1<<(lost-1) - 1 + bits>>lost&1
		return float32(math.Float64frombits(bits &^ (1<<lost - 1)))
	}
	return roundF16(sum)
}

// packF16 packs panels as packF32 does, in half.
func (m *Matrix) packF16(w, bias []float32) {
	m.narrow, m.columns = aligned[byte](m.padded()*m.rowBytes()), aligned[float32](m.padded())
	copy(m.columns, bias)
	row, halves := make([]float32, m.rowBytes()/2), make([]uint16, m.rowBytes()/2)
	for o := range m.out {
		copy(row, w[o*m.in:][:m.in])
		asm.Round(asm.ISA(m.variant.ISA), asm.F16, unsafe.Pointer(&halves[0]), &row[0], len(row))
		m.place(o, bytesOf(halves), 2)
	}
}

// linearF16 is Linear in halves. It computes bit for bit what gemmF16 of package asm does:
// within a block of sumBlockF16 products, the sum is rounded to half at every step.
func linearF16(dst, x, w, b []float32, rows, in, out int) {
	for r := range rows {
		o := 0
		for ; o+4 <= out; o += 4 {
			sums := [4]float32(b[o:])
			dot4F16(&sums, row(x, r, in), row(w, o, in), row(w, o+1, in), row(w, o+2, in), row(w, o+3, in))
			copy(dst[r*out+o:], sums[:])
		}
		for ; o < out; o++ {
			one := row(w, o, in)
			sums := [4]float32{b[o]}
			dot4F16(&sums, row(x, r, in), one, one, one, one)
			dst[r*out+o] = sums[0]
		}
	}
}

// dot4F16 adds the products of x with four rows of weights to their four totals. The four
// sums do not wait for each other.
func dot4F16(totals *[4]float32, x, w0, w1, w2, w3 []float32) {
	for k := 0; k < len(x); {
		end := min(k+sumBlockF16, len(x))
		var s0, s1, s2, s3 float32
		for ; k < end; k++ {
			s0 = fmaF16(x[k], w0[k], s0)
			s1 = fmaF16(x[k], w1[k], s1)
			s2 = fmaF16(x[k], w2[k], s2)
			s3 = fmaF16(x[k], w3[k], s3)
		}
		totals[0] += s0
		totals[1] += s1
		totals[2] += s2
		totals[3] += s3
	}
}
