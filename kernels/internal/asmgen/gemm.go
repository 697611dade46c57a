package asmgen

// SumBlock is how many products are summed one after the other before they are
// added to the total: kernels.sumBlock.
const SumBlock = 64

// Tile is the block of outputs that a machine keeps in registers: Rows rows of
// x by Cols columns of weights, which are a panel's width.
type Tile struct{ Rows, Cols int }

// TileOf returns a machine's tile. It leaves room for one row of weights and
// some values of x beside the sums. 8×48 reads 11 registers from memory for 24
// multiply-adds, and 48 divides the widths of MiniLM's layers.
func TileOf(m Machine) Tile {
	switch m {
	case AVX512:
		return Tile{8, 48}
	case AVX2:
		return Tile{6, 16}
	}
	return Tile{8, 8}
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

Strides are in bytes. next is where to fetch into the L2 cache from, 48 bytes
for each of the k rows.

The loops that stay in registers are those over r and c. Measured on one core
of Zen 5, whose peak is 265 GFLOP/s with AVX-512 and 133 with AVX2, at 32 rows
and more: 255 to 267 and 131 to 139. Blocks of 64 products cost nothing that
was seen there: the additions run beside the next block's products.`

var gemmParams = []string{
	"rows int", "dst *float32", "dstStride int", "x *float32", "xStride int",
	"w *float32", "bias *float32", "k int", "next *float32",
}

// gemm dispatches on the number of rows: each has code of its own.
func gemm(f *Func) {
	t := TileOf(f.Machine)
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
		f.Scope(func() { gemmRows(f, n, t.Cols) })
	}
}

// gemmRows is a whole tile of a fixed number of rows.
func gemmRows(f *Func, rows, cols int) {
	sums := f.registersOf(rows, cols/f.Lanes())
	f.Scope(func() {
		dst, stride, bias := f.Arg("dst"), f.Arg("dstStride"), f.Arg("bias")
		out := f.Rows(dst, stride, rows)
		for c, v := range sums[0] {
			at := 4 * f.Lanes() * c
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
	f.Note("a block of n = min(k, %d) products", SumBlock)
	f.SetImm(n, SumBlock)
	f.JumpAtLeast(k, SumBlock, short)
	f.Move(n, k)
	f.Place(short)
	f.SubPtr(k, n)
	f.zeroAll(sums)
	f.Times(n, 4, func() {
		f.Products(sums, xs, 4, w.At(0), 4)
		for line := 0; line < 192; line += 64 {
			f.Prefetch(next.At(line))
		}
		f.AddImm(next, 192)
		f.AddImm(w, 4*4*cols)
		f.Advance(xs, 4*4)
	})
	f.Times(n, 1, func() {
		f.Products(sums, xs, 4, w.At(0), 1)
		f.AddImm(w, 4*cols)
		f.Advance(xs, 4)
	})

	f.Note("dst += the block's sums")
	f.FreePtr(n)
	f.Scope(func() {
		dst, stride := f.Arg("dst"), f.Arg("dstStride")
		out := f.Rows(dst, stride, rows)
		f.AddTo(out, sums)
	})
	f.JumpAtLeast(k, 1, block)
	f.Return()
}

// AddTo adds a tile of registers to memory.
func (f *Func) AddTo(out *Rows, sums [][]V) {
	f.Scope(func() {
		old := f.Vec("old")
		for r := range sums {
			for c, v := range sums[r] {
				at := out.Row(r).Plus(4 * f.Lanes() * c)
				f.Load(old, at)
				f.Do(Add, v, v, old)
				f.Store(at, v)
			}
		}
	})
}

// registersOf takes a tile of registers for sums.
func (f *Func) registersOf(rows, across int) [][]V {
	sums := make([][]V, rows)
	for r := range sums {
		sums[r] = f.Vecs(across, "sum[%d,%d]", r, f.Lanes())
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

// Tile takes a tile of registers, all zero.
func (f *Func) Tile(rows, across int) [][]V {
	sums := f.registersOf(rows, across)
	f.zeroAll(sums)
	return sums
}

// Products adds k products to each sum: sums[r][c] += x[r][i]·w[i][c]. Rows of w
// are as wide as sums and follow one another; a row's x are step bytes apart.
func (f *Func) Products(sums [][]V, x *Rows, step int, w Mem, k int) {
	f.products(f, sums, x, step, w, k)
}

// splatProducts is products for machines that read one value into every lane
// as fast as they read many.
func splatProducts(f *Func, sums [][]V, x *Rows, step int, w Mem, k int) {
	f.Scope(func() {
		across := len(sums[0])
		ws := f.Vecs(across, "w[%d]", f.Lanes())
		xv := f.Vecs(2, "x[%d]", 1)
		for i := range k {
			for c, v := range ws {
				f.Load(v, w.Plus(4*f.Lanes()*(i*across+c)))
			}
			for r := range sums {
				v := xv[r%2]
				f.Splat(v, x.Row(r).Plus(step*i))
				for c := range ws {
					f.MulAdd(sums[r][c], v, ws[c])
				}
			}
		}
	})
}
