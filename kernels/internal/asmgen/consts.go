package asmgen

import (
	"fmt"
	"math"
	"strings"
)

// C is a constant, the same in every lane.
type C struct {
	offset int
	name   string
}

func (c C) operand() string { return c.name }

// consts is a file's table of constants. Each takes size bytes: one value, or a
// whole vector of it where instructions cannot spread one over the lanes.
type consts struct {
	symbol string
	size   int
	values []uint32
}

// Const returns a constant of the file's table.
func (f *Func) Const(value float32) C {
	return f.ConstBits(math.Float32bits(value), fmt.Sprintf("%.9g", value))
}

// ConstBits returns a constant by its bits.
func (f *Func) ConstBits(bits uint32, name string) C {
	t := f.consts
	for i, v := range t.values {
		if v == bits {
			return C{i * t.size, name}
		}
	}
	t.values = append(t.values, bits)
	return C{(len(t.values) - 1) * t.size, name}
}

// Hold returns constants ready for use in a loop: in registers on machines
// with many of them, in memory otherwise.
func (f *Func) Hold(values ...float32) []Operand {
	ops := make([]Operand, len(values))
	for i, v := range values {
		ops[i] = f.HoldOne(f.Const(v))
	}
	return ops
}

// HoldOne is Hold for one constant.
func (f *Func) HoldOne(c C) Operand {
	if n, _ := f.registers(); n < 32 {
		return c
	}
	return f.InRegister(c)
}

// InRegister loads a constant into a register.
func (f *Func) InRegister(c C) V {
	v := f.Vec("%s", c.name)
	f.splatConst(f, v, c)
	return v
}

func (t *consts) write(b *strings.Builder) {
	if len(t.values) == 0 {
		return
	}
	for i, v := range t.values {
		if t.size == 4 {
			fmt.Fprintf(b, "DATA %s<>+%d(SB)/4, $%#08x // %.9g\n", t.symbol, i*t.size, v, math.Float32frombits(v))
			continue
		}
		for at := 0; at < t.size; at += 8 {
			fmt.Fprintf(b, "DATA %s<>+%d(SB)/8, $%#08[3]x%08[3]x // %.9[4]g\n", t.symbol, i*t.size+at, v, math.Float32frombits(v))
		}
	}
	fmt.Fprintf(b, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n\n", t.symbol, len(t.values)*t.size)
}
