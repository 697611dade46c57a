package asmgen

import "fmt"

// products loads a value, or a group of values that are multiplied together, into every
// lane. This is as fast as loading a vector.
func (m amd64) products(f *Func, form Format, sums [][]V, x *Rows, step int, w Mem, k int) {
	f.Scope(func() {
		across := len(sums[0])
		ws := f.Vecs(across, "w[%d]", f.Lanes())
		xv := f.Vecs(1, "x[%d]", 1)
		product := xv[0]
		if m.twoSteps(form) {
			product = f.Vec("product")
		} else {
			xv = append(xv, f.Vec("x[1]"))
		}
		for i := range k {
			for c, v := range ws {
				m.loadWeights(f, form, v, w.Plus(m.weightBytes(form)*(i*across+c)))
			}
			for r := range sums {
				v := xv[r%len(xv)]
				f.Splat(v, x.Row(r).Plus(step*i))
				for c := range ws {
					m.accumulate(f, form, sums[r][c], v, ws[c], product)
				}
			}
		}
	})
}

// twoSteps reports whether int8 is multiplied as int16, because there is no VNNI.
// VPMADDUBSW would take fewer instructions, but its sums of two products saturate, so that
// activations could use only 7 bits.
func (m amd64) twoSteps(form Format) bool { return form == Int8 && !m.dot }

func (m amd64) sumsIn(form Format) int { return m.lanes }

func (m amd64) addHalves(f *Func, a Mem, v, low, high V) { panic("asmgen: no half on amd64") }

func (m amd64) xSize(form Format) int {
	switch {
	case form == F32:
		return 4
	case form == BF16 || m.twoSteps(form):
		return 2
	}
	return 1
}

// weightBytes is a whole register, except for int8 that are widened while they are loaded.
func (m amd64) weightBytes(form Format) int {
	if m.twoSteps(form) {
		return 2 * m.lanes
	}
	return 4 * m.lanes
}

func (m amd64) loadWeights(f *Func, form Format, v V, a Mem) {
	if m.twoSteps(form) {
		f.line(fmt.Sprintf("%s = %s..., int8 to int16", v.name, whereBytes(a)), "VPMOVSXBW %s, %s", m.mem(a), m.v(v))
		return
	}
	f.Load(v, a)
}

// accumulate adds to each lane of acc the products of 1 (F32), 2 (BF16) or 4 (Int8) values
// of x with weights, or of 2 where Int8 is multiplied as int16.
func (m amd64) accumulate(f *Func, form Format, acc, x, w, product V) {
	effect := acc.name + " += " + x.name + "·" + w.name
	switch {
	case form == F32:
		f.MulAdd(acc, x, w)
	case form == BF16:
		m.evex(f, fmt.Sprintf("VDPBF16PS %s, %s, %s", m.v(w), m.v(x), m.v(acc)), effect+", odd then even", 0xf3, 0x52, acc, x.n, w)
	case m.twoSteps(form):
		f.line(product.name+" = "+x.name+"·"+w.name, "VPMADDWD %s, %s, %s", m.v(w), m.v(x), m.v(product))
		f.line(acc.name+" += "+product.name, "VPADDD %s, %s, %s", m.v(product), m.v(acc), m.v(acc))
	case m.wide():
		f.line(effect, "VPDPBUSD %s, %s, %s", m.v(w), m.v(x), m.v(acc))
	default:
		m.vexDot(f, effect, acc, x, w)
	}
}

// evex writes an instruction of map 0F38 on whole AVX-512 registers which the Go assembler
// lacks. dst is the field ModRM.reg; first is vvvv, 0 if there is none.
func (m amd64) evex(f *Func, instruction, effect string, prefix, opcode byte, dst V, first int, last V) {
	pp := map[byte]byte{0x66: 1, 0xf3: 2, 0xf2: 3}[prefix]
	bit := func(n, at int) byte { return byte(^n>>at) & 1 } // the encoding has the complements of these bits
	p0 := bit(dst.n, 3)<<7 | bit(last.n, 4)<<6 | bit(last.n, 3)<<5 | bit(dst.n, 4)<<4 | 2
	p1 := byte(^first&15)<<3 | 4 | pp
	p2 := byte(2)<<5 | bit(first, 4)<<3
	modrm := 0xc0 | byte(dst.n&7)<<3 | byte(last.n&7)
	f.bytes(instruction+": "+effect, 0x62, p0, p1, p2, opcode, modrm)
}

// vexDot writes AVX-VNNI's form of VPDPBUSD, which differs from AVX-512's.
func (m amd64) vexDot(f *Func, effect string, acc, x, w V) {
	p0 := byte(1-acc.n>>3)<<7 | 1<<6 | byte(1-w.n>>3)<<5 | 2
	p1 := byte(^x.n&15)<<3 | 4 | 1
	modrm := 0xc0 | byte(acc.n&7)<<3 | byte(w.n&7)
	f.bytes(fmt.Sprintf("{vex} VPDPBUSD %s, %s, %s: %s", m.v(w), m.v(x), m.v(acc), effect), 0xc4, p0, p1, 0x50, modrm)
}

// bytes writes an instruction that the Go assembler lacks.
func (f *Func) bytes(effect string, code ...byte) {
	text, at := "", 0
	for ; at+4 <= len(code); at += 4 {
		text += fmt.Sprintf("LONG $0x%02x%02x%02x%02x; ", code[at+3], code[at+2], code[at+1], code[at])
	}
	for ; at+2 <= len(code); at += 2 {
		text += fmt.Sprintf("WORD $0x%02x%02x; ", code[at+1], code[at])
	}
	for ; at < len(code); at++ {
		text += fmt.Sprintf("BYTE $0x%02x; ", code[at])
	}
	f.line(effect, "%s", text[:len(text)-2])
}

func (m amd64) toFloat(f *Func, dst, src V) {
	f.line(dst.name+" = float("+src.name+")", "VCVTDQ2PS %s, %s", m.v(src), m.v(dst))
}

// whereBytes is where for a place whose offset is in bytes.
func whereBytes(a Mem) string { return fmt.Sprintf("%s+%d bytes", a.name, a.disp) }

// storeNarrow rounds to the nearest, ties to even, which is the processor's default mode.
// VNNI takes x as unsigned: the value plus 128, which is the value with its top bit
// inverted. Tiles take it as signed.
func (m amd64) storeNarrow(f *Func, form Format, a Mem, v, scratch V) {
	if form == BF16 {
		m.evex(f, fmt.Sprintf("VCVTNEPS2BF16 %s, Y%d", m.v(v), scratch.n), scratch.name+" = bfloat16("+v.name+")", 0xf3, 0x72, scratch, 0, v)
		f.line(whereBytes(a)+"... = "+scratch.name, "VMOVUPS Y%d, %s", scratch.n, m.mem(a))
		return
	}
	effect := whereBytes(a) + "... = "
	f.line(v.name+" = round("+v.name+")", "VCVTPS2DQ %[1]s, %[1]s", m.v(v))
	switch {
	case !m.dot && m.wide():
		f.line(effect+v.name+" as int16", "VPMOVSDW %s, %s", m.v(v), m.mem(a))
	case !m.dot:
		f.line("", "VEXTRACTI128 $1, Y%d, X%d", v.n, scratch.n)
		f.line("as int16", "VPACKSSDW X%d, X%d, X%d", scratch.n, v.n, v.n)
		f.line(effect+v.name, "VMOVUPS X%d, %s", v.n, m.mem(a))
	case m.wide():
		f.line("as int8", "VPMOVSDB %s, X%d", m.v(v), v.n)
		if !m.unsigned() {
			f.line(effect+v.name, "VMOVUPS X%d, %s", v.n, m.mem(a))
			return
		}
		f.line("plus 128", "VPXORD.BCST %s<>+%d(SB), X%d, X%d", f.consts.symbol, f.topBits().offset, v.n, v.n)
		f.line(effect+v.name, "VMOVUPS X%d, %s", v.n, m.mem(a))
	default:
		f.line("", "VEXTRACTI128 $1, Y%d, X%d", v.n, scratch.n)
		f.line("as int16", "VPACKSSDW X%d, X%d, X%d", scratch.n, v.n, v.n)
		f.line("as int8", "VPACKSSWB X%[1]d, X%[1]d, X%[1]d", v.n)
		f.line("plus 128", "VPXOR %s<>+%d(SB), X%d, X%d", f.consts.symbol, f.topBits().offset, v.n, v.n)
		f.line(effect+v.name, "VMOVQ X%d, %s", v.n, m.mem(a))
	}
}

// topBits is the constant that converts four int8 to uint8 that are 128 more.
func (f *Func) topBits() C { return f.ConstBits(0x80808080, "the top bits") }

func (m amd64) pairHalves(f *Func, low, high, half, upper V) {
	for _, v := range []V{low, high} {
		f.line(v.name+" to the nearest, ties away from 0", "VPADDD %s, %s, %s", m.v(half), m.v(v), m.v(v))
	}
	f.line(low.name+" to the lower half", "VPSRLD $16, %[1]s, %[1]s", m.v(low))
	f.line(low.name+" = pairs", "VPTERNLOGD $0xf8, %s, %s, %s", m.v(upper), m.v(high), m.v(low))
}

func (m amd64) loadHalves(f *Func, v V, a Mem) {
	f.line(v.name+" = "+whereBytes(a)+"..., 16 bits to a lane", "VPMOVZXWD %s, %s", m.mem(a), m.v(v))
}

func (m amd64) or(f *Func, dst, a, b V) {
	f.line(dst.name+" = "+a.name+" | "+b.name, "VPORD %s, %s, %s", m.v(b), m.v(a), m.v(dst))
}
