package kernels

import (
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// Format is the number format of a product's operands. Sums are float32, except that sums
// of integers are exact, and F16 adds up short blocks in half. Everything that is not a
// product is float32.
type Format int

const (
	F32  = Format(asm.F32)
	BF16 = Format(asm.BF16) // bfloat16: float32 without the last 16 bits
	F16  = Format(asm.F16)  // IEEE 754's half: 11 significant bits, at most 65504
	// BF16x3 is float32 split into the sum of two bfloat16. Of the four products of two
	// such values, the three larger ones are summed. It orders scores like float32, at a
	// third of bfloat16's speed.
	BF16x3 = Format(asm.BF16x3)
	Int8   = Format(asm.Int8) // integers from -127 to 127, with a scale for each output of w and for each row of x
)

var formatNames = [...]string{F32: "f32", BF16: "bf16", F16: "f16", Int8: "int8", BF16x3: "bf16x3"}

// coarsest lists the formats by their precision, the coarsest first.
var coarsest = [...]Format{Int8, BF16, F16, BF16x3, F32}

// String returns the name that ParseFormat reads: "f32", "bf16x3", "f16", "bf16" or "int8".
func (f Format) String() string {
	if f < 0 || int(f) >= len(formatNames) {
		return fmt.Sprintf("Format(%d)", int(f))
	}
	return formatNames[f]
}

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	if i := slices.Index(formatNames[:], name); i >= 0 {
		return Format(i), nil
	}
	return 0, fmt.Errorf("kernels: format %q, want one of %q", name, formatNames)
}

// Formats returns the formats for which i has kernels, the coarsest first.
func (i ISA) Formats() []Format {
	if i == Generic {
		return slices.Clone(coarsest[:])
	}
	var all []Format
	for _, f := range coarsest {
		if i.set().Products[f].Group > 0 {
			all = append(all, f)
		}
	}
	return all
}

// Variant is one way to compute products: an instruction set and a format.
type Variant struct {
	ISA    ISA
	Format Format
}

// MostInt8 is the largest number of inputs of a layer with which an int8 product cannot
// overflow its int32 sum.
const MostInt8 = 1 << 17

// String returns for example "avx512vnni/int8".
func (v Variant) String() string { return v.ISA.String() + "/" + v.Format.String() }

// Check returns an error if this processor or this build cannot run v, or if the system
// does not permit it. The error says which, and names the variants that can run. Check asks
// the system for the permission that v needs, once for the whole process.
func (v Variant) Check() error {
	if !slices.Contains(Available(), v.ISA) {
		return fmt.Errorf("kernels: this processor or build does not run %v, only %v", v.ISA, Available())
	}
	if !slices.Contains(v.ISA.Formats(), v.Format) {
		return fmt.Errorf("kernels: %v has no kernels for %v, only for %v", v.ISA, v.Format, v.ISA.Formats())
	}
	if err := asm.Permit(asm.ISA(v.ISA)); err != nil {
		return fmt.Errorf("kernels: %v: %w", v.ISA, err)
	}
	return nil
}

// product describes v's kernel for products. It has no meaning for Generic.
func (v Variant) product() *asm.Product { return &v.ISA.set().Products[v.Format] }

// Kernels returns the variant of the smallest instruction set that has v's kernels. (An
// instruction set that extends another has kernels of its own for some formats only.)
func (v Variant) Kernels() Variant {
	if v.ISA != Generic {
		v.ISA = ISA(v.product().Code)
	}
	return v
}

// Variants returns every variant that this processor has and the system permits. Of several
// with the same kernels, it returns one.
func Variants() []Variant {
	var all []Variant
	for _, isa := range Available() {
		for _, format := range isa.Formats() {
			if v := (Variant{isa, format}); v == v.Kernels() && v.Check() == nil {
				all = append(all, v)
			}
		}
	}
	return all
}

// xSize returns the bytes of one value of a narrow input.
func (v Variant) xSize() int {
	if v.ISA == Generic {
		return 1 // Int8: Generic keeps the other formats as rounded float32
	}
	return v.product().XBytes
}
