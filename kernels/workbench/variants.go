package workbench

import "github.com/minilm-metal/minilm-metal/kernels"

// Format is what a product's operands are.
type Format string

func (f Format) String() string { return string(f) }

var f32 = Format("f32")

// Variant is one way to compute: an instruction set and a format.
type Variant struct {
	ISA    kernels.ISA
	Format Format
}

// String returns for example "avx512/f32".
func (v Variant) String() string { return v.ISA.String() + "/" + v.Format.String() }

// size returns the bytes of an operand's value.
func (v Variant) size() int { return float }

// Variants returns those that this processor runs, each set of kernels once.
func Variants() []Variant {
	var all []Variant
	for _, isa := range kernels.Available() {
		all = append(all, Variant{isa, f32})
	}
	return all
}
