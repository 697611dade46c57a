package asmgen

import "fmt"

// 1 + r + r·(p0 + r·(p1 + r·p2)) is 2^r for 0 ≤ r ≤ 1 with a relative error of at most
// 8.6e-5: the minimax polynomial, found by Lawson's weights, under the condition that it is
// 1 at 0. The coefficients take r divided by 32, as the scores are.
var amxP = [3]float32{
	-0.30488318,
	0.22764486 * exponentUnit,
	0.07706716 * exponentUnit * exponentUnit,
}

// Adding amxMagic to a score leaves (127 + 32·score)·128 in the low 16 bits. Read as
// bfloat16 that is 2^(32·score), except for the mantissa. The float32's lowest bit is then
// 2^-7 of the exponent.
const amxMagic = (3<<15 + 127) / float32(exponentUnit)

// weights writes a row of weights: bfloat16(2^y) for the scores of 16 keys and the 16 after
// them, in pairs.
//
// Read as a number with 7 binary places, the bits of bfloat16 are 127 + floor(y) + 2^r - 1,
// with r = y - floor(y): that is y, plus the difference between 2^r and 1 + r, plus 127.
// Rounding this number to 7 places rounds the weight to the nearest, and a carry goes into
// the exponent, as it must. r itself is rounded down: VREDUCEPS rounds its difference as it
// rounds y.
func (a *amxAttention) weights(y []V, dst Mem) {
	r, e := a.Vecs(2, "r%d", 16), a.Vecs(2, "e%d", 16)
	each := func(body func(i int)) {
		for i := range y {
			body(i)
		}
	}
	each(func(i int) {
		a.line(fmt.Sprintf("%s = %s - floor(%s)", r[i].name, y[i].name, y[i].name), "VREDUCEPS $%#x, Z%d, Z%d", exponentBits<<4|8|1, y[i].n, r[i].n)
	})
	each(func(i int) { a.Fill(e[i], a.p[2]) })
	each(func(i int) { a.Horner(e[i], r[i], a.p[1]) })
	each(func(i int) { a.Horner(e[i], r[i], a.p[0]) })
	each(func(i int) { a.Horner(e[i], r[i], y[i]) })
	each(func(i int) { a.Do(Add, e[i], e[i], a.magic) })
	a.line("pairs: upper halves = lower halves of e16", "VPSHUFB Z%d, Z%d, K4, Z%d", a.control.n, e[1].n, e[0].n)
	a.Store(dst, e[0])
}

// spreadOddWords sets control and K4 so that VPSHUFB moves the lower half of each lane to
// the upper half.
func (a *amxAttention) spreadOddWords() {
	bytes := a.table("lower halves", 0x01000000, 0x05040000, 0x09080000, 0x0d0c0000)
	a.line("lower halves to the upper", "VBROADCASTI32X4 %s<>+%d(SB), Z%d", a.consts.symbol, bytes.offset, a.control.n)
	a.line("", "MOVQ $0xcccccccccccccccc, %s", a.lineBytes.reg)
	a.line("the bytes of upper halves", "KMOVQ %s, K4", a.lineBytes.reg)
}
