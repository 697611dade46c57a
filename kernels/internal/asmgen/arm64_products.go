package asmgen

import "fmt"

// products multiplies by single lanes of x. A register holds 16 bytes of a row if the row's
// values are contiguous (4 float32, 8 halves or 4 groups of int8); otherwise it holds
// values of four rows that are. Each register of weights is loaded one step ahead, for
// processors that execute in order.
func (m arm64) products(f *Func, form Format, sums [][]V, x *Rows, step int, w Mem, k int) {
	f.Scope(func() {
		across := len(sums[0])
		var xs []V
		if step == 4 {
			xs = m.rowsOf(f, form, len(sums))
			for r, v := range xs {
				if k == 4 {
					f.Load(v, x.Row(r))
				} else {
					m.loadOne(f, v, x.Row(r))
				}
			}
		} else {
			xs = f.Vecs((len(sums)+3)/4, "x[%d]", 4)
		}
		ws := f.Vecs(min(2*across, len(f.vectors)), "w%d", 1)
		loads := k * across * m.weightBytes(form) / 16
		load := func(i int) {
			if i < loads {
				f.Load(ws[i%len(ws)], w.Plus(16*i))
			}
		}
		for i := range len(ws) - 1 {
			load(i)
		}
		for i := range loads {
			lane, c := i/across, i%across
			if step != 4 && c == 0 {
				for r, v := range xs {
					f.Load(v, x.Row(4*r).Plus(step*lane))
				}
			}
			load(i + len(ws) - 1)
			for r := range sums {
				if step == 4 {
					m.accumulateLane(f, form, sums[r][c], ws[i%len(ws)], xs[r], lane)
				} else {
					m.accumulateLane(f, form, sums[r][c], ws[i%len(ws)], xs[r/4], r%4)
				}
			}
		}
	})
}

// rowsOf takes a register for each row of x. The instructions on lanes of halves can use
// the lower registers only.
func (m arm64) rowsOf(f *Func, form Format, rows int) []V {
	if form != F16 {
		return f.Vecs(rows, "x[%d]", 1)
	}
	var low, high []int
	for _, n := range f.vectors {
		if n < 16 {
			low = append(low, n)
		} else {
			high = append(high, n)
		}
	}
	f.vectors = append(low, high...)
	return f.Vecs(rows, "x[%d]", 1)
}

// accumulateLane adds w times one lane of x. A lane is a float32, a half for F16, or a
// group of four for Int8.
func (m arm64) accumulateLane(f *Func, form Format, acc, w, x V, lane int) {
	effect := fmt.Sprintf("%s += %s·%s[%d]", acc.name, w.name, x.name, lane)
	registers := uint32(x.n)<<16 | uint32(w.n)<<5 | uint32(acc.n)
	bit := func(n, at int) uint32 { return uint32(lane>>n&1) << at }
	switch form {
	case F32:
		m.word(f, effect, fmt.Sprintf("FMLA V%d.4S, V%d.4S, V%d.S[%d]", acc.n, w.n, x.n, lane), 0x4f801000|bit(1, 11)|bit(0, 21)|registers)
	case F16:
		if x.n > 15 {
			panic(f.name + ": no lanes of halves beyond V15")
		}
		m.word(f, effect, fmt.Sprintf("FMLA V%d.8H, V%d.8H, V%d.H[%d]", acc.n, w.n, x.n, lane), 0x4f001000|bit(2, 11)|bit(1, 21)|bit(0, 20)|registers)
	case Int8:
		m.word(f, effect, fmt.Sprintf("SDOT V%d.4S, V%d.16B, V%d.4B[%d]", acc.n, w.n, x.n, lane), 0x4f80e000|bit(1, 11)|bit(0, 21)|registers)
	default:
		panic("asmgen: no bfloat16 on arm64")
	}
}

func (m arm64) accumulate(f *Func, form Format, acc, x, w, product V) {
	effect := acc.name + " += " + x.name + "·" + w.name
	registers := uint32(w.n)<<16 | uint32(x.n)<<5 | uint32(acc.n)
	if paired(m, form) {
		m.matrixProduct(f, form, acc, x, w)
		return
	}
	switch form {
	case F32:
		f.MulAdd(acc, x, w)
	case F16:
		m.word(f, effect, fmt.Sprintf("FMLA V%d.8H, V%d.8H, V%d.8H", acc.n, x.n, w.n), 0x4e400c00|registers)
	case Int8:
		m.word(f, effect, fmt.Sprintf("SDOT V%d.4S, V%d.16B, V%d.16B", acc.n, x.n, w.n), 0x4e809400|registers)
	default:
		panic("asmgen: no bfloat16 on arm64")
	}
}

func (arm64) sumsIn(form Format) int {
	if form == F16 {
		return 8
	}
	return 4
}

func (arm64) weightBytes(form Format) int {
	if form == F16 {
		return 32 // a step is two values, as narrow as one float32
	}
	return 16
}

func (arm64) xSize(form Format) int {
	return map[Format]int{F32: 4, BF16: 2, F16: 2, Int8: 1}[form]
}

func (m arm64) toFloat(f *Func, dst, src V) {
	m.convert(f, "SCVTF V%d.4S, V%d.4S", dst.name+" = float("+src.name+")", 0x4e21d800, dst, src)
}

// convert writes one of the instructions that convert numbers.
func (m arm64) convert(f *Func, instruction, effect string, code uint32, dst, src V) {
	m.word(f, effect, fmt.Sprintf(instruction, dst.n, src.n), code|uint32(src.n)<<5|uint32(dst.n))
}

// storeNarrow rounds to the nearest, ties to even.
func (m arm64) storeNarrow(f *Func, form Format, a Mem, v, scratch V) {
	if form == F16 || form == BF16 {
		if form == F16 {
			m.convert(f, "FCVTN V%d.4H, V%d.4S", v.name+" = half("+v.name+")", 0x0e216800, v, v)
		} else {
			m.convert(f, "BFCVTN V%d.4H, V%d.4S", v.name+" = bfloat16("+v.name+")", 0x0ea16800, v, v)
		}
		f.line(whereBytes(a)+"... = "+v.name, "FMOVD F%d, %s", v.n, m.mem(a))
		return
	}
	m.convert(f, "FCVTNS V%d.4S, V%d.4S", v.name+" = round("+v.name+")", 0x4e21a800, v, v)
	m.convert(f, "SQXTN V%d.4H, V%d.4S", "as int16", 0x0e614800, v, v)
	m.convert(f, "SQXTN V%d.8B, V%d.8H", "as int8", 0x0e214800, v, v)
	f.line(whereBytes(a)+"... = "+v.name, "FMOVS F%d, %s", v.n, m.mem(a))
}

// addHalves adds 8 sums in half to float32 in memory. v, low and high are overwritten.
func (m arm64) addHalves(f *Func, a Mem, v, low, high V) {
	m.convert(f, "FCVTL V%d.4S, V%d.4H", "low = the first 4 of "+v.name, 0x0e217800, low, v)
	m.convert(f, "FCVTL2 V%d.4S, V%d.8H", "high = the last 4 of "+v.name, 0x4e217800, high, v)
	for i, part := range []V{low, high} {
		f.Load(v, a.Plus(16*i))
		f.Do(Add, part, part, v)
		f.Store(a.Plus(16*i), part)
	}
}

func (m arm64) pairHalves(f *Func, low, high, half, upper V) { panic("asmgen: no bfloat16 on arm64") }

func (m arm64) loadHalves(f *Func, v V, a Mem) { panic("asmgen: no bfloat16 on arm64") }

func (m arm64) or(f *Func, dst, a, b V) { panic("asmgen: no bfloat16 on arm64") }
