package kernels

import (
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// ISA is an instruction set that the kernels are written for: a row of the
// generator's table, which String and ParseISA name. Only Generic has a name here.
//
// In F32 and in Int8 all but Generic give the same results, bit for bit: each sum runs
// in the same order and rounds at the same places, whatever the width of the
// registers. Instructions for bfloat16 round each in a way of their own, and what is
// the same there is what the same instruction computes. An instruction set that adds
// to another has that one's kernels too.
type ISA int

// Generic is plain Go, on every machine.
const Generic = ISA(asm.Generic)

// set returns what i has.
func (i ISA) set() *asm.Set { return &asm.Sets[i] }

// vectors returns the instruction set whose float32 vector kernels i has.
func (i ISA) vectors() ISA { return ISA(i.set().Vectors) }

// String returns the name that ParseISA reads, such as "generic", "neon" or
// "avx512bf16".
func (i ISA) String() string {
	if i < 0 || int(i) >= len(asm.Sets) {
		return fmt.Sprintf("ISA(%d)", int(i))
	}
	return i.set().Name
}

// ParseISA returns the instruction set of that name.
func ParseISA(name string) (ISA, error) {
	var known []string
	for i := range asm.Sets {
		if known = append(known, asm.Sets[i].Name); asm.Sets[i].Name == name {
			return ISA(i), nil
		}
	}
	return 0, fmt.Errorf("kernels: instruction set %q, want one of %q", name, known)
}

// Available returns the instruction sets that this processor runs, the best
// first and Generic last. One of them may need the system's permission, which
// Variant.Check asks for.
func Available() []ISA {
	all := []ISA{Generic}
	for i := range asm.Sets {
		if asm.Has(asm.ISA(i)) {
			all = append(all, ISA(i))
		}
	}
	slices.Reverse(all)
	return all
}

// Permitted returns those of Available that the system lets us use. It asks the system,
// once for the whole process.
func Permitted() []ISA {
	return slices.DeleteFunc(Available(), func(i ISA) bool { return asm.Permit(asm.ISA(i)) != nil })
}

// Best returns the best instruction set that this processor runs and the system
// permits.
func Best() ISA { return Permitted()[0] }
