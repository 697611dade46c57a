package asmgen

// Attention on tiles processes a head in blocks of 16 queries, and for each block 32 keys at
// a time: it computes two tiles of scores, q·kᵀ; their powers of two, as bfloat16; and the
// products of these weights with V and with ones. The products with ones are the sums of the
// weights, with the same rounding as in the numerator. The decisions:
//
//   - No maximum is subtracted. Softmax is the same with any, and scores between -64 and 64
//     keep the weights far inside bfloat16's range, and the sums inside float32's, for
//     values of up to 2^63 divided by the number of keys. Blocks with other scores are
//     computed once more, with the maxima of the rows that need them (the slow path). In a
//     prototype in C, on another machine, maxima for all rows took 30.9 us at 87 tokens,
//     and none 23.3.
//   - Powers of two are computed as the bits of bfloat16, which are 128·(127 + log₂) except
//     for the mantissa (see weights): six instructions for 16 values, without a conversion.
//   - Scores are divided by 32. This costs nothing, because Wq contains the factor, and it
//     makes |score| < 64 a single bit of the number, which OR collects.
//   - Keys g and g+16 are a pair: their weights are in the same lane.
//   - Nothing beyond the last row is read: the rows of K, V and Q that do not fill a tile
//     are first copied and filled up with zeros. So missing keys need no mask: their weights
//     are 1, their values 0, and the ones that add up the weights are 0 there.
//   - The products of the next 32 keys, or of the next block's first, are started before the
//     powers of the current ones, so that tiles and vectors work side by side.

var attendAMXParams = []string{
	"dst unsafe.Pointer", "dstStride int", "q unsafe.Pointer", "qStride int", "queries int",
	"k unsafe.Pointer", "v unsafe.Pointer", "kvStride int", "keys int", "heads int", "size int", "scratch unsafe.Pointer",
}

const attendAMXDoc = `computes softmax(q·kᵀ)·v for the heads of one sequence, with q, k, v in
bfloat16. It computes powers of 2 instead of e, of scores that are divided by 32: the
caller has multiplied q by log₂(e)/(32·√size). Strides are in bytes, size is 32 or 64, and
there is at least one head, query and key. scratch has SCRATCH32 + 128·n bytes for heads of 32, SCRATCH64 +
256·n for heads of 64, n being keys rounded up to 32: see AttendScratch.

	for h := range heads {
		for i := range queries {
			var s, w [blocks of 32 keys][32]float32
			for b, c := range 32 keys, blocks of 32 values {
				s[b] += the product of tiles q[i][h][c]·k[b][h][c]
			}
			top := max(s...)
			if |top| < 2 {
				top = 0
			}
			for b, j := range s {
				y := max(-127, 32·(s[b][j] - top))
				w[b][j] = bfloat16((1 + P(y - floor(y))) * 2^floor(y))
			}
			var sum float32
			for b := range w {
				dst[i][h] += the product of tiles w[b]·v[b][h]
				sum += the product of tiles w[b]·1
			}
			dst[i][h] *= 1/sum
		}
	}

1 + P(r) is 2^r for 0 ≤ r ≤ 1, off by 9e-5, where bfloat16 is off by 2e-3 to 4e-3;
y - floor(y) is rounded down.
The result for a query does not depend on the others. A product of tiles adds up the
products of 16 pairs, the even and the odd ones separately, starting from 0, and adds the
two sums to the accumulator; all in float32, to the nearest even, denormals 0. The pairs of
w and v are keys b·32+g and b·32+16+g. NaN or infinity among the scores makes all weights
of a row 0, and the result NaN.

COUNTS`

const attendNarrowAMXDoc = `is attendAMX with the result rounded to bfloat16, to the
nearest even.`

// A stored score of 1 stands for the exponent exponentUnit of 2; exponentBits is its logarithm.
const (
	exponentBits = 5
	exponentUnit = 1 << exponentBits
)

// Offsets in scratch memory, in bytes from the first address that is a multiple of 64. What
// follows these depends on the size of heads.
const (
	amxTile    = 1024
	amxFactors = 0                 // the factor for each of the 16 rows of a block
	amxSums    = amxFactors + 64   // a tile: sums of weights
	amxOnes    = amxSums + amxTile // two tiles of ones; the second has zeros for keys beyond the last
	amxScores  = amxOnes + 2*amxTile
	amxTops    = amxScores + 4*amxTile // what is subtracted from each row's scores, a line of 64 bytes each
	amxContext = amxTops + amxTile     // the sums of a block, tile by tile
)

// amxAttention is the state of the generator while it emits an attention function.
type amxAttention struct {
	*Func
	t      *tiles
	across int  // 1 for heads of 32, 2 for heads of 64
	narrow bool // the result is bfloat16

	mem, lineBytes P // the address of scratch memory, and the constant 64

	// Local variables, in this order: number of blocks of 32 keys; queries in the block and
	// after it; groups of four of the block's queries; address of its first query and the
	// stride to the next; address of the result; offset of the next tile of ones; keys
	// left, where they are counted; saved registers.
	blocks, left, fours, block, blockStride, out, ones, keysLeft, asideK, asideQ, asideStride Word

	sum, x    T
	context   []T
	w, scores []T // used in turn if there are two

	p                    [3]V // the coefficients of P
	magic, control, seen V
	regs                 *blockRegisters

	slow, resume string // labels
}

// attendAMX emits the function for heads of 32, then the one for heads of 64.
func attendAMX(narrow bool) func(*Func) {
	return func(f *Func) {
		a := &amxAttention{Func: f, narrow: narrow, t: f.Tiles()}
		a.mem, a.lineBytes = f.Ptr("mem"), f.Ptr("64")
		a.blocks, a.left, a.fours, a.ones = f.Local("blocks"), f.Local("left"), f.Local("fours"), f.Local("ones")
		a.block, a.blockStride, a.out = f.Local("block"), f.Local("blockStride"), f.Local("out")
		a.keysLeft, a.asideK, a.asideQ, a.asideStride = f.Local("keysLeft"), f.Local("asideK"), f.Local("asideQ"), f.Local("asideStride")
		for i, p := range amxP {
			a.p[i] = f.InRegister(f.Const(p))
		}
		a.magic = f.InRegister(f.Const(amxMagic))
		a.control, a.seen = f.Vec("control"), f.Vec("seen")
		a.spreadOddWords()
		f.Scope(a.begin)
		wide := f.Label("wide")
		f.Scope(func() {
			size := f.Arg("size")
			f.JumpAtLeast(size, 64, wide)
		})
		for a.across = 1; a.across <= 2; a.across++ {
			if a.across == 2 {
				f.Place(wide)
			}
			f.Scope(a.heads)
		}
		f.Say("SCRATCH32", amxScratch(1))
		f.Say("SCRATCH64", amxScratch(2))
		f.Say("COUNTS", a.counts())
	}
}

// amxScratch is the size of the scratch memory without packed keys and values: up to 63
// bytes are lost to alignment.
func amxScratch(across int) int { return 64 + (&amxAttention{across: across}).packed() }

// The sizes and offsets that depend on the size of heads: row and step are sizes in bytes,
// the others offsets in scratch memory.
func (a *amxAttention) row() int       { return 64 * a.across }
func (a *amxAttention) step() int      { return 2 * amxTile * a.across }     // 32 keys, of K or of V
func (a *amxAttention) lastBlock() int { return amxContext + a.step() }      // queries that are no whole block
func (a *amxAttention) edge() int      { return a.lastBlock() + 16*a.row() } // keys or values that are no whole tile
func (a *amxAttention) packed() int    { return a.edge() + 32*a.row() }      // K, and V behind it

// begin emits what all heads share.
func (a *amxAttention) begin() {
	p := a.Ptr("blocks")
	a.Note("Scratch memory from a whole line on.")
	a.LoadWord(a.mem, a.Word("scratch"))
	a.AddImm(a.mem, 63)
	a.line("a multiple of 64", "ANDQ $-64, %s", a.mem.reg)
	a.SetImm(a.lineBytes, 64)
	a.t.ConfigureAll(p)
	a.LoadWord(p, a.Word("keys"))
	a.AddImm(p, 31)
	a.line("blocks of 32 keys", "SHRQ $5, %s", p.reg)
	a.StoreWord(a.blocks, p)
	a.tilesOfOnes()
}

// tilesOfOnes writes a tile of ones, and one that has ones only for the keys of the last
// block.
func (a *amxAttention) tilesOfOnes() {
	a.Note("Ones to add up weights with: all of them, and those of the last keys.")
	rest, most, bits := a.Ptr("rest"), a.Ptr("most"), a.Ptr("bits")
	one, last := a.InRegister(a.ConstBits(0x3f803f80, "a pair of ones")), a.Vec("last")
	a.LoadWord(rest, a.Word("keys"))
	a.AddImm(rest, -1)
	a.line("", "ANDQ $31, %s", rest.reg)
	a.AddImm(rest, 1)
	a.masks(rest, most, bits)
	half := a.InRegister(a.ConstBits(0x3f80, "one"))
	a.line("1 for key g", "VMOVDQU32.Z Z%d, K1, Z%d", half.n, last.n)
	a.ShiftLeft(half, half, 16)
	a.line("1 for key g+16", "VPORD Z%d, Z%d, K2, Z%d", half.n, last.n, last.n)
	a.Store(a.mem.At(amxFactors), last)
	for g := range 16 {
		a.Splat(last, a.mem.At(amxFactors+4*g))
		a.Store(a.mem.At(amxOnes+64*g), one)
		a.Store(a.mem.At(amxOnes+amxTile+64*g), last)
	}
}

// masks sets K1 and K2 to the mask of existing keys among 0 to 15 and 16 to 31, if there
// are n.
func (a *amxAttention) masks(n, most, bits P) {
	a.SetImm(most, 32)
	a.line("", "CMPQ %s, %s", n.reg, most.reg)
	a.line("at most 32", "CMOVQLT %s, %s", n.reg, most.reg)
	a.SetImm(bits, -1)
	a.line("as many bits as keys", "BZHIQ %s, %s, %s", most.reg, bits.reg, bits.reg)
	a.line("keys 0 to 15", "KMOVW %s, K1", bits.reg)
	a.line("", "SHRQ $16, %s", bits.reg)
	a.line("keys 16 to 31", "KMOVW %s, K2", bits.reg)
}

// heads emits the loop over all heads of one size.
func (a *amxAttention) heads() {
	a.t = a.Tiles()
	a.context = nil
	for c := range 2 * a.across {
		a.context = append(a.context, a.t.Reg("context[%d]", 16*c))
	}
	a.sum, a.x = a.t.Reg("sum"), a.t.Reg("x")
	a.w, a.scores = []T{a.t.Reg("w")}, []T{a.t.Reg("scores")}
	if a.across == 1 {
		a.w, a.scores = append(a.w, a.t.Reg("w")), append(a.scores, a.t.Reg("scores"))
	}
	head := a.Label("head")
	a.Place(head)
	a.Scope(a.packKeys)
	a.Scope(a.lastQueries)
	a.Scope(a.firstScores)
	a.Scope(a.packValues)
	a.Scope(a.queries)

	n := a.Ptr("heads")
	for _, name := range []string{"q", "k", "v"} {
		a.AddImmToWord(a.Word(name), a.row())
	}
	a.AddImmToWord(a.Word("dst"), a.dstRow())
	a.AddImmToWord(a.Word("heads"), -1)
	a.LoadWord(n, a.Word("heads"))
	a.JumpAtLeast(n, 1, head)
	a.t.Release()
	a.Return()
	a.slowPath()
}
