package asmgen

// Machine is an instruction set: how many registers it has, how wide they are, and how each
// operation is written.
type Machine interface {
	Name() string // as in the names of functions: "AVX512"
	Arch() string // GOARCH
	Lanes() int   // float32s in a vector register
	registers() (vectors int, pointers []string)

	loadArg(f *Func, p P, offset int)
	splatArg(f *Func, v V, offset int)
	ret(f *Func)

	// Counting and addresses.

	setImm(f *Func, p P, n int)
	addImm(f *Func, p P, n int)
	add(f *Func, p, q P, scale int) // p += scale·q
	sub(f *Func, p, q P)
	move(f *Func, p, q P)
	jump(f *Func, condition string, p P, n int, label string)
	jumpAlways(f *Func, label string)
	// rows returns the addresses of n rows that are stride bytes apart.
	rows(f *Func, base, stride P, n int) *Rows
	prefetch(f *Func, m Mem)

	// Vectors.

	zero(f *Func, v V)
	load(f *Func, v V, m Mem)
	store(f *Func, m Mem, v V)
	storeOne(f *Func, m Mem, v V) // lane 0
	splat(f *Func, v V, m Mem)
	splatConst(f *Func, v V, c C)
	constSize() int // size of a constant in memory
	copy(f *Func, dst, src V)
	binary(f *Func, op Op, dst, a V, b Operand)
	muladd(f *Func, acc, a, b V) // acc += a·b
	// splatted is binary with a value from memory in every lane of the second operand.
	// Machines that must load it first use scratch.
	splatted(f *Func, op Op, dst, a V, m Mem, scratch V)
	mulAddSplat(f *Func, acc, a V, m Mem, scratch V) // acc += a·m
	// horner returns a register with p·x + c. It overwrites p.
	horner(f *Func, p, x V, c Operand) V
	products(f *Func, form Format, sums [][]V, x *Rows, step int, w Mem, k int)
	// accumulate emits one step of one sum; it overwrites product.
	accumulate(f *Func, form Format, acc, x, w, product V)
	// sumsIn is how many sums a register holds.
	sumsIn(form Format) int
	// weightBytes is the size in memory of a register's weights for one step.
	weightBytes(form Format) int
	// xSize is the size of one value of x.
	xSize(form Format) int

	// Number formats.

	// storeNarrow rounds Lanes() values of v and stores them as x of that format. It
	// overwrites v and scratch. Values to be quantized must be within int8.
	storeNarrow(f *Func, form Format, m Mem, v, scratch V)
	// pairHalves rounds two vectors of finite numbers to bfloat16, and leaves the pairs in
	// low. half and upper are the constants 0x8000 and 0xffff0000.
	pairHalves(f *Func, low, high, half, upper V)
	// loadHalves loads Lanes() values of 16 bits, each into the lower half of a lane.
	loadHalves(f *Func, v V, m Mem)
	or(f *Func, dst, a, b V)
	// addHalves adds sums in half to float32 in memory. It overwrites v, low and high.
	addHalves(f *Func, m Mem, v, low, high V)
	// toFloat converts int32 to float32.
	toFloat(f *Func, dst, src V)

	// shiftLeft shifts the bits of every lane to the left.
	shiftLeft(f *Func, dst, src V, bits int)
	sqrt(f *Func, dst, src V)
	fill(f *Func, v V, value Operand)
	// transposeBlock writes the transpose of the square at the beginning of the rows to
	// rows that are stride bytes apart. Afterwards dst points behind them.
	transposeBlock(f *Func, rows *Rows, dst, stride P)
	// rotate swaps neighbouring groups of n lanes.
	rotate(f *Func, dst, src V, n int)
}

// Format is the number format of a product's operands. Package asm's constants are
// generated from these.
type Format int

const (
	F32 Format = iota
	BF16
	F16
	Int8
	BF16x3

	formatCount
	None Format = -1 // for kernels that are the same for all formats
)

var formatNames = [formatCount]string{"F32", "BF16", "F16", "Int8", "BF16x3"}

// String returns the format's name as it is in function names.
func (f Format) String() string { return formatNames[f] }

// Op is an operation on two vectors, lane by lane.
type Op int

const (
	Add Op = iota
	Sub
	Mul
	Div
	Min // NaN if b is NaN
	Max // NaN if b is NaN
)

var opSigns = [...]string{"%s + %s", "%s - %s", "%s·%s", "%s/%s", "min(%s, %s)", "max(%s, %s)"}

// Operand is a vector register or a constant.
type Operand interface{ operand() string }

func (v V) operand() string { return v.name }

// Rows holds the addresses of rows of a matrix that are a fixed number of bytes apart.
type Rows struct {
	at    []Mem
	bases []P
}

// Row returns the address of row i.
func (r *Rows) Row(i int) Mem { return r.at[i] }

func (f *Func) SetImm(p P, n int)                    { f.setImm(f, p, n) }
func (f *Func) AddImm(p P, n int)                    { f.addImm(f, p, n) }
func (f *Func) AddPtr(p, q P, scale int)             { f.add(f, p, q, scale) }
func (f *Func) SubPtr(p, q P)                        { f.sub(f, p, q) }
func (f *Func) Move(p, q P)                          { f.move(f, p, q) }
func (f *Func) Jump(label string)                    { f.jumpAlways(f, label) }
func (f *Func) JumpLess(p P, n int, label string)    { f.jump(f, "<", p, n, label) }
func (f *Func) JumpAtLeast(p P, n int, label string) { f.jump(f, ">=", p, n, label) }
func (f *Func) JumpEqual(p P, n int, label string)   { f.jump(f, "==", p, n, label) }
func (f *Func) Rows(base, stride P, n int) *Rows     { return f.rows(f, base, stride, n) }
func (f *Func) Prefetch(m Mem)                       { f.prefetch(f, m) }
func (f *Func) Zero(v V)                             { f.zero(f, v) }
func (f *Func) Load(v V, m Mem)                      { f.load(f, v, m) }
func (f *Func) Store(m Mem, v V)                     { f.store(f, m, v) }
func (f *Func) StoreOne(m Mem, v V)                  { f.storeOne(f, m, v) }
func (f *Func) Splat(v V, m Mem)                     { f.splat(f, v, m) }
func (f *Func) Copy(dst, src V)                      { f.copy(f, dst, src) }
func (f *Func) Do(op Op, dst, a V, b Operand)        { f.binary(f, op, dst, a, b) }
func (f *Func) MulAdd(acc, a, b V)                   { f.muladd(f, acc, a, b) }
func (f *Func) Horner(p, x V, c Operand) V           { return f.horner(f, p, x, c) }
func (f *Func) ShiftLeft(dst, src V, bits int)       { f.shiftLeft(f, dst, src, bits) }
func (f *Func) Sqrt(dst, src V)                      { f.sqrt(f, dst, src) }
func (f *Func) Return()                              { f.ret(f) }

// Advance moves all rows forward by n bytes.
func (f *Func) Advance(r *Rows, n int) {
	for _, p := range r.bases {
		f.AddImm(p, n)
	}
}

// Fill sets v to a constant or to another register.
func (f *Func) Fill(v V, value Operand) { f.fill(f, v, value) }

// Total sums 16 values, which are in 16/lanes registers, into every lane of the first:
// lanes i and i+8, then i+4, i+2 and i+1. It overwrites the other registers.
func (f *Func) Total(vs, scratch []V) { f.Fold(Add, vs, scratch) }

// Fold is Total for any operation that is commutative.
func (f *Func) Fold(op Op, vs, scratch []V) {
	n := len(vs)
	for n > 1 {
		n /= 2
		for i := range n {
			f.Do(op, vs[i], vs[i], vs[i+n])
		}
	}
	for n = f.Lanes() / 2; n > 0; n /= 2 {
		f.rotate(f, scratch[0], vs[0], n)
		f.Do(op, vs[0], vs[0], scratch[0])
	}
}
