package asmgen

import "fmt"

// A product on tiles is one function for a whole matrix and any number of rows, because
// configuring the tiles costs as much as a small block. The loop over rows is outside, the
// one over columns inside: a block of x stays in the L1 cache while all weights are read.
//
// A block is 32 rows by 32 columns: four tiles of sums, two of x and two of weights, so
// that a step loads four tiles for four products. The epilogue (bias or scales, GELU,
// rounding) works on a block's sums in vector registers while the tiles multiply the next
// block. A few rows of it come after each step's products, and the processor runs them
// beside these. This goes on across panels and across blocks of rows; the last epilogue
// runs alone.
//
// Measured with a prototype in C on a core with AMX: 64 multiply-adds on vectors cost
// nothing beside four products (18.60 and 18.61 ns). 128 rows by 384×384, with bias, GELU
// and bfloat16 results, reached 1206 GFLOP/s with the epilogue after each block, and 1670
// with the epilogue between the products. In int8, blocks of 1×4 tiles reached 2050 GFLOP/s
// and blocks of 2×2 reached 3135. With the loop over columns outside, the speed at 2048
// rows is halved. Prefetching weights gained nothing.
//
// In Go, on such a core with random numbers: 1350 to 1500 GFLOP/s with the weights in L2 (zeros
// reach 1870), 450 to 700 at 32 rows with weights that come from L3. There, too, prefetching
// them to L2, 16 KB ahead, gained nothing.
//
// 4 KB of scratch memory are enough, because the last row of an epilogue is read before the
// next block's sums are stored.

// linearKind says what a product on tiles multiplies and how its epilogue works.
type linearKind struct {
	form   Format
	act    function // applied to the sums; nil: none
	narrow bool     // the result is bfloat16
}

// linearFunc is the state of the generator while it emits such a function. Registers: sums
// is the address of the epilogue's next row, dst where it writes the result, left the
// number of its rows that remain. Words in the frame: place and of are the addresses in dst
// and columns for the block being multiplied, rows is the number of rows from this block
// on.
type linearFunc struct {
	*Func
	linearKind
	tiles *tiles

	w, x, x16, xStride, tileStride P
	sums, dst, left, n             P
	perRow, restOf, at             P // Int8

	perStep, stepsLeft, outLeft, place, of     Word
	restPlace, restColumns, columnsOf, ofBytes Word // Int8

	acc    [2][2]T
	xs, ws [2]T

	columns [][2]V      // scales or biases of the columns of the epilogue's block
	apply   func(y []V) // act, with its constants ready
}

// A panel's columns, and what is a tile.
const (
	panelColumns = 32
	tileRows     = 16
	tileBytes    = 1 << 10
)

func linear(kind linearKind) func(*Func) {
	return func(f *Func) {
		p := &linearFunc{Func: f, linearKind: kind, tiles: f.Tiles()}
		p.take()
		rows := f.Word("rows")
		block, panel, step, drain := f.Label("rows"), f.Label("panel"), f.Label("step"), f.Label("drain")
		end := f.Label("end")

		p.begin()
		f.Place(block)
		f.Note("the next 32 rows, or what there is, by all panels")
		p.beginRows()
		f.Place(panel)
		p.beginPanel()
		f.Place(step)
		f.Count(ofPass, p.step)
		p.rowsBeside()
		f.AddImmToWord(p.stepsLeft, -1)
		f.line("if stepsLeft != 0", "JNE %s", step)

		f.Place(drain)
		f.Note("what is left of the block before")
		p.rowsLeft()
		f.JumpWordLess(rows, 1, end)
		p.storeSums()
		p.nextEpilogue()
		p.nextPanel(panel)
		p.nextRows(block)
		f.Note("the last block's epilogue, with no product beside it")
		f.Jump(drain)
		f.Place(end)
		p.tiles.Release()
		f.Return()
		f.Say("COUNTS", p.linearCounts())
	}
}

// take allocates the registers and the words in the frame.
func (p *linearFunc) take() {
	for _, r := range []struct {
		p    *P
		name string
	}{
		{&p.w, "w"}, {&p.x, "x"}, {&p.x16, "x16"}, {&p.xStride, "xStride"}, {&p.tileStride, "tileStride"},
		{&p.sums, "sums"}, {&p.dst, "dst"}, {&p.left, "left"}, {&p.n, "n"},
	} {
		*r.p = p.Ptr(r.name)
	}
	p.perStep, p.stepsLeft, p.outLeft = p.Local("perStep"), p.Local("stepsLeft"), p.Local("outLeft")
	p.place, p.of = p.Local("place"), p.Local("of")
	if p.form == Int8 {
		p.perRow, p.restOf, p.at = p.Ptr("perRow"), p.Ptr("restOf"), p.Ptr("at")
		p.restPlace, p.restColumns = p.Local("restPlace"), p.Local("restColumns")
		p.columnsOf, p.ofBytes = p.Local("columnsOf"), p.Local("ofBytes")
	}
	for i := range 2 {
		for j := range 2 {
			p.acc[i][j] = p.tiles.Reg("sum[%d,%d]", tileRows*i, tileRows*j)
		}
		p.xs[i], p.ws[i] = p.tiles.Reg("x[%d]", tileRows*i), p.tiles.Reg("w[%d]", tileRows*i)
	}
	p.columns = make([][2]V, 1)
	if p.form == Int8 {
		p.columns = make([][2]V, 1+fewTerms)
	}
	for i := range p.columns {
		p.columns[i] = pair(p.Vecs(2, "of columns %d, %d", i, tileRows))
	}
}

// begin emits what is done once.
func (p *linearFunc) begin() {
	p.tiles.ConfigureAll(P{p.n.reg, "n"})
	p.LoadArg(p.xStride)
	p.SetImm(p.tileStride, 64)
	if p.act != nil {
		p.apply = p.act.hold(p.Func)
	}

	p.Note("perStep = 32/steps, rounded up: the rows of an epilogue in each step")
	next := p.Label("perStep")
	p.SetImm(p.n, 0)
	p.SetImm(p.left, panelColumns)
	p.Place(next)
	p.AddImm(p.n, 1)
	p.SubWord(p.left, p.Word("steps"))
	p.JumpAtLeast(p.left, 1, next)
	p.StoreWord(p.perStep, p.n)
	if p.form == Int8 {
		p.Note("the size of a panel's part of columns, in bytes")
		few := p.Label("few")
		p.SetImm(p.n, 4*panelColumns*(2+fewTerms))
		p.JumpWordLess(p.Word("terms"), mostTerms, few)
		p.SetImm(p.n, 4*panelColumns*(2+mostTerms))
		p.Place(few)
		p.StoreWord(p.ofBytes, p.n)
	}
	p.SetImm(p.left, 0)
}

// beginRows returns to the first panel.
func (p *linearFunc) beginRows() {
	p.LoadArg(p.w)
	p.CopyWord(p.place, p.Word("dst"), p.n)
	p.CopyWord(p.of, p.Word("columns"), p.n)
	p.CopyWord(p.outLeft, p.Word("out"), p.n)
	if p.form == Int8 {
		p.CopyWord(p.restPlace, p.Word("rest"), p.n)
	}
}

// beginPanel returns to the first step of the rows. w is at the panel already, because
// panels are contiguous.
func (p *linearFunc) beginPanel() {
	p.LoadArg(p.x)
	p.Move(p.x16, p.x)
	p.AddPtr(p.x16, p.xStride, 8)
	p.AddPtr(p.x16, p.xStride, 8)
	for _, row := range p.acc {
		for _, acc := range row {
			p.tiles.Zero(acc)
		}
	}
	p.CopyWord(p.stepsLeft, p.Word("steps"), p.n)
}

// step emits the products of a step: of 64 bytes of each row of x, or of 128 if values have
// two parts.
func (p *linearFunc) step() {
	if p.form == BF16x3 {
		// In this order each part is loaded only once, and two tiles each of x and w are
		// enough.
		p.products(0, 2*tileBytes) // high·low
		p.products(same, 0)        // high·high
		p.products(64, same)       // low·high
	} else {
		p.products(0, 0)
	}
	parts := 1
	if p.form == BF16x3 {
		parts = 2
	}
	p.AddImm(p.w, parts*2*tileBytes)
	p.AddImm(p.x, parts*64)
	p.AddImm(p.x16, parts*64)
}

// same means that the registers already hold the wanted tiles.
const same = -1

// products adds the products of the tiles that are xAt bytes from x and wAt bytes from w.
// If the block has at most 16 rows, it skips the lower tiles.
func (p *linearFunc) products(xAt, wAt int) {
	row := func(i int, x P) {
		if xAt != same {
			p.tiles.Load(p.xs[i], x, xAt, p.xStride)
		}
		for j := range 2 {
			if i == 0 && wAt != same {
				p.tiles.Load(p.ws[j], p.w, wAt+tileBytes*j, p.tileStride)
			}
			p.tiles.Dot(p.form, p.acc[i][j], p.xs[i], p.ws[j])
		}
	}
	row(0, p.x)
	p.ifLower(func() { row(1, p.x16) })
}

// ifLower runs body where a block has more than 16 rows.
func (p *linearFunc) ifLower(body func()) {
	none := p.Label("none")
	p.JumpWordLess(p.Word("rows"), tileRows+1, none)
	body()
	p.Place(none)
}

// storeSums stores a block's sums to scratch: first the left 16 columns of all rows,
// then the right ones.
func (p *linearFunc) storeSums() {
	p.LoadWord(p.sums, p.Word("scratch"))
	store := func(i int) {
		for j, acc := range p.acc[i] {
			p.tiles.Store(p.sums, tileBytes*(2*j+i), p.tileStride, acc)
		}
	}
	store(0)
	p.ifLower(func() { store(1) })
}

// nextPanel advances to the next panel, if there is one.
func (p *linearFunc) nextPanel(panel string) {
	p.AddImmToWord(p.place, panelColumns*p.resultBytes())
	if p.form == Int8 {
		p.LoadWord(p.n, p.ofBytes)
		p.AddToWord(p.of, p.n)
		p.AddImmToWord(p.restPlace, 4*panelColumns)
	} else {
		p.AddImmToWord(p.of, 4*panelColumns)
	}
	p.AddImmToWord(p.outLeft, -panelColumns)
	p.JumpWordAtLeast(p.outLeft, 1, panel)
}

// nextRows advances to the next rows, if there are any.
func (p *linearFunc) nextRows(block string) {
	const rows = 2 * tileRows
	for _, stride := range []string{"dst", "x"} {
		p.LoadWord(p.n, p.Word(stride+"Stride"))
		p.shift(p.n, 5)
		p.AddToWord(p.Word(stride), p.n)
	}
	if p.form == Int8 {
		p.AddImmToWord(p.Word("perRow"), rows*perRowBytes)
		p.AddImmToWord(p.Word("rests"), rows*8)
	}
	p.AddImmToWord(p.Word("rows"), -rows)
	p.JumpWordAtLeast(p.Word("rows"), 1, block)
}

// shift multiplies q by a power of two.
func (p *linearFunc) shift(q P, bits int) {
	p.line(fmt.Sprintf("%s <<= %d", q.name, bits), "SHLQ $%d, %s", bits, q.reg)
}
