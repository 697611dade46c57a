package asmgen

import (
	"fmt"
	"slices"
	"strings"
)

// V is a vector register, under the name that comments call it by.
type V struct {
	n    int
	name string
}

// P is a general register, which holds a pointer or a count.
type P struct {
	reg  string
	name string
}

// Mem is Disp bytes from a pointer, plus Scale times an index where the
// machine has such addresses.
type Mem struct {
	base  P
	index P
	scale int
	disp  int
	name  string
}

// At returns the place disp bytes from p.
func (p P) At(disp int) Mem { return Mem{base: p, disp: disp, name: p.name} }

// Plus returns the place disp bytes further.
func (m Mem) Plus(disp int) Mem { m.disp += disp; return m }

// Named returns m under another name in comments.
func (m Mem) Named(format string, args ...any) Mem { m.name = fmt.Sprintf(format, args...); return m }

// Func is one assembly function in the making.
type Func struct {
	Machine
	name   string
	params []string
	body   strings.Builder

	vectors  []int
	pointers []string
	labels   int
	frame    int // bytes of local variables
	consts   *consts
	counted  map[string]count
	says     []string // words of the comment and what they stand for
}

// Say gives a word of the comment its meaning.
func (f *Func) Say(word string, value any) { f.says = append(f.says, word, fmt.Sprint(value)) }

// line writes an instruction and its effect.
func (f *Func) line(effect, format string, args ...any) {
	fmt.Fprintf(&f.body, "\t%-44s // %s\n", fmt.Sprintf(format, args...), effect)
}

// Note writes a comment on a line of its own.
func (f *Func) Note(format string, args ...any) {
	fmt.Fprintf(&f.body, "\n\t// "+format+"\n", args...)
}

// named returns v under another name.
func named(v V, format string, args ...any) V { return V{v.n, fmt.Sprintf(format, args...)} }

// Vec takes a free vector register.
func (f *Func) Vec(format string, args ...any) V {
	if len(f.vectors) == 0 {
		panic(f.name + ": out of vector registers")
	}
	n := f.vectors[0]
	f.vectors = f.vectors[1:]
	return V{n, fmt.Sprintf(format, args...)}
}

// Vecs takes n free vector registers. The name's last verb counts them in steps
// of the last argument.
func (f *Func) Vecs(n int, name string, args ...any) []V {
	step, all := args[len(args)-1].(int), make([]V, n)
	for i := range all {
		all[i] = f.Vec(name, append(append([]any(nil), args[:len(args)-1]...), i*step)...)
	}
	return all
}

// Scope gives back, after body, the registers that body took.
func (f *Func) Scope(body func()) {
	vectors, pointers := f.vectors, f.pointers
	f.vectors, f.pointers = slices.Clone(vectors), slices.Clone(pointers)
	body()
	f.vectors, f.pointers = vectors, pointers
}

// Ptr takes a free general register.
func (f *Func) Ptr(name string) P {
	if len(f.pointers) == 0 {
		panic(f.name + ": out of general registers")
	}
	p := P{f.pointers[0], name}
	f.pointers = f.pointers[1:]
	return p
}

// FreePtr gives general registers back.
func (f *Func) FreePtr(ps ...P) {
	for _, p := range ps {
		f.pointers = append(f.pointers, p.reg)
	}
}

// Arg takes a register and loads a parameter into it.
func (f *Func) Arg(name string) P {
	p := f.Ptr(name)
	f.LoadArg(p)
	return p
}

// LoadArg loads the parameter called as p is.
func (f *Func) LoadArg(p P) {
	offset, _ := f.offset(p.name)
	f.loadArg(f, p, offset)
}

// SplatArg loads the float32 parameter called as v is into every lane.
func (f *Func) SplatArg(v V) {
	offset, _ := f.offset(v.name)
	f.splatArg(f, v, offset)
}

// offset returns where a parameter lies in the frame, and the size of all.
func (f *Func) offset(name string) (offset, size int) {
	offset = -1
	for _, param := range f.params {
		n, kind, _ := strings.Cut(param, " ")
		width := 8
		if kind == "float32" {
			width = 4
		}
		size = (size + width - 1) / width * width
		if n == name {
			offset = size
		}
		size += width
	}
	if offset < 0 && name != "" {
		panic(f.name + ": no parameter " + name)
	}
	return offset, size
}

// Label returns a new label, unique in the function.
func (f *Func) Label(name string) string {
	f.labels++
	return fmt.Sprintf("%s%d", name, f.labels)
}

// Place puts a label here.
func (f *Func) Place(label string) { fmt.Fprintf(&f.body, "\n%s:\n", label) }

// Times emits body in a loop that counts n down by step while it is at least
// step, and leaves the rest in n.
func (f *Func) Times(n P, step int, body func()) {
	loop, done := f.Label("loop"), f.Label("done")
	f.JumpLess(n, step, done)
	f.Place(loop)
	body()
	f.AddImm(n, -step)
	f.JumpAtLeast(n, step, loop)
	f.Place(done)
}
