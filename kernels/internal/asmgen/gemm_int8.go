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

What is said of rows, 8 values each, is the scale and what the terms are
multiplied by; of columns, COLS values each, start, columnScale and the terms. Terms
are 2 or 6. Where x is unsigned, it is 128 more than what is meant, and start is
-128 times the sum of the column's weights.

Sums of integers are exact in any order.

COUNTS`

// gemmRowsInt8 sums all of a tile's products before it looks at dst.
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

// ofColumns returns where one of the things said of columns begins, for a register's.
func (f *Func) ofColumns(columns P, cols, which, c int) Mem {
	return columns.At(4 * (which*cols + c*f.Lanes()))
}

// endInt8 makes outputs of a tile's sums.
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

// The terms of an int8 product that are float32: the bias and the offset, and at
// most four channels.
const fewTerms, mostTerms = 2, 6

// fromInt8 writes a tile of outputs.
func (f *Func) fromInt8(sums [][]V, cols, terms int) {
	dst, stride := f.Arg("dst"), f.Arg("dstStride")
	columns, ofRows := f.Arg("columns"), f.Arg("ofRows")
	out := f.Rows(dst, stride, len(sums))
	y := f.Vec("y")
	var of []V
	var value, by V
	if f.Lanes() < 16 {
		by = f.Vec("by")
	}
	// Where there are registers enough, all that is said of a column stays in them,
	// or as much of it as there is room for.
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
			ofRow := func(i int) Mem { return ofRows.At(32*r + 4*i).Named("of rows") }
			f.splatted(f, Mul, y, said(1), ofRow(1), by)
			for i := 1; i < terms; i++ {
				f.mulAddSplat(f, y, said(1+i), ofRow(1+i), by)
			}
			f.toFloat(f, v, v)
			f.splatted(f, Mul, v, v, ofRow(0), by)
			f.MulAdd(y, v, said(0))
			f.Store(out.Row(r).Plus(4*f.Lanes()*c), y)
		}
	}
	f.Return()
}
