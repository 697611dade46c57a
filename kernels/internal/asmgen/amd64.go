package asmgen

import "fmt"

// amd64 is AVX-512 (F, DQ, BW, VL) with 16 lanes or AVX2 with FMA with 8, and
// what later processors add.
type amd64 struct {
	lanes int
	dot   bool // VNNI: VPDPBUSD
	bf16  bool // AVX512_BF16
	tiles bool // AMX, whose own instructions are in tiles.go
}

// The machines of amd64.
var (
	AVX512     Machine = amd64{lanes: 16}
	AVX512VNNI Machine = amd64{lanes: 16, dot: true}
	AVX512BF16 Machine = amd64{lanes: 16, dot: true, bf16: true}
	AMX        Machine = amd64{lanes: 16, dot: true, bf16: true, tiles: true}
	AVX2       Machine = amd64{lanes: 8}
	AVXVNNI    Machine = amd64{lanes: 8, dot: true}
)

func (m amd64) wide() bool   { return m.lanes == 16 }
func (m amd64) Arch() string { return "amd64" }

// unsigned reports whether int8 products take x as the value plus 128, in uint8, as
// VPDPBUSD does.
func (m amd64) unsigned() bool { return m.dot && !m.tiles }

func (m amd64) Lanes() int { return m.lanes }

func (m amd64) Name() string {
	switch m {
	case AMX:
		return "AMX"
	case AVX512BF16:
		return "AVX512BF16"
	case AVX512VNNI:
		return "AVX512VNNI"
	case AVX512:
		return "AVX512"
	case AVXVNNI:
		return "AVXVNNI"
	case AVX2:
		return "AVX2"
	}
	panic("asmgen: a machine without a name")
}

// R14 and R15 belong to Go's ABIInternal and to dynamic linking, BP to the frame.
func (m amd64) registers() (int, []string) {
	n := 16
	if m.wide() {
		n = 32
	}
	return n, []string{"AX", "BX", "CX", "DX", "SI", "DI", "R8", "R9", "R10", "R11", "R12", "R13"}
}

func (m amd64) v(v V) string {
	if m.wide() {
		return fmt.Sprintf("Z%d", v.n)
	}
	return fmt.Sprintf("Y%d", v.n)
}

func (m amd64) mem(a Mem) string {
	s := "(" + a.base.reg + ")"
	if a.disp != 0 {
		s = fmt.Sprint(a.disp) + s
	}
	if a.scale > 0 {
		s += fmt.Sprintf("(%s*%d)", a.index.reg, a.scale)
	}
	return s
}

// where names a place in memory, for comments.
func where(a Mem) string {
	switch {
	case a.disp == 0:
		return a.name + "[0]"
	case a.disp%4 == 0:
		return fmt.Sprintf("%s[%d]", a.name, a.disp/4)
	}
	return fmt.Sprintf("%s+%d bytes", a.name, a.disp)
}

func (m amd64) loadArg(f *Func, p P, offset int) {
	f.line("", "MOVQ %s+%d(FP), %s", p.name, offset, p.reg)
}

func (m amd64) ret(f *Func) {
	f.line("no AVX state left behind to slow SSE", "VZEROUPPER")
	f.line("", "RET")
}

func (m amd64) setImm(f *Func, p P, n int) {
	f.line(fmt.Sprintf("%s = %d", p.name, n), "MOVQ $%d, %s", n, p.reg)
}

func (m amd64) addImm(f *Func, p P, n int) {
	if n < 0 {
		f.line(fmt.Sprintf("%s -= %d", p.name, -n), "SUBQ $%d, %s", -n, p.reg)
		return
	}
	f.line(fmt.Sprintf("%s += %d", p.name, n), "ADDQ $%d, %s", n, p.reg)
}

func (m amd64) add(f *Func, p, q P, scale int) {
	if scale == 1 {
		f.line(fmt.Sprintf("%s += %s", p.name, q.name), "ADDQ %s, %s", q.reg, p.reg)
		return
	}
	f.line(fmt.Sprintf("%s += %d·%s", p.name, scale, q.name), "LEAQ (%s)(%s*%d), %s", p.reg, q.reg, scale, p.reg)
}

func (m amd64) sub(f *Func, p, q P) {
	f.line(p.name+" -= "+q.name, "SUBQ %s, %s", q.reg, p.reg)
}

func (m amd64) move(f *Func, p, q P) {
	f.line(p.name+" = "+q.name, "MOVQ %s, %s", q.reg, p.reg)
}

func (m amd64) jump(f *Func, condition string, p P, n int, label string) {
	op := map[string]string{"<": "JLT", ">=": "JGE", "==": "JEQ"}[condition]
	f.line("", "CMPQ %s, $%d", p.reg, n)
	f.line(fmt.Sprintf("if %s %s %d", p.name, condition, n), "%s %s", op, label)
}

func (m amd64) jumpAlways(f *Func, label string) { f.line("", "JMP %s", label) }

// rows takes one base register for rows 0, 1, 2, 4 and 8, one for 3, 5, 7 and 11, and one
// for 6, 10 and so on, because an address can be base + {1, 2, 4, 8}·index.
func (m amd64) rows(f *Func, base, stride P, n int) *Rows {
	r := &Rows{at: make([]Mem, n)}
	for i := 0; i < n; i++ {
		if r.at[i].name != "" {
			continue
		}
		p := base
		if i > 0 {
			p = f.Ptr(fmt.Sprintf("%s%d", base.name, i))
			f.move(f, p, base)
			for left, bit := i, 8; left > 0; bit /= 2 {
				for ; left >= bit; left -= bit {
					f.add(f, p, stride, bit)
				}
			}
		}
		r.bases = append(r.bases, p)
		for _, scale := range []int{0, 1, 2, 4, 8} {
			if at := i + scale; at < n && r.at[at].name == "" {
				r.at[at] = Mem{base: p, index: stride, scale: scale, name: fmt.Sprintf("%s[%d]", base.name, at)}
			}
		}
	}
	return r
}

func (m amd64) prefetch(f *Func, a Mem) {
	f.line("to L2: "+where(a), "PREFETCHT1 %s", m.mem(a))
}

func (m amd64) zero(f *Func, v V) {
	op := "VXORPS"
	if m.wide() {
		op = "VPXORD"
	}
	f.line(v.name+" = 0", "%s %[2]s, %[2]s, %[2]s", op, m.v(v))
}

func (m amd64) load(f *Func, v V, a Mem) {
	f.line(v.name+" = "+where(a)+"...", "VMOVUPS %s, %s", m.mem(a), m.v(v))
}

func (m amd64) store(f *Func, a Mem, v V) {
	f.line(where(a)+"... = "+v.name, "VMOVUPS %s, %s", m.v(v), m.mem(a))
}

func (m amd64) storeOne(f *Func, a Mem, v V) {
	f.line(where(a)+" = "+v.name, "VMOVSS X%d, %s", v.n, m.mem(a))
}

func (m amd64) splat(f *Func, v V, a Mem) {
	f.line(v.name+" = "+where(a)+" in every lane", "VBROADCASTSS %s, %s", m.mem(a), m.v(v))
}

func (m amd64) splatConst(f *Func, v V, c C) {
	f.line(v.name+" in every lane", "VBROADCASTSS %s<>+%d(SB), %s", f.consts.symbol, c.offset, m.v(v))
}

// constSize is a whole register for AVX2; AVX-512 copies one value to all lanes itself.
func (m amd64) constSize() int {
	if m.wide() {
		return 4
	}
	return 32
}

func (m amd64) copy(f *Func, dst, src V) {
	f.line(dst.name+" = "+src.name, "VMOVAPS %s, %s", m.v(src), m.v(dst))
}

// op returns an instruction's name and its last operand, in assembler syntax.
func (m amd64) op(f *Func, name string, b Operand) (string, string) {
	switch b := b.(type) {
	case V:
		return name, m.v(b)
	case C:
		if m.wide() {
			name += ".BCST"
		}
		return name, fmt.Sprintf("%s<>+%d(SB)", f.consts.symbol, b.offset)
	}
	panic("asmgen: unknown operand")
}

var opNames = [...]string{"VADDPS", "VSUBPS", "VMULPS", "VDIVPS", "VMINPS", "VMAXPS"}

func (m amd64) binary(f *Func, op Op, dst, a V, b Operand) {
	name, last := m.op(f, opNames[op], b)
	f.line(dst.name+" = "+fmt.Sprintf(opSigns[op], a.name, b.operand()), "%s %s, %s, %s", name, last, m.v(a), m.v(dst))
}

func (m amd64) muladd(f *Func, acc, a, b V) {
	f.line(acc.name+" += "+a.name+"·"+b.name, "VFMADD231PS %s, %s, %s", m.v(b), m.v(a), m.v(acc))
}

func (m amd64) splatted(f *Func, op Op, dst, a V, at Mem, scratch V) {
	if !m.wide() {
		f.Splat(scratch, at)
		f.Do(op, dst, a, scratch)
		return
	}
	f.line(dst.name+" = "+fmt.Sprintf(opSigns[op], a.name, where(at)), "%s.BCST %s, %s, %s", opNames[op], m.mem(at), m.v(a), m.v(dst))
}

func (m amd64) mulAddSplat(f *Func, acc, a V, at Mem, scratch V) {
	if !m.wide() {
		f.Splat(scratch, at)
		f.MulAdd(acc, a, scratch)
		return
	}
	f.line(acc.name+" += "+a.name+"·"+where(at), "VFMADD231PS.BCST %s, %s, %s", m.mem(at), m.v(a), m.v(acc))
}

func (m amd64) horner(f *Func, p, x V, c Operand) V {
	name, last := m.op(f, "VFMADD213PS", c)
	f.line(p.name+" = "+p.name+"·"+x.name+" + "+c.operand(), "%s %s, %s, %s", name, last, m.v(x), m.v(p))
	return p
}

func (m amd64) shiftLeft(f *Func, dst, src V, bits int) {
	f.line(fmt.Sprintf("%s = bits of %s << %d", dst.name, src.name, bits), "VPSLLD $%d, %s, %s", bits, m.v(src), m.v(dst))
}

func (m amd64) sqrt(f *Func, dst, src V) {
	f.line(dst.name+" = √"+src.name, "VSQRTPS %s, %s", m.v(src), m.v(dst))
}

func (m amd64) splatArg(f *Func, v V, offset int) {
	f.line(v.name+" in every lane", "VBROADCASTSS %s+%d(FP), %s", v.name, offset, m.v(v))
}

func (m amd64) fill(f *Func, v V, value Operand) {
	switch value := value.(type) {
	case V:
		f.copy(f, v, value)
	case C:
		if m.wide() {
			f.splatConst(f, v, value)
			return
		}
		f.line(v.name+" = "+value.name, "VMOVUPS %s<>+%d(SB), %s", f.consts.symbol, value.offset, m.v(v))
	}
}

// rotate swaps neighbouring groups of n lanes.
func (m amd64) rotate(f *Func, dst, src V, n int) {
	effect := fmt.Sprintf("%s = %s, groups of %d lanes swapped", dst.name, src.name, n)
	switch n {
	case 8:
		f.line(effect, "VSHUFF32X4 $0x4e, %[1]s, %[1]s, %[2]s", m.v(src), m.v(dst))
	case 4:
		if m.wide() {
			f.line(effect, "VSHUFF32X4 $0xb1, %[1]s, %[1]s, %[2]s", m.v(src), m.v(dst))
		} else {
			f.line(effect, "VPERM2F128 $0x01, %[1]s, %[1]s, %[2]s", m.v(src), m.v(dst))
		}
	case 2:
		f.line(effect, "VPERMILPS $0x4e, %s, %s", m.v(src), m.v(dst))
	case 1:
		f.line(effect, "VPERMILPS $0xb1, %s, %s", m.v(src), m.v(dst))
	}
}

// transposeBlock transposes 8×8 values. Rows r and r+4 share a register, the halves of
// which are 4×4 blocks.
func (m amd64) transposeBlock(f *Func, rows *Rows, dst, stride P) {
	for c := 0; c < 8; c += 4 {
		f.Scope(func() {
			var a, t [4]V
			for r := range a {
				a[r], t[r] = f.Vec("a%d", r), f.Vec("t%d", r)
				f.line(fmt.Sprintf("a%d = row %d, columns %d to %d,", r, r, c, c+3), "VMOVUPS %s, X%d", m.mem(rows.Row(r).Plus(4*c)), a[r].n)
				f.line(fmt.Sprintf("and of row %d", r+4), "VINSERTF128 $1, %s, Y%d, Y%d", m.mem(rows.Row(r+4).Plus(4*c)), a[r].n, a[r].n)
			}
			for i, name := range []string{"VUNPCKLPS", "VUNPCKHPS"} {
				for half := range 2 {
					x, y := a[2*half], a[2*half+1]
					f.line(fmt.Sprintf("t%d = %s and %s in turn, columns %d and %d", 2*half+i, x.name, y.name, c+2*i, c+2*i+1), "%s Y%d, Y%d, Y%d", name, y.n, x.n, t[2*half+i].n)
				}
			}
			for i := range 4 {
				low, high := t[i/2], t[2+i/2]
				f.line(fmt.Sprintf("a%d = column %d", i, c+i), "VSHUFPS $%#x, Y%d, Y%d, Y%d", []int{0x44, 0xee}[i%2], high.n, low.n, a[i].n)
				f.line(fmt.Sprintf("dst row %d = column %d", c+i, c+i), "VMOVUPS Y%d, (%s)", a[i].n, dst.reg)
				f.AddPtr(dst, stride, 1)
			}
		})
	}
}
