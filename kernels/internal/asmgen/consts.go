package asmgen

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// C is a constant, the same in every lane.
type C struct {
	offset int
	name   string
}

func (c C) operand() string { return c.name }

// consts is a file's table of constants. Each takes size bytes: one value, or a whole
// vector of it on machines that cannot copy one value to all lanes while loading.
type consts struct {
	symbol string
	size   int
	values []uint32
	tiles  bool // the file also needs the shapes of tiles
}

// Const returns a constant, and adds it to the file's table.
func (f *Func) Const(value float32) C {
	return f.ConstBits(math.Float32bits(value), fmt.Sprintf("%.9g", value))
}

// ConstBits is Const for a value given by its bits.
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

// Hold prepares constants for use in a loop: in registers on machines that have many, in
// memory otherwise.
func (f *Func) Hold(values ...float32) []Operand {
	ops := make([]Operand, len(values))
	for i, v := range values {
		ops[i] = f.HoldOne(f.Const(v))
	}
	return ops
}

// HoldOne is Hold for a single constant.
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

// shapes is the symbol of the data that LDTILECFG reads.
func (t *consts) shapes() string { return t.symbol + "Shapes" }

// writeShapes writes the shapes of eight tiles of the largest size: a byte for the palette;
// from byte 16 on, 16 bits each for the bytes of a row; from byte 48 on, a byte each for
// the rows.
func (t *consts) writeShapes(b *strings.Builder) {
	for at := 0; at < 64; at += 8 {
		value, what := uint64(0), "reserved"
		switch {
		case at == 0:
			value, what = 1, "palette 1"
		case at == 16 || at == 24:
			value, what = 0x0040004000400040, "four tiles' rows of 64 bytes"
		case at == 48:
			value, what = 0x1010101010101010, "eight tiles' 16 rows"
		}
		fmt.Fprintf(b, "DATA %s<>+%d(SB)/8, $%#016x // %s\n", t.shapes(), at, value, what)
	}
	fmt.Fprintf(b, "GLOBL %s<>(SB), RODATA|NOPTR, $64\n\n", t.shapes())
}

func (t *consts) write(b *strings.Builder) {
	if t.tiles {
		t.writeShapes(b)
	}
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

// table returns a constant of several values, for instructions that load more than one
// value even on machines that copy one to all lanes.
func (f *Func) table(name string, values ...uint32) C {
	t := f.consts
	for i := range t.values {
		if len(t.values)-i >= len(values) && slices.Equal(t.values[i:i+len(values)], values) {
			return C{i * t.size, name}
		}
	}
	t.values = append(t.values, values...)
	return C{(len(t.values) - len(values)) * t.size, name}
}
