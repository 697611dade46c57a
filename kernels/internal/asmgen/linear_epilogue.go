package asmgen

import "fmt"

// The epilogue of a product on tiles converts a row of 32 sums to results. It uses the same
// operations in the same order as gemm and gelu, so that the results are the same, bit for
// bit.

// perRowBytes is the size of one row of perRow: eight float32, see gemmInt8.
const perRowBytes = 32

// K is a mask register, which says which lanes of a vector are written.
type K int

// Masks of the columns that exist in a panel: liveColumns of the first 16 (or of all 32),
// liveRight of the last 16.
const (
	liveColumns K = 1
	liveRight   K = 2
)

func pair(v []V) [2]V { return [2]V{v[0], v[1]} }

// resultBytes is the size of a value of dst.
func (p *linearFunc) resultBytes() int {
	if p.narrow {
		return 2
	}
	return 4
}

// nextEpilogue switches the epilogue to the block whose sums were just stored.
func (p *linearFunc) nextEpilogue() {
	p.Note("its epilogue is the next to run: rows, columns, masks")
	p.LoadWord(p.dst, p.place)
	whole := p.Label("whole")
	p.LoadWord(p.left, p.Word("rows"))
	p.JumpLess(p.left, 2*tileRows, whole)
	p.SetImm(p.left, 2*tileRows)
	p.Place(whole)

	p.LoadWord(p.n, p.outLeft)
	all := p.Label("all")
	p.JumpLess(p.n, panelColumns, all)
	p.SetImm(p.n, panelColumns)
	p.Place(all)
	ones := P{p.x.reg, "ones"} // x is free here: the next block loads it again
	p.SetImm(ones, -1)
	p.line("a one for each column that there is", "BZHIQ %s, %s, %s", p.n.reg, ones.reg, p.n.reg)
	p.line("", "KMOVD %s, K%d", p.n.reg, liveColumns)
	p.line("the last 16", "KSHIFTRD $%d, K%d, K%d", tileRows, liveColumns, liveRight)

	p.LoadWord(p.n, p.of)
	of := P{p.n.reg, "columns"}
	first := 0
	if p.form == Int8 {
		first = 1 // 0 is start, which only unsigned x needs
		p.StoreWord(p.columnsOf, p.n)
		p.LoadWord(p.perRow, p.Word("perRow"))
		p.LoadWord(p.restOf, p.Word("rests"))
		p.CopyWord(p.restColumns, p.restPlace, p.at)
	}
	for i, vs := range p.columns {
		for c, v := range vs {
			p.Load(v, ofColumns(of, first+i, c))
		}
	}
}

// ofColumns is the address, for the c-th 16 columns, of one of the arrays in columns.
func ofColumns(p P, which, c int) Mem { return p.At(4*panelColumns*which + 64*c).Named("columns") }

// rowsBeside emits the epilogue of at most perStep rows.
func (p *linearFunc) rowsBeside() {
	row, none := p.Label("row"), p.Label("none")
	p.Note("beside them, perStep rows of the block before")
	p.LoadWord(p.n, p.perStep)
	p.Place(row)
	p.JumpLess(p.left, 1, none)
	p.Count(ofRowBeside, func() {
		p.row()
		p.AddImm(p.n, -1)
		p.line("if n != 0", "JNE %s", row)
	})
	p.Place(none)
}

// rowsLeft emits the epilogue of all remaining rows.
func (p *linearFunc) rowsLeft() {
	row, none := p.Label("row"), p.Label("none")
	p.Place(row)
	p.JumpLess(p.left, 1, none)
	p.row()
	p.Jump(row)
	p.Place(none)
}

// row emits the epilogue of one row.
func (p *linearFunc) row() {
	p.Scope(func() {
		y := p.Vecs(2, "y[%d]", tileRows)
		if p.form == Int8 {
			p.fromIntegers(y)
		} else {
			for c := range y {
				at := p.sumsAt(c)
				p.line(fmt.Sprintf("%s = %s + bias", y[c].name, where(at)), "VADDPS %s, %s, %s", p.mem(at), p.v(p.columns[0][c]), p.v(y[c]))
			}
		}
		if p.apply != nil {
			p.apply(y)
		}
		p.storeRow(y)
	})
	p.AddImm(p.sums, 64)
	p.AddWord(p.dst, p.Word("dstStride"))
	if p.form == Int8 {
		p.AddImm(p.perRow, perRowBytes)
		p.AddImm(p.restOf, 8)
	}
	p.AddImm(p.left, -1)
}

// sumsAt is the address of the c-th 16 sums of a row.
func (p *linearFunc) sumsAt(c int) Mem { return p.sums.At(2 * tileBytes * c) }

// mem and v return an operand in the assembler's syntax.
func (p *linearFunc) mem(m Mem) string { return p.Machine.(amd64).mem(m) }
func (p *linearFunc) v(v V) string     { return p.Machine.(amd64).v(v) }

// fromIntegers does for a row what fromInt8 of gemmInt8 does, and adds the row's rest last.
func (p *linearFunc) fromIntegers(y []V) {
	perRow := func(i int) Mem { return p.perRow.At(4 * i) }
	none := V{}
	for c := range y {
		p.splatted(p.Func, Mul, y[c], p.columns[1][c], perRow(1), none)
		p.mulAddSplat(p.Func, y[c], p.columns[2][c], perRow(2), none)
	}
	few := p.Label("few")
	p.JumpWordLess(p.Word("terms"), mostTerms, few)
	p.LoadWord(p.at, p.columnsOf)
	p.Scope(func() {
		value := p.Vec("value")
		for i := fewTerms; i < mostTerms; i++ {
			for c := range y {
				p.Load(value, ofColumns(p.at, 2+i, c))
				p.mulAddSplat(p.Func, y[c], value, perRow(1+i), none)
			}
		}
	})
	p.Place(few)
	p.LoadWord(p.at, p.restColumns)
	p.line("at = this row's rest", "ADDQ (%s), %s", p.restOf.reg, p.at.reg)
	p.Scope(func() {
		sum := p.Vecs(2, "sum[%d]", tileRows)
		for c, live := range []K{liveColumns, liveRight} {
			p.line(fmt.Sprintf("%s = float(%s...)", sum[c].name, where(p.sumsAt(c))), "VCVTDQ2PS %s, %s", p.mem(p.sumsAt(c)), p.v(sum[c]))
			p.splatted(p.Func, Mul, sum[c], sum[c], perRow(0), none)
			p.MulAdd(y[c], sum[c], p.columns[0][c])
			p.line(y[c].name+" += its rest, where there are columns", "VADDPS %s, %s, K%d, %s", p.mem(p.at.At(64*c)), p.v(y[c]), live, p.v(y[c]))
		}
	})
}

// storeRow writes the columns that exist.
func (p *linearFunc) storeRow(y []V) {
	if p.narrow {
		p.Scope(func() {
			out := p.Vec("out")
			p.Machine.(amd64).evex(p.Func, fmt.Sprintf("VCVTNE2PS2BF16 %s, %s, %s", p.v(y[0]), p.v(y[1]), p.v(out)),
				fmt.Sprintf("%s = bfloat16(%s, %s)", out.name, y[0].name, y[1].name), 0xf2, 0x72, out, y[1].n, y[0])
			p.line(where(p.dst.At(0))+"... = out, where there are columns", "VMOVDQU16 %s, K%d, %s", p.v(out), liveColumns, p.mem(p.dst.At(0)))
		})
		return
	}
	for c, live := range []K{liveColumns, liveRight} {
		at := p.dst.At(64 * c)
		p.line(where(at)+"... = "+y[c].name+", where there are columns", "VMOVUPS %s, K%d, %s", p.v(y[c]), live, p.mem(at))
	}
}
