package asmgen

import "math"

// slowPath computes a block once more if it has scores of 64 or more in magnitude. For rows
// with such scores it subtracts the row's maximum, and takes exponents below -127 as -127,
// whose weight is 0. For the other rows it subtracts 0, so that they keep every bit.
//
// NaN counts as such a score. If the maximum is infinite, all weights are 0, and so their
// quotient is NaN, as it should be.
func (a *amxAttention) slowPath() {
	r := a.regs
	a.Place(a.slow)
	a.StoreWord(a.asideK, r.k)
	a.StoreWord(a.asideQ, r.q)
	a.StoreWord(a.asideStride, r.stride)
	a.LoadWord(r.q, a.block)
	a.LoadWord(r.stride, a.blockStride)
	a.AddPtr(r.s, r.other, 1) // r.s points at the next block's scores
	a.Scope(a.maxima)
	a.Scope(a.slowWeights)
	a.SubPtr(r.s, r.other)
	a.LoadWord(r.k, a.asideK)
	a.LoadWord(r.q, a.asideQ)
	a.LoadWord(r.stride, a.asideStride)
	a.Jump(a.resume)
}

// overKeys emits a loop over the keys of a block of queries, 32 at a time. row is emitted
// for each query; it gets the scores, the place for the weights and the place of the row's
// maximum, with K1 and K2 as masks of the existing keys. after is emitted after the 16
// queries.
func (a *amxAttention) overKeys(row func(y []V, weights, top Mem), after func()) {
	r := a.regs
	at := r.free[0]
	y := a.Vecs(2, "y%d", 16)
	a.keysAt(r.k)
	a.LoadWord(at, a.Word("keys"))
	a.StoreWord(a.keysLeft, at)
	a.LoadWord(r.steps, a.blocks)
	a.Times(r.steps, 1, func() {
		a.scoreTiles(r.s)
		a.LoadWord(at, a.keysLeft)
		a.masks(at, r.free[1], r.free[2])
		a.overRows(func(in func(p P, disp int) Mem) {
			for half, v := range y {
				a.Load(v, in(r.s, amxTile*half).Named("scores"))
			}
			row(y, in(r.s, 0).Named("weights"), in(a.mem, amxTops).Named("tops"))
		})
		after()
		a.AddImmToWord(a.keysLeft, -32)
	})
}

// overRows emits a loop over 16 rows of 64 bytes. Inside body, in returns the place of the
// current row of the array at p+disp.
func (a *amxAttention) overRows(body func(in func(p P, disp int) Mem)) {
	at := P{a.regs.free[0].reg, "at"}
	row := a.Label("row")
	a.SetImm(at, 0)
	a.Place(row)
	body(func(p P, disp int) Mem { return Mem{base: p, index: at, scale: 1, disp: disp, name: p.name} })
	a.AddImm(at, 64)
	a.JumpLess(at, 16*64, row)
}

// maxima sets the rows of tops to what is subtracted from the rows of scores: their
// maximum, or 0.
func (a *amxAttention) maxima() {
	a.Note("The maximum of each row, infinity where there is NaN.")
	top, infinity := a.Vec("top"), a.Vec("infinity")
	a.Fill(top, a.ConstBits(math.Float32bits(float32(math.Inf(-1))), "-Inf"))
	a.Fill(infinity, a.ConstBits(math.Float32bits(float32(math.Inf(1))), "+Inf"))
	for i := range 16 {
		a.Store(a.mem.At(amxTops+64*i).Named("tops"), top)
	}
	a.overKeys(func(y []V, _, tops Mem) {
		a.Load(top, tops)
		for half, v := range y {
			mask := half + 1
			a.line("top = max("+v.name+", top), top if that is NaN", "VMAXPS Z%d, Z%d, K%d, Z%d", top.n, v.n, mask, top.n)
			a.line("where it is", "VCMPPS $3, Z%d, Z%d, K%d, K3", v.n, v.n, mask)
			a.line("infinity", "VMOVAPS Z%d, K3, Z%d", infinity.n, top.n)
		}
		a.Store(tops, top)
	}, func() {})

	a.Note("0 instead where it is below 64 in magnitude.")
	a.overRows(func(in func(p P, disp int) Mem) {
		tops := in(a.mem, amxTops).Named("tops")
		a.Load(top, tops)
		a.Fold(Max, []V{top}, []V{infinity})
		a.line("if it is not", "VPTESTMD.BCST %s<>+%d(SB), Z%d, K3", a.consts.symbol, a.largeBit().offset, top.n)
		a.line("top, or else 0", "VMOVAPS.Z Z%d, K3, Z%d", top.n, top.n)
		a.Store(tops, top)
	})
}

// largeBit is set in numbers from 2 on, which stand for scores from 64 on, and in infinity
// and NaN.
func (a *amxAttention) largeBit() C { return a.ConstBits(1<<30, "2, the top bit of the exponent") }

// slowWeights computes a block's weights and adds up its values once more.
func (a *amxAttention) slowWeights() {
	a.Note("Once more, with tops subtracted.")
	top, low, x := a.Vec("top"), a.InRegister(a.Const(-127.0/exponentUnit)), a.Vecs(2, "x%d", 16)
	a.zeroSums()
	a.overKeys(func(y []V, weights, tops Mem) {
		a.Load(top, tops)
		for half, v := range y {
			a.Do(Sub, v, v, top)
			a.Copy(x[half], low)
			a.line(x[half].name+" = max("+v.name+", low), low if that is NaN or no key", "VMAXPS Z%d, Z%d, K%d, Z%d", low.n, v.n, half+1, x[half].n)
		}
		a.weights(x, weights)
	}, func() { a.mixTiles(a.regs.s) })
}
