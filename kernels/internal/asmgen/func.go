package asmgen

import (
	"fmt"
	"slices"
	"strings"
)

// V is a vector register and its name in comments.
type V struct {
	n    int
	name string
}

// P is a general register, which holds a pointer or a count.
type P struct {
	reg  string
	name string
}

// Mem is the memory disp bytes from a pointer, plus scale times an index on machines that
// have such addresses.
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

// Named returns m with another name for comments.
func (m Mem) Named(format string, args ...any) Mem { m.name = fmt.Sprintf(format, args...); return m }

// Func is an assembly function that is being emitted.
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
	says     []string // placeholders in the doc text, each followed by its replacement
}

// Say sets what replaces a placeholder in the doc text.
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

// Vec allocates a vector register.
func (f *Func) Vec(format string, args ...any) V {
	if len(f.vectors) == 0 {
		panic(f.name + ": out of vector registers")
	}
	n := f.vectors[0]
	f.vectors = f.vectors[1:]
	return V{n, fmt.Sprintf(format, args...)}
}

// Vecs allocates n vector registers. The last verb in name is replaced by 0, step, 2·step
// and so on, where step is the last argument.
func (f *Func) Vecs(n int, name string, args ...any) []V {
	step, all := args[len(args)-1].(int), make([]V, n)
	for i := range all {
		all[i] = f.Vec(name, append(append([]any(nil), args[:len(args)-1]...), i*step)...)
	}
	return all
}

// Scope runs body and then frees the registers that body allocated.
func (f *Func) Scope(body func()) {
	vectors, pointers := f.vectors, f.pointers
	f.vectors, f.pointers = slices.Clone(vectors), slices.Clone(pointers)
	body()
	f.vectors, f.pointers = vectors, pointers
}

// Ptr allocates a general register.
func (f *Func) Ptr(name string) P {
	if len(f.pointers) == 0 {
		panic(f.name + ": out of general registers")
	}
	p := P{f.pointers[0], name}
	f.pointers = f.pointers[1:]
	return p
}

// FreePtr frees general registers.
func (f *Func) FreePtr(ps ...P) {
	for _, p := range ps {
		f.pointers = append(f.pointers, p.reg)
	}
}

// Arg allocates a register and loads a parameter into it.
func (f *Func) Arg(name string) P {
	p := f.Ptr(name)
	f.LoadArg(p)
	return p
}

// LoadArg loads the parameter that has p's name into p.
func (f *Func) LoadArg(p P) {
	offset, _ := f.offset(p.name)
	f.loadArg(f, p, offset)
}

// SplatArg loads the float32 parameter that has v's name into every lane of v.
func (f *Func) SplatArg(v V) {
	offset, _ := f.offset(v.name)
	f.splatArg(f, v, offset)
}

// offset returns a parameter's offset in the frame, and the size of all parameters.
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

// Place defines a label here.
func (f *Func) Place(label string) { fmt.Fprintf(&f.body, "\n%s:\n", label) }

// Times emits a loop that runs body while n is at least step, and subtracts step each time.
// Afterwards n holds the rest.
func (f *Func) Times(n P, step int, body func()) {
	loop, done := f.Label("loop"), f.Label("done")
	f.JumpLess(n, step, done)
	f.Place(loop)
	body()
	f.AddImm(n, -step)
	f.JumpAtLeast(n, step, loop)
	f.Place(done)
}
