package asmgen

import "fmt"

// What FEAT_BF16 and FEAT_I8MM add: an instruction that multiplies two rows of x by two
// columns of weights, 8 bytes of each, and adds the four products to a register, the
// first row's two sums before the second's.

// paired says whether the machine multiplies so in a format. Rows of x then lie in
// pairs, 8 bytes of the one and 8 bytes of the other in turn, so that 16 bytes are an
// operand; columns of weights do so in every format.
func paired(m Machine, form Format) bool {
	a, ok := m.(arm64)
	return ok && a.v86 && (form == BF16 || form == Int8)
}

// groupOf returns how many inputs are multiplied at once, for each sum.
func groupOf(m Machine, form Format) int {
	if paired(m, form) {
		return 8 / m.xSize(form)
	}
	return map[Format]int{F32: 1, F16: 1, BF16: 2, Int8: 4 / m.xSize(Int8)}[form]
}

// placeOf returns how many bytes behind a row's first value the i-th lies.
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

// loadPair loads two values into both halves of a register, and moves p on by them.
func (arm64) loadPair(f *Func, v V, p P) {
	f.line(fmt.Sprintf("%s = %s[0], %[2]s[1], twice; %[2]s += 8", v.name, p.name), "VLD1R.P 8(%s), [V%d.D2]", p.reg, v.n)
}

// zip takes half 1 or 2 of two registers, which are their sums for a row of a pair.
func (arm64) zip(f *Func, half int, dst, a, b V) {
	f.line(fmt.Sprintf("%s = half %d of %s and of %s", dst.name, half, a.name, b.name), "VZIP%d V%d.D2, V%d.D2, V%d.D2", half, b.n, a.n, dst.n)
}
