package kernels

import (
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// ISA is an instruction set that the kernels are written for: a row in the generator's
// table. String and ParseISA know their names; only Generic has a constant here. An
// instruction set that extends another also has that one's kernels.
//
// The products and vector kernels of F32 and Int8 give the same results, bit for bit, on
// all instruction sets but Generic: each sum is added in the same order and rounded at the
// same places, however wide the registers are. bfloat16 instructions round in different
// ways, so only variants with the same instruction give the same bits.
type ISA int

// Generic is plain Go, which runs on every machine.
const Generic = ISA(asm.Generic)

// set returns the description of i.
func (i ISA) set() *asm.Set { return &asm.Sets[i] }

// vectors returns the instruction set whose float32 vector kernels i uses.
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

// Available returns the instruction sets that this processor has, the best first and
// Generic last. Some need the system's permission, which Variant.Check asks for.
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

// Permitted returns the instruction sets of Available that the system permits. It asks the
// system, once for the whole process.
func Permitted() []ISA {
	return slices.DeleteFunc(Available(), func(i ISA) bool { return asm.Permit(asm.ISA(i)) != nil })
}

// Best returns the best instruction set that this processor runs and the system
// permits.
func Best() ISA { return Permitted()[0] }
