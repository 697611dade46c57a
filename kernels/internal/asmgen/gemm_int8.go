package asmgen

const gemmInt8Doc = `computes a tile of dst = bias + x·w from integers, COLS columns of
rows ≤ ROWS rows; GROUP values are multiplied at a time, k counts such groups.

	for r := range rows {
		for c := range COLS {
			sum := start[c]
			for i := range k {
				for j := range GROUP {
					sum += x[r*xStride+GROUP*i+j] * w[(i*COLS+c)*GROUP+j]
				}
			}
			y := row[r][1] * term[0][c]
			for j := 1; j < terms; j++ {
				y = fma(row[r][1+j], term[j][c], y)
			}
			dst[r*dstStride+c] = fma(sum*row[r][0], columnScale[c], y)
		}
	}

perRow has 8 values for each row (row[r] above): the row's scale, then the factors of the
terms. columns has COLS values each of start, of columnScale and of each term. There are
2 or 6 terms: the bias, the offset, and up to four channels in float32. Where x is
unsigned, it holds the value plus 128, and start is -128 times the sum of the column's
weights.

Sums of integers are exact in any order.

COUNTS`

// gemmRowsInt8 computes all sums of a tile before it touches dst.
func gemmRowsInt8(f *Func, form Format, rows, cols int) {
	f.counted = nil
	across := cols / f.Lanes()
	sums := f.registersOf(form, rows, across)
	f.Count(ofBlock, func() {
		f.Scope(func() {
			start := f.Arg("columns")
			for c := range across {
				for r := range rows {
					if r == 0 {
						f.Load(sums[0][c], f.ofColumns(start, cols, 0, c))
					} else {
						f.Copy(sums[r][c], sums[0][c])
					}
				}
			}
		})
	})
	f.Scope(func() {
		x, xStride := f.Arg("x"), f.Arg("xStride")
		w, k, next := f.Arg("w"), f.Arg("k"), f.Arg("next")
		f.steps(form, sums, f.Rows(x, xStride, rows), w, next, k)
	})
	f.endInt8(sums, cols)
}

// ofColumns returns the address, for register c, of one of the arrays in columns.
func (f *Func) ofColumns(columns P, cols, which, c int) Mem {
	return columns.At(4 * (which*cols + c*f.Lanes()))
}

// endInt8 converts a tile's sums to results.
func (f *Func) endInt8(sums [][]V, cols int) {
	f.Note("from integers to the outputs")
	few := f.Label("few")
	terms := f.Arg("terms")
	f.JumpLess(terms, mostTerms, few)
	f.FreePtr(terms)
	f.Scope(func() { f.fromInt8(sums, cols, mostTerms) })
	f.Place(few)
	f.Count(ofBlock, func() {
		f.Scope(func() { f.fromInt8(sums, cols, fewTerms) })
	})
}

// The number of float32 terms of an int8 product: the bias and the offset, and at most four
// channels.
const fewTerms, mostTerms = 2, 6

// fromInt8 converts a tile's sums to results, for a fixed number of terms.
func (f *Func) fromInt8(sums [][]V, cols, terms int) {
	dst, stride := f.Arg("dst"), f.Arg("dstStride")
	columns, perRow := f.Arg("columns"), f.Arg("perRow")
	out := f.Rows(dst, stride, len(sums))
	y := f.Vec("y")
	var of []V
	var value, by V
	if f.Lanes() < 16 {
		by = f.Vec("by")
	}
	// If there are enough registers, the columns' scale and terms stay in registers, or as
	// many of them as fit.
	n, _ := f.registers()
	switch {
	case n < 32:
		value = f.Vec("value")
	case 1+terms <= len(f.vectors):
		of = f.Vecs(1+terms, "of%d", 1)
	default:
		value = f.Vec("value")
		of = f.Vecs(len(f.vectors), "of%d", 1)
	}
	for c := range sums[0] {
		for i := range of {
			f.Load(of[i], f.ofColumns(columns, cols, 1+i, c).Named("of columns"))
		}
		said := func(i int) V {
			if i < len(of) {
				return of[i]
			}
			f.Load(value, f.ofColumns(columns, cols, 1+i, c).Named("of columns"))
			return value
		}
		for r := range sums {
			v := sums[r][c]
			ofThis := func(i int) Mem { return perRow.At(32*r + 4*i).Named("per row") }
			f.splatted(f, Mul, y, said(1), ofThis(1), by)
			for i := 1; i < terms; i++ {
				f.mulAddSplat(f, y, said(1+i), ofThis(1+i), by)
			}
			f.toFloat(f, v, v)
			f.splatted(f, Mul, v, v, ofThis(0), by)
			f.MulAdd(y, v, said(0))
			f.Store(out.Row(r).Plus(4*f.Lanes()*c), y)
		}
	}
	f.Return()
}
