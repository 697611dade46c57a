package asmgen

import "fmt"

// FEAT_BF16 and FEAT_I8MM add instructions that multiply two rows of x by two columns of
// weights, 8 bytes of each, and add the four products to one register: the first row's two
// sums, then the second's.

// paired reports whether the machine has such an instruction for a format. Rows of x are
// then stored in pairs, 8 bytes of one row and 8 bytes of the other in turn, so that 16
// bytes are an operand. Columns of weights are stored like this in every format.
func paired(m Machine, form Format) bool {
	a, ok := m.(arm64)
	return ok && a.v86 && (form == BF16 || form == Int8)
}

// groupOf returns how many inputs one instruction multiplies for each sum.
func groupOf(m Machine, form Format) int {
	if paired(m, form) {
		return 8 / m.xSize(form)
	}
	return map[Format]int{F32: 1, F16: 1, BF16: 2, Int8: 4 / m.xSize(Int8)}[form]
}

// placeOf returns the distance in bytes from a row's first value to its i-th.
func placeOf(m Machine, form Format, i int) int {
	size := m.xSize(form)
	if !paired(m, form) {
		return size * i
	}
	group := groupOf(m, form)
	return size * (i/group*2*group + i%group)
}

// matrixProduct is the instruction: acc += x·w.
func (m arm64) matrixProduct(f *Func, form Format, acc, x, w V) {
	effect := acc.name + " += " + x.name + "·" + w.name
	registers := uint32(w.n)<<16 | uint32(x.n)<<5 | uint32(acc.n)
	if form == BF16 {
		m.word(f, effect, fmt.Sprintf("BFMMLA V%d.4S, V%d.8H, V%d.8H", acc.n, x.n, w.n), 0x6e40ec00|registers)
	} else {
		m.word(f, effect, fmt.Sprintf("SMMLA V%d.4S, V%d.16B, V%d.16B", acc.n, x.n, w.n), 0x4e80a400|registers)
	}
}

// loadPair loads 8 bytes into both halves of a register, and advances p by them.
func (arm64) loadPair(f *Func, v V, p P) {
	f.line(fmt.Sprintf("%s = %s[0], %[2]s[1], twice; %[2]s += 8", v.name, p.name), "VLD1R.P 8(%s), [V%d.D2]", p.reg, v.n)
}

// zip joins half 1 or half 2 of two registers: the sums of one row of a pair.
func (arm64) zip(f *Func, half int, dst, a, b V) {
	f.line(fmt.Sprintf("%s = half %d of %s and of %s", dst.name, half, a.name, b.name), "VZIP%d V%d.D2, V%d.D2, V%d.D2", half, b.n, a.n, dst.n)
}
