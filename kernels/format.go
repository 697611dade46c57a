package kernels

import (
	"fmt"
	"slices"
)

// Format is what the operands of a product are. Sums are float32, those of
// integers exact, those of halves half over short blocks. All that is not a product
// is float32.
type Format int

const (
	F32  Format = iota
	BF16        // bfloat16: float32 without the last 16 bits
	F16         // IEEE 754's half: 11 significant bits, at most 65504
	Int8        // integers from -127 to 127, with a scale for each output of w and for each row of x
)

var formatNames = [...]string{"f32", "bf16", "f16", "int8"}

// String returns the name that ParseFormat reads: "f32", "bf16", "f16" or "int8".
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

// Formats returns the formats that i has kernels for, the fastest first.
func (i ISA) Formats() []Format {
	switch i {
	case Generic:
		return []Format{F32, BF16, Int8, F16}
	case AVX512BF16:
		return []Format{Int8, BF16, F32}
	case NEON:
		return []Format{F32}
	case NEON82:
		return []Format{Int8, F16, F32}
	}
	return []Format{Int8, F32}
}

// Variant is one way to compute: an instruction set and a format.
type Variant struct {
	ISA    ISA
	Format Format
}

// MostInt8 is the most inputs of a layer whose int8 products are sure not to
// overflow the int32 that they are summed in.
const MostInt8 = 1 << 17

// String returns for example "avx512vnni/int8".
func (v Variant) String() string { return v.ISA.String() + "/" + v.Format.String() }

// Check returns an error where this processor or build does not run v, which
// names what it has.
func (v Variant) Check() error {
	if !slices.Contains(Available(), v.ISA) {
		return fmt.Errorf("kernels: this processor or build does not run %v, only %v", v.ISA, Available())
	}
	if !slices.Contains(v.ISA.Formats(), v.Format) {
		return fmt.Errorf("kernels: %v has no kernels for %v, only for %v", v.ISA, v.Format, v.ISA.Formats())
	}
	return nil
}

// Kernels returns the variant of the least instruction set whose kernels v has: an
// instruction set that adds to another has its own for some formats only.
func (v Variant) Kernels() Variant {
	switch {
	case v.Format == F32:
		v.ISA = v.ISA.base()
	case v.Format == Int8 && v.ISA == AVX512BF16:
		v.ISA = AVX512VNNI
	}
	return v
}

// Variants returns every variant that this processor has, those with the same
// kernels once.
func Variants() []Variant {
	var all []Variant
	for _, isa := range Available() {
		for _, format := range isa.Formats() {
			if v := (Variant{isa, format}); v == v.Kernels() {
				all = append(all, v)
			}
		}
	}
	return all
}

// group returns how many inputs the int8 products of v's instruction set multiply
// at a time.
func (v Variant) group() int {
	if v.ISA == AVX2 || v.ISA == AVX512 {
		return 2 // as int16, for want of VNNI
	}
	return 4
}

// unsigned says whether int8 inputs are stored as 128 more, since the
// instruction multiplies unsigned by signed.
func (v Variant) unsigned() bool {
	return v.ISA == AVXVNNI || v.ISA == AVX512VNNI || v.ISA == AVX512BF16
}

// xSize returns the bytes of a narrow input.
func (v Variant) xSize() int {
	if v.Format == BF16 || v.Format == F16 || v.ISA != Generic && v.group() == 2 {
		return 2
	}
	return 1
}
