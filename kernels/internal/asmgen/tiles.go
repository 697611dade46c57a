package asmgen

import "fmt"

// T is a tile register and its name in comments. The configuration makes it 16 rows of 64
// bytes.
type T struct {
	n    int
	name string
}

// tiles is Intel's AMX (Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 1, chapter 18): eight registers, a few instructions, and no arithmetic except
// products of whole tiles. It is used beside a vector Machine, which does everything else
// in the same function.
//
// A product multiplies 16 rows of x, 64 bytes each, by weights, and adds the results to
// 16×16 sums (acc). Weights are in groups of 4 bytes, 16 groups deep and 16 columns wide:
// group g of a row of x is multiplied by row g of the weights.
//
// The Go assembler knows none of these instructions: all are written as bytes.
type tiles struct {
	f    *Func
	free []int
}

// Tiles returns the tile machine for a function, with all registers free.
func (f *Func) Tiles() *tiles { return &tiles{f, []int{0, 1, 2, 3, 4, 5, 6, 7}} }

// Reg allocates a tile register.
func (t *tiles) Reg(format string, args ...any) T {
	if len(t.free) == 0 {
		panic(t.f.name + ": out of tile registers")
	}
	n := t.free[0]
	t.free = t.free[1:]
	return T{n, fmt.Sprintf(format, args...)}
}

// The values of the field pp of VEX, which stand for prefixes.
const (
	vexNone = iota
	vex66
	vexF3
	vexF2
)

// vexMap2 begins an instruction of map 0F38 with vector length 128 and W = 0. r, x and b
// are the upper bits of ModRM's reg, SIB's index, and rm or base.
func vexMap2(r, x, b, first int, prefix byte) []byte {
	return []byte{0xc4, byte(1-r)<<7 | byte(1-x)<<6 | byte(1-b)<<5 | 2, byte(^first&15)<<3 | prefix}
}

// Configure loads the shapes of all tiles from 64 bytes at p. The tile registers keep their
// contents until Release, or until the thread's state is lost.
func (t *tiles) Configure(p P) {
	n := gpr(p)
	code := append(vexMap2(0, 0, n>>3, 0, vexNone), 0x49)
	t.f.bytes(fmt.Sprintf("LDTILECFG (%s): the shapes of the tiles", p.reg), t.address(code, 0, p, nil, 0)...)
}

// ConfigureAll makes all tiles 16 rows of 64 bytes. It overwrites p.
func (t *tiles) ConfigureAll(p P) {
	t.f.consts.tiles = true
	t.f.line(p.name+" = where the shapes of the tiles are", "LEAQ %s<>(SB), %s", t.f.consts.shapes(), p.reg)
	t.Configure(p)
}

// Release clears the tile state, which every thread switch would otherwise save.
func (t *tiles) Release() {
	t.f.bytes("TILERELEASE: no tile state left behind", append(vexMap2(0, 0, 0, 0, vexNone), 0x49, 0xc0)...)
}

func (t *tiles) Zero(r T) {
	t.f.bytes(fmt.Sprintf("TILEZERO T%d: %s = 0", r.n, r.name), append(vexMap2(0, 0, 0, 0, vexF2), 0x49, 0xc0|byte(r.n)<<3)...)
}

// Load loads rows of 64 bytes that are stride bytes apart, the first one disp bytes from p.
func (t *tiles) Load(r T, p P, disp int, stride P) {
	t.move("TILELOADD", vexF2, r, p, disp, stride, fmt.Sprintf("%s = %s+%d bytes...", r.name, p.name, disp))
}

// Store stores a tile's rows in the same way.
func (t *tiles) Store(p P, disp int, stride P, r T) {
	t.move("TILESTORED", vexF3, r, p, disp, stride, fmt.Sprintf("%s+%d bytes... = %s", p.name, disp, r.name))
}

func (t *tiles) move(name string, prefix byte, r T, p P, disp int, stride P, effect string) {
	base, index := gpr(p), gpr(stride)
	code := append(vexMap2(0, index>>3, base>>3, 0, prefix), 0x4b)
	code = t.address(code, r.n, p, &stride, disp)
	place := fmt.Sprintf("(%s)(%s*1)", p.reg, stride.reg)
	if disp != 0 {
		place = fmt.Sprint(disp) + place
	}
	operands := fmt.Sprintf("%s, T%d", place, r.n)
	if prefix == vexF3 {
		operands = fmt.Sprintf("T%d, %s", r.n, place)
	}
	t.f.bytes(fmt.Sprintf("%s %s: %s", name, operands, effect), code...)
}

// Dot adds x·w to acc: pairs of bfloat16, or groups of four signed int8.
func (t *tiles) Dot(form Format, acc, x, w T) {
	name, prefix, opcode := "TDPBF16PS", byte(vexF3), byte(0x5c)
	if form == Int8 {
		name, prefix, opcode = "TDPBSSD", vexF2, 0x5e
	}
	code := append(vexMap2(0, 0, 0, w.n, prefix), opcode, 0xc0|byte(acc.n)<<3|byte(x.n))
	t.f.bytes(fmt.Sprintf("%s T%d, T%d, T%d: %s += %s·%s", name, w.n, x.n, acc.n, acc.name, x.name, w.name), code...)
}

// address appends ModRM, SIB and the displacement for the address disp bytes from p, or
// from p plus an index.
func (t *tiles) address(code []byte, reg int, p P, index *P, disp int) []byte {
	base := gpr(p)
	mod := byte(0) // no displacement, a form that R13 as base does not have
	switch {
	case disp != int(int8(disp)):
		mod = 2
	case disp != 0 || base&7 == 5:
		mod = 1
	}
	if index == nil {
		code = append(code, mod<<6|byte(reg)<<3|byte(base&7))
		if base&7 == 4 { // R12 as base needs a SIB byte without an index
			code = append(code, 0x24)
		}
	} else {
		code = append(code, mod<<6|byte(reg)<<3|4, byte(gpr(*index)&7)<<3|byte(base&7))
	}
	switch mod {
	case 1:
		code = append(code, byte(disp))
	case 2:
		code = append(code, byte(disp), byte(disp>>8), byte(disp>>16), byte(disp>>24))
	}
	return code
}

// gpr returns the number of a general register.
func gpr(p P) int {
	for n, name := range []string{"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"} {
		if p.reg == name {
			return n
		}
	}
	panic("asmgen: no general register " + p.reg)
}
