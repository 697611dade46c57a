package asmgen

// blockRegisters are the registers that the loop over a head's blocks uses.
type blockRegisters struct {
	s, other  P // address of the next scores, and the distance to the other ones
	k, v      P // the next packed tiles
	steps     P // blocks of keys that are left
	q, stride P // the queries to be multiplied by k next
	free      [3]P
}

// firstBlock takes registers for the loop over a head's blocks, and sets them for the first
// scores.
func (a *amxAttention) firstBlock() *blockRegisters {
	r := &blockRegisters{
		s: a.Ptr("scores"), other: a.Ptr("other"), k: a.Ptr("k"), v: a.Ptr("v"),
		steps: a.Ptr("steps"), q: a.Ptr("q"), stride: a.Ptr("qStride"),
		free: [3]P{a.Ptr("a"), a.Ptr("b"), a.Ptr("c")},
	}
	a.regs = r
	n := r.free[0]
	a.LoadWord(n, a.Word("queries"))
	a.StoreWord(a.left, n)
	a.LoadWord(r.q, a.Word("q"))
	a.LoadWord(r.stride, a.Word("qStride"))
	a.edgeIfLess(n)
	a.at(r.s, amxScores)
	a.keysAt(r.k)
	return r
}

// firstScores computes the first scores, so that they are ready when V has been packed.
func (a *amxAttention) firstScores() {
	a.Note("The first block's first scores.")
	r := a.firstBlock()
	a.scoreTiles(r.s)
}

// queries emits the loop over the blocks of a head's queries.
func (a *amxAttention) queries() {
	a.Note("Queries by blocks.")
	r := a.firstBlock()
	a.AddImm(r.k, a.step())
	a.SetImm(r.other, 2*amxTile)
	n := r.free[0]
	a.LoadWord(n, a.Word("dst"))
	a.StoreWord(a.out, n)
	block := a.Label("block")
	a.Place(block)
	a.Scope(a.queryBlock)
	a.AddImmToWord(a.left, -16)
	a.LoadWord(n, a.left)
	a.JumpAtLeast(n, 1, block)
}

// keysAt sets p to the address of K's tiles.
func (a *amxAttention) keysAt(p P) { a.at(p, a.packed()) }

// edgeIfLess points to the copied queries if n is less than a block.
func (a *amxAttention) edgeIfLess(n P) {
	r, whole := a.regs, a.Label("whole")
	a.JumpAtLeast(n, 16, whole)
	a.at(r.q, a.lastBlock())
	a.SetImm(r.stride, a.row())
	a.Place(whole)
}

// scoreTiles writes the scores of 16 queries and 32 keys as two tiles, and advances to the
// next keys.
func (a *amxAttention) scoreTiles(dst P) {
	r := a.regs
	if a.across == 1 {
		a.t.Load(a.x, r.q, 0, r.stride)
	}
	for half := range 2 {
		score := a.scores[half%len(a.scores)]
		a.t.Zero(score)
		for c := range a.across {
			if a.across > 1 {
				a.t.Load(a.x, r.q, 64*c, r.stride)
			}
			w := a.w[half%len(a.w)]
			a.t.Load(w, r.k, amxTile*(half*a.across+c), a.lineBytes)
			a.t.Dot(BF16, score, a.x, w)
		}
		a.t.Store(dst, amxTile*half, a.lineBytes, score)
	}
	a.AddImm(r.k, a.step())
}

// zeroSums sets a block's sums to 0.
func (a *amxAttention) zeroSums() {
	r := a.regs
	for _, sum := range a.context {
		a.t.Zero(sum)
	}
	a.t.Zero(a.sum)
	a.Move(r.v, a.valuesAt(r.v))
	a.LoadWord(r.steps, a.blocks)
	ones := r.free[0]
	a.at(ones, amxOnes)
	a.StoreWord(a.ones, ones)
}

// lastOnes switches to the tile of ones for the last keys.
func (a *amxAttention) lastOnes() { a.AddImmToWord(a.ones, amxTile) }

// mixTiles adds the products of a tile of weights with V's tiles and with ones, and
// advances to the next keys.
func (a *amxAttention) mixTiles(weights P) {
	r := a.regs
	a.t.Load(a.x, weights, 0, a.lineBytes)
	for i, sum := range a.context {
		w := a.w[i%len(a.w)]
		a.t.Load(w, r.v, amxTile*i, a.lineBytes)
		a.t.Dot(BF16, sum, a.x, w)
	}
	ones := r.free[0]
	a.LoadWord(ones, a.ones)
	a.t.Load(a.w[0], ones, 0, a.lineBytes)
	a.t.Dot(BF16, a.sum, a.x, a.w[0])
	a.AddImm(r.v, a.step())
}

// queryBlock computes a block of queries whose first scores are ready.
func (a *amxAttention) queryBlock() {
	r := a.regs
	n := r.free[0]
	a.LoadWord(n, a.left)
	a.AddImm(n, 3)
	a.line("queries by fours", "SHRQ $2, %s", n.reg)
	a.SetImm(r.free[1], 4)
	a.line("", "CMPQ %s, %s", n.reg, r.free[1].reg)
	a.line("at most 4 of them", "CMOVQLT %s, %s", n.reg, r.free[1].reg)
	a.StoreWord(a.fours, r.free[1])
	a.StoreWord(a.block, r.q)
	a.StoreWord(a.blockStride, r.stride)
	a.zeroSums()
	a.Zero(a.seen)

	a.Times(r.steps, 1, func() {
		more := a.Label("more")
		a.JumpAtLeast(r.steps, 2, more)
		a.Note("The last keys: the next scores are the next block's.")
		a.lastOnes()
		a.keysAt(r.k)
		a.nextQueries()
		a.Place(more)
		next, rows, count := r.free[0], r.free[1], r.free[2]
		a.Count(a.ofStep(), func() {
			a.Move(next, r.s)
			a.AddPtr(next, r.other, 1)
			a.scoreTiles(next)
		})
		a.Move(rows, r.s)
		a.LoadWord(count, a.fours)
		a.Times(count, 1, func() {
			a.Count(a.ofFour(), func() {
				for i := range 4 {
					a.Scope(func() {
						y := a.Vecs(2, "y%d", 16)
						for half, v := range y {
							a.Load(v, rows.At(64*i+amxTile*half).Named("scores"))
						}
						a.line("seen |= y0 | y16", "VPTERNLOGD $0xfe, Z%d, Z%d, Z%d", y[1].n, y[0].n, a.seen.n)
						a.weights(y, rows.At(64*i).Named("weights"))
					})
				}
				a.AddImm(rows, 4*64)
			})
		})
		a.Count(a.ofStep(), func() {
			a.mixTiles(r.s)
			a.AddPtr(r.s, r.other, 1)
			a.line("", "NEGQ %s", r.other.reg)
		})
	})

	a.Note("Scores of 64 and more, infinities, NaN: have been seen?")
	a.line("bit 30 of any score", "VPTESTMD.BCST %s<>+%d(SB), Z%d, K1", a.consts.symbol, a.largeBit().offset, a.seen.n)
	a.line("", "KORTESTW K1, K1")
	a.slow, a.resume = a.Label("slow"), a.Label("resume")
	a.line("if there are any", "JNE %s", a.slow)
	a.Place(a.resume)
	a.Scope(a.writeContext)
}

// nextQueries advances to the next block, if there is one.
func (a *amxAttention) nextQueries() {
	r, last := a.regs, a.Label("last")
	n := r.free[0]
	a.LoadWord(n, a.left)
	a.AddImm(n, -16)
	a.JumpLess(n, 1, last)
	a.AddPtr(r.q, r.stride, 8)
	a.AddPtr(r.q, r.stride, 8)
	a.edgeIfLess(n)
	a.Place(last)
}
