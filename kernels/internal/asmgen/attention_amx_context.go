package asmgen

import "fmt"

// dstRow is the size in bytes of the result for one head of a query.
func (a *amxAttention) dstRow() int {
	if a.narrow {
		return a.row()
	}
	return 2 * a.row()
}

// writeContext divides a block's sums by the sums of its weights, with one division for all
// rows.
func (a *amxAttention) writeContext() {
	r := a.regs
	for c, t := range a.context {
		a.t.Store(a.mem, amxContext+amxTile*c, a.lineBytes, t)
	}
	a.t.Store(a.mem, amxSums, a.lineBytes, a.sum)
	at, sums, one := a.Vec("rows"), a.Vec("sums"), a.InRegister(a.Const(1))
	rows := a.table("rows of 16 floats", 0x30201000, 0x70605040, 0xb0a09080, 0xf0e0d0c0)
	a.line("rows of 16 values", "VPMOVZXBD %s<>+%d(SB), Z%d", a.consts.symbol, rows.offset, at.n)
	a.line("all lanes", "KXNORW K1, K1, K1")
	a.line("sums = the first column", "VGATHERDPS %d(%s)(Z%d*4), K1, Z%d", amxSums, a.mem.reg, at.n, sums.n)
	a.Do(Div, sums, one, sums)
	a.Store(a.mem.At(amxFactors).Named("factors"), sums)

	n, dst, row, factor := r.steps, r.free[0], r.free[1], r.free[2]
	a.LoadWord(n, a.left)
	a.SetImm(row, 16)
	a.line("", "CMPQ %s, %s", row.reg, n.reg)
	a.line("16 rows, or what is left", "CMOVQLT %s, %s", row.reg, n.reg)
	a.LoadWord(dst, a.out)
	a.Move(row, a.mem)
	a.Move(factor, a.mem)
	by, x := a.Vec("factor"), a.Vecs(2*a.across, "context[%d]", 16)
	a.Times(n, 1, func() {
		a.Splat(by, factor.At(amxFactors).Named("factors"))
		for c, v := range x {
			a.Load(v, row.At(amxContext+amxTile*c).Named("sums"))
			a.Do(Mul, v, v, by)
		}
		for c, v := range x {
			switch {
			case !a.narrow:
				a.Store(dst.At(64*c).Named("dst"), v)
			case c%2 != 0:
				a.pairOf(x[c-1], v)
				a.Store(dst.At(32*(c-1)).Named("dst"), x[c-1])
			}
		}
		a.AddImm(row, 64)
		a.AddImm(factor, 4)
		a.AddWord(dst, a.Word("dstStride"))
	})
	a.StoreWord(a.out, dst)
}

// pairOf rounds two registers to bfloat16, into one register: low, then high.
func (a *amxAttention) pairOf(low, high V) {
	a.Machine.(amd64).evex(a.Func, fmt.Sprintf("VCVTNE2PS2BF16 Z%d, Z%d, Z%d", low.n, high.n, low.n),
		"bfloat16("+low.name+"), and of "+high.name, 0xf2, 0x72, low, high.n, low)
}
