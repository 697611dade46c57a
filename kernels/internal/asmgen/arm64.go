package asmgen

import (
	"fmt"
	"math/bits"
)

// arm64 is NEON, which every arm64 processor has, with 4 lanes, and what later processors
// add.
type arm64 struct {
	v82 bool // ARMv8.2's FEAT_FP16 and FEAT_DotProd
	v86 bool // ARMv8.6's FEAT_BF16 and FEAT_I8MM
}

// The machines of arm64.
var (
	NEON   Machine = arm64{}
	NEON82 Machine = arm64{v82: true}
	NEON86 Machine = arm64{v82: true, v86: true}
)

func (m arm64) Name() string {
	switch {
	case m.v86:
		return "NEON86"
	case m.v82:
		return "NEON82"
	}
	return "NEON"
}

func (arm64) Arch() string   { return "arm64" }
func (arm64) Lanes() int     { return 4 }
func (arm64) constSize() int { return 4 }

// spare is the register for addresses of constants. R18 belongs to the platform, R27 to the
// assembler, R28 and above to Go.
const spare = "R26"

func (arm64) registers() (int, []string) {
	var pointers []string
	for i := range 26 {
		if i != 18 {
			pointers = append(pointers, fmt.Sprintf("R%d", i))
		}
	}
	return 32, pointers
}

func (arm64) mem(a Mem) string {
	if a.disp == 0 {
		return "(" + a.base.reg + ")"
	}
	return fmt.Sprintf("%d(%s)", a.disp, a.base.reg)
}

// word writes an instruction that the Go assembler lacks.
func (arm64) word(f *Func, effect, instruction string, code uint32) {
	f.line(instruction+": "+effect, "WORD $%#08x", code)
}

func (arm64) loadArg(f *Func, p P, offset int) {
	f.line("", "MOVD %s+%d(FP), %s", p.name, offset, p.reg)
}

func (m arm64) splatArg(f *Func, v V, offset int) {
	f.line(v.name, "FMOVS %s+%d(FP), F%d", v.name, offset, v.n)
	f.line("in every lane", "VDUP V%d.S[0], V%d.S4", v.n, v.n)
}

func (arm64) ret(f *Func) { f.line("", "RET") }

func (arm64) setImm(f *Func, p P, n int) {
	f.line(fmt.Sprintf("%s = %d", p.name, n), "MOVD $%d, %s", n, p.reg)
}

func (arm64) addImm(f *Func, p P, n int) {
	if n < 0 {
		f.line(fmt.Sprintf("%s -= %d", p.name, -n), "SUB $%d, %s", -n, p.reg)
		return
	}
	f.line(fmt.Sprintf("%s += %d", p.name, n), "ADD $%d, %s", n, p.reg)
}

func (arm64) add(f *Func, p, q P, scale int) {
	if scale == 1 {
		f.line(fmt.Sprintf("%s += %s", p.name, q.name), "ADD %s, %s", q.reg, p.reg)
		return
	}
	f.line(fmt.Sprintf("%s += %d·%s", p.name, scale, q.name), "ADD %s<<%d, %s", q.reg, bits.TrailingZeros(uint(scale)), p.reg)
}

func (arm64) sub(f *Func, p, q P) { f.line(p.name+" -= "+q.name, "SUB %s, %s", q.reg, p.reg) }

func (arm64) move(f *Func, p, q P) { f.line(p.name+" = "+q.name, "MOVD %s, %s", q.reg, p.reg) }

func (arm64) jump(f *Func, condition string, p P, n int, label string) {
	op := map[string]string{"<": "BLT", ">=": "BGE", "==": "BEQ"}[condition]
	f.line("", "CMP $%d, %s", n, p.reg)
	f.line(fmt.Sprintf("if %s %s %d", p.name, condition, n), "%s %s", op, label)
}

func (arm64) jumpAlways(f *Func, label string) { f.line("", "B %s", label) }

// rows gives each row a pointer register of its own.
func (m arm64) rows(f *Func, base, stride P, n int) *Rows {
	r := &Rows{}
	for i := range n {
		p := P{base.reg, fmt.Sprintf("%s[%d]", base.name, i)}
		if i > 0 {
			p.reg = f.Ptr(base.name).reg
			f.line(p.name, "ADD %s, %s, %s", stride.reg, r.bases[i-1].reg, p.reg)
		}
		r.bases = append(r.bases, p)
		r.at = append(r.at, p.At(0))
	}
	return r
}

func (m arm64) prefetch(f *Func, a Mem) {
	f.line("to L2: "+where(a), "PRFM %s, PLDL2KEEP", m.mem(a))
}

// zero uses the instruction that processors recognize as independent of the register's old
// value.
func (m arm64) zero(f *Func, v V) {
	m.word(f, v.name+" = 0", fmt.Sprintf("MOVI V%d.2D, #0", v.n), 0x6f00e400|uint32(v.n))
}

func (m arm64) load(f *Func, v V, a Mem) {
	f.line(v.name+" = "+where(a)+"...", "FMOVQ %s, F%d", m.mem(a), v.n)
}

func (m arm64) store(f *Func, a Mem, v V) {
	f.line(where(a)+"... = "+v.name, "FMOVQ F%d, %s", v.n, m.mem(a))
}

func (m arm64) storeOne(f *Func, a Mem, v V) {
	f.line(where(a)+" = "+v.name, "FMOVS F%d, %s", v.n, m.mem(a))
}

func (m arm64) splat(f *Func, v V, a Mem) {
	m.loadOne(f, v, a)
	f.line("in every lane", "VDUP V%d.S[0], V%d.S4", v.n, v.n)
}

// loadOne loads one value into lane 0.
func (m arm64) loadOne(f *Func, v V, a Mem) {
	f.line(v.name+" = "+where(a), "FMOVS %s, F%d", m.mem(a), v.n)
}

func (m arm64) splatConst(f *Func, v V, c C) {
	f.line("", "MOVD $%s<>+%d(SB), %s", f.consts.symbol, c.offset, spare)
	f.line(v.name+" in every lane", "VLD1R (%s), [V%d.S4]", spare, v.n)
}

func (m arm64) fill(f *Func, v V, value Operand) {
	switch value := value.(type) {
	case V:
		m.copy(f, v, value)
	case C:
		m.splatConst(f, v, value)
	}
}

func (arm64) copy(f *Func, dst, src V) {
	f.line(dst.name+" = "+src.name, "VMOV V%d.B16, V%d.B16", src.n, dst.n)
}

func (m arm64) binary(f *Func, op Op, dst, a V, b Operand) {
	names := [...]string{"FADD", "FSUB", "FMUL", "FDIV", "FMIN", "FMAX"}
	codes := [...]uint32{0x4e20d400, 0x4ea0d400, 0x6e20dc00, 0x6e20fc00, 0x4ea0f400, 0x4e20f400}
	last := b.(V)
	m.word(f, dst.name+" = "+fmt.Sprintf(opSigns[op], a.name, last.name),
		fmt.Sprintf("%s V%d.4S, V%d.4S, V%d.4S", names[op], dst.n, a.n, last.n),
		codes[op]|uint32(last.n)<<16|uint32(a.n)<<5|uint32(dst.n))
}

func (arm64) muladd(f *Func, acc, a, b V) {
	f.line(acc.name+" += "+a.name+"·"+b.name, "VFMLA V%d.S4, V%d.S4, V%d.S4", b.n, a.n, acc.n)
}

// splatted multiplies by a single lane, so the value need not be copied to all lanes.
func (m arm64) splatted(f *Func, op Op, dst, a V, at Mem, scratch V) {
	if op != Mul {
		f.Splat(scratch, at)
		f.Do(op, dst, a, scratch)
		return
	}
	m.loadOne(f, scratch, at)
	m.word(f, fmt.Sprintf("%s = %s·%s[0]", dst.name, a.name, scratch.name),
		fmt.Sprintf("FMUL V%d.4S, V%d.4S, V%d.S[0]", dst.n, a.n, scratch.n),
		0x4f809000|uint32(scratch.n)<<16|uint32(a.n)<<5|uint32(dst.n))
}

func (m arm64) mulAddSplat(f *Func, acc, a V, at Mem, scratch V) {
	m.loadOne(f, scratch, at)
	m.accumulateLane(f, F32, acc, a, scratch, 0)
}

// horner copies the constant first, because FMLA adds to its result register.
func (m arm64) horner(f *Func, p, x V, c Operand) V {
	sum := f.Vec("%s", p.name)
	m.fill(f, sum, c)
	m.muladd(f, sum, p, x)
	f.vectors = append(f.vectors, p.n)
	return sum
}

func (arm64) shiftLeft(f *Func, dst, src V, n int) {
	f.line(fmt.Sprintf("%s = bits of %s << %d", dst.name, src.name, n), "VSHL $%d, V%d.S4, V%d.S4", n, src.n, dst.n)
}

func (m arm64) sqrt(f *Func, dst, src V) {
	m.word(f, dst.name+" = √"+src.name, fmt.Sprintf("FSQRT V%d.4S, V%d.4S", dst.n, src.n),
		0x6ea1f800|uint32(src.n)<<5|uint32(dst.n))
}

// rotate swaps neighbouring groups of n lanes.
func (arm64) rotate(f *Func, dst, src V, n int) {
	effect := fmt.Sprintf("%s = %s, groups of %d lanes swapped", dst.name, src.name, n)
	if n == 2 {
		f.line(effect, "VEXT $8, V%[1]d.B16, V%[1]d.B16, V%[2]d.B16", src.n, dst.n)
	} else {
		f.line(effect, "VREV64 V%d.S4, V%d.S4", src.n, dst.n)
	}
}

// transposeBlock transposes 4×4 values.
func (m arm64) transposeBlock(f *Func, rows *Rows, dst, stride P) {
	f.Scope(func() {
		a, z := f.Vecs(4, "a%d", 1), f.Vecs(4, "z%d", 1)
		zip := func(half int, to, x, y V) {
			f.line(fmt.Sprintf("%s = half %d of %s and %s in turn", to.name, half, x.name, y.name), "VZIP%d V%d.S4, V%d.S4, V%d.S4", half, y.n, x.n, to.n)
		}
		for r := range a {
			f.Load(a[r], rows.Row(r))
		}
		zip(1, z[0], a[0], a[2])
		zip(1, z[1], a[1], a[3])
		zip(2, z[2], a[0], a[2])
		zip(2, z[3], a[1], a[3])
		for c := range a {
			from := c / 2 * 2
			zip(1+c%2, a[c], z[from], z[from+1])
			f.Store(dst.At(0), a[c])
			f.AddPtr(dst, stride, 1)
		}
	})
}
