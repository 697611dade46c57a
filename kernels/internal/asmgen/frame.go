package asmgen

import "fmt"

// Word is 8 bytes of a function's frame: a parameter, which the function may overwrite, or
// a local variable. It holds values for which there are not enough registers. Only amd64
// has operations on it.
type Word struct{ place, name string }

// Word returns a parameter in its place in the frame.
func (f *Func) Word(name string) Word {
	offset, _ := f.offset(name)
	return Word{fmt.Sprintf("%s+%d(FP)", name, offset), name}
}

// Local allocates a word for a local variable.
func (f *Func) Local(name string) Word {
	f.frame += 8
	return Word{fmt.Sprintf("%s-%d(SP)", name, f.frame), name}
}

// LoadWord sets p to w.
func (f *Func) LoadWord(p P, w Word) {
	f.line(p.name+" = "+w.name, "MOVQ %s, %s", w.place, p.reg)
}

// StoreWord sets w to p.
func (f *Func) StoreWord(w Word, p P) {
	f.line(w.name+" = "+p.name, "MOVQ %s, %s", p.reg, w.place)
}

// CopyWord sets w to v; it overwrites scratch.
func (f *Func) CopyWord(w, v Word, scratch P) {
	f.line("", "MOVQ %s, %s", v.place, scratch.reg)
	f.line(w.name+" = "+v.name, "MOVQ %s, %s", scratch.reg, w.place)
}

// AddWord adds w to p.
func (f *Func) AddWord(p P, w Word) {
	f.line(p.name+" += "+w.name, "ADDQ %s, %s", w.place, p.reg)
}

// SubWord subtracts w from p.
func (f *Func) SubWord(p P, w Word) {
	f.line(p.name+" -= "+w.name, "SUBQ %s, %s", w.place, p.reg)
}

// AddToWord adds p to w.
func (f *Func) AddToWord(w Word, p P) {
	f.line(w.name+" += "+p.name, "ADDQ %s, %s", p.reg, w.place)
}

// AddImmToWord adds n to w.
func (f *Func) AddImmToWord(w Word, n int) {
	if n < 0 {
		f.line(fmt.Sprintf("%s -= %d", w.name, -n), "SUBQ $%d, %s", -n, w.place)
		return
	}
	f.line(fmt.Sprintf("%s += %d", w.name, n), "ADDQ $%d, %s", n, w.place)
}

// JumpWordLess jumps if w < n.
func (f *Func) JumpWordLess(w Word, n int, label string) {
	f.line("", "CMPQ %s, $%d", w.place, n)
	f.line(fmt.Sprintf("if %s < %d", w.name, n), "JLT %s", label)
}

// JumpWordAtLeast jumps if w >= n.
func (f *Func) JumpWordAtLeast(w Word, n int, label string) {
	f.line("", "CMPQ %s, $%d", w.place, n)
	f.line(fmt.Sprintf("if %s >= %d", w.name, n), "JGE %s", label)
}
