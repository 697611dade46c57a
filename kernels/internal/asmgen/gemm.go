package asmgen

import "slices"

// SumBlock is how many products are summed before that sum is added to the total: it is
// kernels.sumBlock. SumBlockF16 is the same where the sums are halves: kernels.sumBlockF16.
const SumBlock, SumBlockF16 = 64, 32

// blockSteps returns how many steps of the loop make up a block of products.
func blockSteps(form Format) int {
	if form == F16 {
		return SumBlockF16 / 2 // two products a step
	}
	return SumBlock
}

// Tile is the size of the block of results that a machine keeps in registers: Rows rows of
// x by Cols columns of weights. Cols is also the width of a panel.
type Tile struct{ Rows, Cols int }

// TileOf returns a machine's tile. It leaves registers for one row of weights and some
// values of x beside the sums. A tile of 8×48 loads 11 registers for 24 multiply-adds, and
// 48 divides the widths of MiniLM's layers.
//
// On arm64 the sums take 24 registers. At least 16 are needed where four multiply-adds
// begin in each cycle and take four cycles. x takes a register for each row, and weights
// the two that are left. If a register is a block of 2×2 sums, x takes one for each pair of
// rows, and weights take five.
func TileOf(m Machine, form Format) Tile {
	switch {
	case m.Lanes() == 16:
		return Tile{8, 48}
	case form == F16:
		return Tile{6, 32}
	}
	return Tile{6, 16}
}

const gemmDoc = `computes a tile of dst = bias + x·w, COLS columns of rows ≤ ROWS rows.

	for r := range rows {
		for c := range COLS {
			dst[r*dstStride+c] = bias[c]
			for block := range blocks(k, SUM) {
				var sum float32
				for i := range block {
					sum = fma(x[r*xStride+i], w[i*COLS+c], sum)
				}
				dst[r*dstStride+c] += sum
			}
		}
	}

Strides are in bytes. The kernel prefetches memory from next on into the L2 cache, 48
bytes for each of the k rows.

The loops over r and c stay in registers. Measured on one core of Zen 5, whose peak is 265
GFLOP/s with AVX-512 and 133 with AVX2, at 32 rows and more: 255 to 267 and 131 to 139.
Summing in blocks of 64 products costs nothing measurable there: the additions run beside
the next block's products.

COUNTS`

const gemmBF16Doc = `is gemm with x and w in bfloat16, in pairs: k counts pairs,
and each step adds two products.

	for i := range block {
		sum = fma(x[r*xStride+2*i+1], w[(i*COLS+c)*2+1], sum)
		sum = fma(x[r*xStride+2*i], w[(i*COLS+c)*2], sum)
	}

The products are exact in float32, denormals count as 0.`

const gemmF16Doc = `is gemm with x and w in half. Sums of SUMF16 products are half, too. k
counts pairs of products.

	for block := range blocks(2*k, SUMF16) {
		var sum float16
		for i := range block {
			sum = fma(x[r*xStride+i], w[i*COLS+c], sum)
		}
		dst[r*dstStride+c] += float32(sum)
	}

COUNTS`

// gemmParams are the same for every format: only int8 uses perRow and
// terms, and in the other formats columns is the bias.
var gemmParams = []string{
	"rows int", "dst *float32", "dstStride int", "x unsafe.Pointer", "xStride int",
	"w unsafe.Pointer", "columns *float32", "k int", "next unsafe.Pointer", "perRow *float32", "terms int",
}

// gemm emits a branch on the number of rows, with separate code for each number.
func gemm(form Format) func(*Func) {
	if form == Int8 {
		return gemmOf(form, gemmRowsInt8)
	}
	return gemmOf(form, gemmRows)
}

func gemmOf(form Format, tile func(f *Func, form Format, rows, cols int)) func(*Func) {
	return func(f *Func) {
		t := TileOf(f.Machine, form)
		f.Say("ROWS", t.Rows)
		f.Say("COLS", t.Cols)
		f.Say("SUMF16", SumBlockF16)
		f.Say("SUM", SumBlock)
		if form == F16 {
			slices.Reverse(f.vectors) // keep the lower registers for x
		}
		rows := f.Arg("rows")
		labels := make([]string, t.Rows+1)
		for n := t.Rows; n > 1; n-- {
			labels[n] = f.Label("rows")
			f.JumpEqual(rows, n, labels[n])
		}
		f.FreePtr(rows)
		for n := 1; n <= t.Rows; n++ {
			if n > 1 {
				f.Place(labels[n])
			}
			f.Note("%d rows", n)
			f.Scope(func() { tile(f, form, n, t.Cols) })
		}
		f.Say("COUNTS", f.counts(form, t))
	}
}

// gemmRows computes a whole tile with a fixed number of rows.
func gemmRows(f *Func, form Format, rows, cols int) {
	f.counted = nil
	sums := f.registersOf(form, rows, cols/f.sumsIn(form))
	f.Scope(func() {
		dst, stride, bias := f.Arg("dst"), f.Arg("dstStride"), f.Arg("columns")
		out := f.Rows(dst, stride, rows)
		for c := range cols / f.Lanes() {
			v, at := sums[0][c%len(sums[0])], 4*f.Lanes()*c
			f.Load(v, bias.At(at))
			for r := range rows {
				f.Store(out.Row(r).Plus(at), v)
			}
		}
	})

	x, xStride := f.Arg("x"), f.Arg("xStride")
	w, k, next := f.Arg("w"), f.Arg("k"), f.Arg("next")
	xs := f.Rows(x, xStride, rows)
	n := f.Ptr("n")
	block, short := f.Label("block"), f.Label("short")

	f.Place(block)
	f.Note("a block of n = min(k, %d) steps", blockSteps(form))
	f.Count(ofBlock, func() {
		f.SetImm(n, blockSteps(form))
		f.JumpAtLeast(k, blockSteps(form), short)
		f.Move(n, k)
		f.Place(short)
		f.SubPtr(k, n)
		f.zeroAll(sums)
	})
	f.steps(form, sums, xs, w, next, n)

	f.Note("dst += the block's sums")
	f.FreePtr(n)
	f.Count(ofBlock, func() {
		f.Scope(func() {
			dst, stride := f.Arg("dst"), f.Arg("dstStride")
			out := f.Rows(dst, stride, rows)
			f.addTo(form, out, sums)
		})
		f.JumpAtLeast(k, 1, block)
	})
	f.Return()
}

// steps emits n steps of a tile's products, and prefetches beside them.
func (f *Func) steps(form Format, sums [][]V, xs *Rows, w, next, n P) {
	row := len(sums[0]) * f.weightBytes(form)
	f.Times(n, 4, func() {
		f.Count(ofPass, func() {
			f.Products(form, sums, xs, 4, w.At(0), 4)
			for line := 0; line < 192; line += 64 {
				f.Prefetch(next.At(line))
			}
			f.AddImm(next, 192)
			f.AddImm(w, 4*row)
			f.Advance(xs, 4*4)
		})
	})
	if form != F32 {
		return // x and w are padded to multiples of four
	}
	f.Times(n, 1, func() {
		f.Products(form, sums, xs, 4, w.At(0), 1)
		f.AddImm(w, row)
		f.Advance(xs, 4)
	})
}

// addTo adds a tile of registers to memory.
func (f *Func) addTo(form Format, out *Rows, sums [][]V) {
	f.Scope(func() {
		old, high := f.Vec("old"), V{}
		if form == F16 {
			high = f.Vec("high")
		}
		for r := range sums {
			for c, v := range sums[r] {
				at := out.Row(r).Plus(4 * f.sumsIn(form) * c)
				if form == F16 {
					f.addHalves(f, at, v, old, high)
					continue
				}
				f.Load(old, at)
				f.Do(Add, v, v, old)
				f.Store(at, v)
			}
		}
	})
}

// registersOf allocates a tile of registers for sums.
func (f *Func) registersOf(form Format, rows, across int) [][]V {
	sums := make([][]V, rows)
	for r := range sums {
		sums[r] = f.Vecs(across, "sum[%d,%d]", r, f.sumsIn(form))
	}
	return sums
}

func (f *Func) zeroAll(sums [][]V) {
	for r := range sums {
		for _, v := range sums[r] {
			f.Zero(v)
		}
	}
}

// Tile allocates a tile of registers, and sets them to 0.
func (f *Func) Tile(rows, across int) [][]V {
	sums := f.registersOf(F32, rows, across)
	f.zeroAll(sums)
	return sums
}

// Products adds k products to each sum: sums[r][c] += x[r][i]·w[i][c]. A row of w is as
// wide as sums, and the next row follows it; a row's values of x are step bytes apart.
func (f *Func) Products(form Format, sums [][]V, x *Rows, step int, w Mem, k int) {
	f.products(f, form, sums, x, step, w, k)
}
