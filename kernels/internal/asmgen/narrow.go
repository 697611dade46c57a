package asmgen

var roundParams = []string{"dst unsafe.Pointer", "src *float32", "n int"}

const roundDoc = `rounds n values to bfloat16, to the nearest, ties to even; n is a
multiple of 16. Denormals become 0, NaN stays NaN.

	for i := range n {
		dst[i] = bfloat16(src[i])
	}`

const roundF16Doc = `rounds n values to half, to the nearest, ties to even; n is a
multiple of 16. Values that are too large become infinite.

	for i := range n {
		dst[i] = float16(src[i])
	}`

const roundBF16x3Doc = `splits n values into two bfloat16 each, whose sum is nearly the value;
n is a multiple of 32. Denormals become 0, values that are not finite become NaN.

	for i := range n {
		at := i/32*64 + i%32
		high := bfloat16(src[i])
		dst[at], dst[at+32] = high, bfloat16(src[i]-high)
	}

32 high parts are a row of a tile, and so are the 32 low parts behind them.`

// split rounds values to two bfloat16 each.
func split(f *Func) {
	dst, src, n := f.Arg("dst"), f.Arg("src"), f.Arg("n")
	v, high, out := f.Vec("x"), f.Vec("high"), f.Vec("out")
	f.Times(n, 32, func() {
		for i := 0; i < 32; i += f.Lanes() {
			f.Load(v, src.At(4*i))
			f.storeNarrow(f, BF16, dst.At(2*i), v, out)
			f.loadHalves(f, high, dst.At(2*i))
			f.ShiftLeft(high, high, 16)
			f.Do(Sub, v, v, high)
			f.storeNarrow(f, BF16, dst.At(64+2*i), v, out)
		}
		f.AddImm(src, 128)
		f.AddImm(dst, 128)
	})
	f.Return()
}

const roundMatrixDoc = `rounds n values to bfloat16, to the nearest, ties to even; n is a
multiple of 16. Denormals stay, though products count them as 0; NaN stays NaN.

	for i := range n {
		dst[i/4*8+i%4] = bfloat16(src[i])
	}

The places of dst that are skipped belong to another row.`

func round(form Format) func(*Func) {
	return func(f *Func) { roundTo(f, form) }
}

func roundTo(f *Func, form Format) {
	dst, src, n := f.Arg("dst"), f.Arg("src"), f.Arg("n")
	v, out := f.Vec("x"), f.Vec("out")
	f.Times(n, 16, func() {
		for i := 0; i < 16; i += f.Lanes() {
			f.Load(v, src.At(4*i))
			f.storeNarrow(f, form, dst.At(placeOf(f.Machine, form, i)), v, out)
		}
		f.AddImm(src, 64)
		f.AddImm(dst, placeOf(f.Machine, form, 16))
	})
	f.Return()
}

var quantizeParams = []string{"dst unsafe.Pointer", "src *float32", "n int", "scale *float32"}

const quantizeDoc = `writes a row of n values as src ≈ scale[0]·dst + scale[1], dst from
-127 to 127; n is a multiple of 16 and at least 16.

	low, high, odd := src[0], src[0], 0
	for i := range n {
		low, high, odd = min(low, src[i]), max(high, src[i]), fma(src[i], 0, odd)
	}
	scale[0] = max(2^-126, (high/2 - low/2)/127)
	scale[1] = high/2 + low/2 + odd
	for i := range n {
		dst[i] = round((src[i] - scale[1]) * (1/scale[0]))
	}

If values are not finite, scale[1] is NaN, and dst may be anything. dst is in the form that
the products of this instruction set read: int8, or the value plus 128 as uint8, or int16.`

const quantizeMatrixDoc = `is quantize as it is without FEAT_I8MM, except that it writes to dst[i/8*16+i%8]:
the 8 bytes that it skips belong to another row.`

// quantize reads a row twice; the row stays in the L1 cache.
func quantize(f *Func) {
	dst, src, n := f.Arg("dst"), f.Arg("src"), f.Arg("n")
	at := f.Ptr("src")
	parts, step := 16/f.Lanes(), 4*f.Lanes()
	low, high, odd := f.Vecs(parts, "low%d", 1), f.Vecs(parts, "high%d", 1), f.Vecs(parts, "odd%d", 1)
	v, zero := f.Vec("x"), f.Vec("zero")
	f.Zero(zero)
	for i := range parts {
		f.Load(low[i], src.At(step*i))
		f.Copy(high[i], low[i])
		f.Zero(odd[i])
	}
	f.Move(at, src)
	f.Times(n, 16, func() {
		for i := range parts {
			f.Load(v, at.At(step*i))
			f.Do(Min, low[i], low[i], v)
			f.Do(Max, high[i], high[i], v)
			f.MulAdd(odd[i], v, zero)
		}
		f.AddImm(at, 64)
	})
	f.Fold(Min, low, []V{v})
	f.Fold(Max, high, []V{v})
	f.Fold(Add, odd, []V{v})
	half, scale, by, middle := f.Vec("half"), high[0], f.Vec("by"), low[0]
	f.Fill(half, f.Const(0.5))
	f.Do(Mul, high[0], high[0], half)
	f.Do(Mul, low[0], low[0], half)
	f.Do(Add, by, high[0], low[0])
	f.Do(Sub, scale, high[0], low[0])
	f.Do(Add, middle, by, odd[0])
	f.Fill(half, f.Const(127))
	f.Do(Div, scale, scale, half)
	f.Fill(half, f.ConstBits(0x00800000, "2^-126"))
	f.Do(Max, scale, half, scale)
	f.Fill(by, f.Const(1))
	f.Do(Div, by, by, scale)
	out := f.Arg("scale")
	f.StoreOne(out.At(0), scale)
	f.StoreOne(out.At(4), middle)

	f.LoadArg(n)
	f.Times(n, 16, func() {
		for i := range parts {
			f.Load(v, src.At(step*i))
			f.Do(Sub, v, v, middle)
			f.Do(Mul, v, v, by)
			f.storeNarrow(f, Int8, dst.At(placeOf(f.Machine, Int8, f.Lanes()*i)), v, zero)
		}
		f.AddImm(src, 64)
		f.AddImm(dst, placeOf(f.Machine, Int8, 16))
	})
	f.Return()
}
