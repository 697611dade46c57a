package asmgen

import "fmt"

// transposeMasks sets K1, K2 and K3 to masks of lanes 4 to 7, 8 to 11 and 12 to 15.
func (a *amxAttention) transposeMasks(scratch P) {
	for i, bits := range []int{0x00f0, 0x0f00, 0xf000} {
		a.line("", "MOVQ $%#x, %s", bits, scratch.reg)
		a.line(fmt.Sprintf("lanes %d to %d", 4*i+4, 4*i+7), "KMOVW %s, K%d", scratch.reg, i+1)
	}
}

// packKeys packs a head's keys as right operands of q·kᵀ: tiles of 16 keys, in which row g
// has values 2g and 2g+1 of each key.
func (a *amxAttention) packKeys() {
	a.Note("K's rows, turned over by pairs of values, 16 keys a tile.")
	src, left, dst, n := a.Ptr("k"), a.Ptr("keys"), a.Ptr("packed"), a.Ptr("tiles")
	stride, three := a.Ptr("kvStride"), a.Ptr("3·stride")
	var rows [4]P
	for i := range rows {
		rows[i] = a.Ptr(fmt.Sprintf("row%d", 4*i))
	}
	a.transposeMasks(three)
	a.LoadArg(src)
	a.LoadArg(left)
	a.LoadWord(n, a.blocks)
	a.AddPtr(n, n, 1)
	a.keysAt(dst)
	a.Times(n, 1, func() {
		whole := a.Label("whole")
		a.LoadArg(stride)
		a.Move(rows[0], src)
		a.JumpAtLeast(left, 16, whole)
		a.copyEdge(a.edge(), rows[0], stride, left, 16, rows[1], rows[2])
		a.Place(whole)
		a.Move(three, stride)
		a.AddPtr(three, stride, 2)
		for i := 1; i < 4; i++ {
			a.Move(rows[i], rows[i-1])
			a.AddPtr(rows[i], stride, 4)
		}
		for c := range a.across {
			a.transposeTile(rows, stride, three, 64*c, dst, amxTile*c)
		}
		a.AddImm(dst, amxTile*a.across)
		a.LoadArg(stride)
		a.AddPtr(src, stride, 8)
		a.AddPtr(src, stride, 8)
		a.AddImm(left, -16)
	})
}

// transposeTile writes 16 rows of 16 values of 4 bytes as columns. Loads put four values
// each of rows r, r+4, r+8 and r+12 into one register, in a 16-byte lane each. This
// replaces two of the four rounds of shuffles, and processors have more ports for loads
// than for shuffles.
func (a *amxAttention) transposeTile(rows [4]P, stride, three P, from int, dst P, to int) {
	for c := 0; c < 16; c += 4 {
		a.Scope(func() {
			x, t := a.Vecs(4, "x%d", 1), a.Vecs(4, "t%d", 1)
			for r, v := range x {
				for block, p := range rows {
					at := p.At(from + 4*c)
					switch r {
					case 1, 2:
						at.index, at.scale = stride, r
					case 3:
						at.index, at.scale = three, 1
					}
					if block == 0 {
						a.line(fmt.Sprintf("x%d = row %d, columns %d to %d,", r, r, c, c+3), "VMOVUPS %s, X%d", a.address(at), v.n)
						continue
					}
					a.line(fmt.Sprintf("and of row %d", r+4*block), "VBROADCASTF32X4 %s, K%d, Z%d", a.address(at), block, v.n)
				}
			}
			for i, name := range []string{"VUNPCKLPS", "VUNPCKHPS"} {
				for half := range 2 {
					low, high := x[2*half], x[2*half+1]
					a.line(fmt.Sprintf("t%d = %s and %s in turn, columns %d and %d", 2*half+i, low.name, high.name, c+2*i, c+2*i+1), "%s Z%d, Z%d, Z%d", name, high.n, low.n, t[2*half+i].n)
				}
			}
			for i, v := range x {
				low, high := t[i/2], t[2+i/2]
				a.line(fmt.Sprintf("x%d = column %d", i, c+i), "%s Z%d, Z%d, Z%d", []string{"VUNPCKLPD", "VUNPCKHPD"}[i%2], high.n, low.n, v.n)
				a.Store(dst.At(to+64*(c+i)), v)
			}
		})
	}
}

// address returns a place in the assembler's syntax.
func (a *amxAttention) address(at Mem) string { return a.Machine.(amd64).mem(at) }

// packValues packs a head's values as right operands for the context: tiles of 32 keys and
// 16 columns, in which row g has keys g and g+16.
func (a *amxAttention) packValues() {
	a.Note("V's rows by pairs of keys, 32 keys and 16 columns a tile.")
	src, left, dst, n := a.Ptr("v"), a.Ptr("keys"), a.Ptr("packed"), a.Ptr("blocks")
	stride, low, high, count := a.Ptr("kvStride"), a.Ptr("low"), a.Ptr("high"), a.Ptr("rows")
	order, x, y, pair := a.Vec("order"), a.Vec("low"), a.Vec("high"), a.Vec("pairs")
	// Unpacking separates the halves of each 16 bytes. So columns 0 to 15 are first moved
	// to the lower halves and 16 to 31 to the upper halves.
	groups := a.table("groups of 4 columns", 0x05010400, 0x07030602)
	a.line("order = 0, 4, 1, 5, 2, 6, 3, 7", "VPMOVZXBQ %s<>+%d(SB), Z%d", a.consts.symbol, groups.offset, order.n)
	a.LoadArg(src)
	a.LoadArg(left)
	a.Move(dst, a.valuesAt(n))
	a.LoadWord(n, a.blocks)
	a.Times(n, 1, func() {
		whole := a.Label("whole")
		a.LoadArg(stride)
		a.Move(low, src)
		a.JumpAtLeast(left, 32, whole)
		a.copyEdge(a.edge(), low, stride, left, 32, high, count)
		a.Place(whole)
		a.Move(high, low)
		a.AddPtr(high, stride, 8)
		a.AddPtr(high, stride, 8)
		a.SetImm(count, 16)
		a.Times(count, 1, func() {
			for c := range a.across {
				a.line(fmt.Sprintf("%s: columns %d, 16, 4, 20, ..., 4 each", x.name, 32*c), "VPERMQ %s, Z%d, Z%d", a.address(low.At(64*c)), order.n, x.n)
				a.line(y.name+": the same of the key 16 on", "VPERMQ %s, Z%d, Z%d", a.address(high.At(64*c)), order.n, y.n)
				for half, name := range []string{"VPUNPCKLWD", "VPUNPCKHWD"} {
					a.line(fmt.Sprintf("pairs of columns %d to %d", 32*c+16*half, 32*c+16*half+15), "%s Z%d, Z%d, Z%d", name, y.n, x.n, pair.n)
					a.Store(dst.At(amxTile*(2*c+half)), pair)
				}
			}
			a.AddPtr(low, stride, 1)
			a.AddPtr(high, stride, 1)
			a.AddImm(dst, 64)
		})
		a.AddImm(dst, a.step()-amxTile)
		a.LoadArg(stride)
		a.Move(low, stride)
		a.line("32 rows", "SHLQ $5, %s", low.reg)
		a.AddPtr(src, low, 1)
		a.AddImm(left, -32)
	})
}

// valuesAt sets p to the address of V's tiles.
func (a *amxAttention) valuesAt(p P) P {
	a.LoadWord(p, a.blocks)
	a.line("", "IMULQ $%d, %s", a.step(), p.reg)
	a.AddPtr(p, a.mem, 1)
	a.AddImm(p, a.packed())
	return p
}

// lastQueries copies the queries that do not fill a block.
func (a *amxAttention) lastQueries() {
	none := a.Label("none")
	q, stride, n := a.Ptr("q"), a.Ptr("qStride"), a.Ptr("queries")
	to, count := a.Ptr("to"), a.Ptr("count")
	a.LoadArg(n)
	a.Move(to, n)
	a.line("queries past the last whole block", "ANDQ $15, %s", n.reg)
	a.JumpEqual(n, 0, none)
	a.LoadArg(stride)
	a.SubPtr(to, n)
	a.line("", "IMULQ %s, %s", stride.reg, to.reg)
	a.LoadArg(q)
	a.AddPtr(q, to, 1)
	a.copyEdge(a.lastBlock(), q, stride, n, 16, to, count)
	a.Place(none)
}

// copyEdge copies the existing rows from src to scratch memory, and zeros after them, up to
// total rows. It sets src and stride to the copy.
func (a *amxAttention) copyEdge(edge int, src, stride, rows P, total int, to, count P) {
	a.Scope(func() {
		v := a.Vec("row")
		a.Zero(v)
		a.at(to, edge)
		a.SetImm(count, total)
		a.Times(count, 1, func() {
			for c := range a.across {
				a.Store(to.At(64*c), v)
			}
			a.AddImm(to, a.row())
		})
		a.at(to, edge)
		a.Move(count, rows)
		a.Times(count, 1, func() {
			for c := range a.across {
				a.Load(v, src.At(64*c))
				a.Store(to.At(64*c), v)
			}
			a.AddPtr(src, stride, 1)
			a.AddImm(to, a.row())
		})
		a.at(src, edge)
		a.SetImm(stride, a.row())
	})
}

// at sets p to an offset in scratch memory.
func (a *amxAttention) at(p P, offset int) {
	a.Move(p, a.mem)
	a.AddImm(p, offset)
}
