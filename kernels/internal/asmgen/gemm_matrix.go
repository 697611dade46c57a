package asmgen

const gemmMatrixBF16Doc = `computes a tile of dst = bias + x·w, COLS columns of rows ≤ ROWS rows, of
values in bfloat16; k counts groups of GROUP.

	for r := range rows {
		for c := range COLS {
			sum := columns[c]
			for i := range 2*k {
				p := odd(x[r][2*i]*w[2*i][c] + x[r][2*i+1]*w[2*i+1][c])
				sum = odd(sum + p)
			}
			dst[r*dstStride+c] = sum
		}
	}

Odd rounds to float32 as BFMMLA does without FEAT_EBF16, or with it while FPCR.EBF
is 0, which is how programs start: a value that is not exact becomes the neighbour whose
last bit is 1. Denormals count as 0, among operands and results.

Sums are not divided into blocks: the sum of 1536 random products is off by 5e-7 of its
size, where rounding the operands costs 2e-3.

Rows of x are stored in pairs, GROUP values of one and GROUP of the other in turn; xStride
is half of the distance between pairs. If the number of rows is odd, the memory of the
missing row is read as well.

COUNTS`

const gemmMatrixInt8Doc = `is gemmInt8 as it is without FEAT_I8MM, bit for bit. The
differences: GROUP values are multiplied at once; start is 0 and not read; and rows of x
are stored in pairs, GROUP values of one and GROUP of the other in turn, with xStride half
of the distance between pairs. If the number of rows is odd, the memory of the missing row
is read as well.

COUNTS`

// passInputs is how many inputs a pass of the loop multiplies. Rows of narrow values are
// padded to a multiple of it.
const passInputs = 16

// gemmRowsMatrix computes a whole tile with a fixed number of rows, in blocks of 2×2 sums.
// If the last pair has only one row, the other's sums have no meaning and are not written.
func gemmRowsMatrix(f *Func, form Format, rows, cols int) {
	f.counted = nil
	m := f.Machine.(arm64)
	f.Say("GROUP", groupOf(m, form))
	sums := make([][]V, (rows+1)/2)
	for r := range sums {
		sums[r] = f.Vecs(cols/2, "sum[%d,%d]", 2*r, 2)
	}
	f.Count(ofBlock, func() {
		if form == Int8 {
			f.zeroAll(sums)
			return
		}
		f.Scope(func() {
			bias := f.Arg("columns")
			for c, first := range sums[0] {
				m.loadPair(f, first, bias)
				for _, others := range sums[1:] {
					f.Copy(others[c], first)
				}
			}
		})
	})
	f.Scope(func() {
		x, xStride := f.Arg("x"), f.Arg("xStride")
		w, k, next := f.Arg("w"), f.Arg("k"), f.Arg("next")
		f.AddPtr(xStride, xStride, 1)
		xs := f.Rows(P{x.reg, "pair"}, xStride, len(sums))
		steps := passInputs / groupOf(m, form)
		f.Times(k, steps, func() {
			f.Count(ofPass, func() { m.matrixPass(f, form, sums, xs, w, next, steps) })
		})
	})

	f.Note("from blocks of 2×2 to rows")
	var across [][]V
	f.Count(ofBlock, func() { across = m.rowsOfPairs(f, sums, rows) })
	if form == Int8 {
		f.endInt8(across, cols)
		return
	}
	f.Count(ofBlock, func() {
		f.Scope(func() {
			out := f.Rows(f.Arg("dst"), f.Arg("dstStride"), rows)
			for r := range across {
				for c, v := range across[r] {
					f.Store(out.Row(r).Plus(16*c), v)
				}
			}
		})
	})
	f.Return()
}

// matrixPass emits some steps of a tile's products. Each register of weights is loaded one
// step ahead, for processors that execute in order.
func (m arm64) matrixPass(f *Func, form Format, sums [][]V, xs *Rows, w, next P, steps int) {
	f.Scope(func() {
		across := len(sums[0])
		x := f.Vecs(len(sums), "x[%d]", 2)
		ws := f.Vecs(min(across, len(f.vectors)), "w%d", 1)
		loads := steps * across
		load := func(i int) {
			if i < loads {
				f.Load(ws[i%len(ws)], w.At(16*i))
			}
		}
		for i := range len(ws) - 1 {
			load(i)
		}
		for i := range loads {
			step, c := i/across, i%across
			if c == 0 {
				for r := range x {
					f.Load(x[r], xs.Row(r).Plus(16*step))
				}
			}
			load(i + len(ws) - 1)
			for r := range sums {
				m.matrixProduct(f, form, sums[r][c], x[r], ws[i%len(ws)])
			}
		}
		// Four tiles prefetch what a pass reads of a panel, a quarter each.
		fetched := 16 * loads / 4
		for at := 0; at < fetched; at += 48 {
			f.Prefetch(next.At(at))
		}
		f.AddImm(next, fetched)
		f.AddImm(w, 16*loads)
		f.Advance(xs, 16*steps)
	})
}

// rowsOfPairs rearranges the sums to registers with four neighbouring columns of one row.
func (m arm64) rowsOfPairs(f *Func, sums [][]V, rows int) [][]V {
	all := make([][]V, rows)
	spare := f.Vec("spare")
	for r := range all {
		if r%2 == 1 {
			continue // done together with the row before
		}
		pair := sums[r/2]
		for c := 0; c < len(pair); c += 2 {
			first, second := pair[c], pair[c+1]
			if r+1 == rows {
				m.zip(f, 1, first, first, second)
				all[r] = append(all[r], named(first, "y[%d,%d]", r, 2*c))
				continue
			}
			m.zip(f, 1, spare, first, second)
			m.zip(f, 2, second, first, second)
			all[r] = append(all[r], named(spare, "y[%d,%d]", r, 2*c))
			all[r+1] = append(all[r+1], named(second, "y[%d,%d]", r+1, 2*c))
			spare = named(first, "spare")
		}
	}
	f.vectors = append(f.vectors, spare.n)
	return all
}
