package kernels

import (
	"fmt"
	"slices"
)

// ISA is an instruction set that the kernels are written for.
//
// In a format, all but Generic give the same results, bit for bit: each sum runs in
// the same order and rounds at the same places, whatever the width of the
// registers. An instruction set that adds to another has that one's kernels too.
type ISA int

const (
	Generic    ISA = iota // plain Go, on every machine
	NEON                  // arm64
	NEON82                // arm64 with ARMv8.2's FEAT_FP16 and FEAT_DotProd
	AVX2                  // amd64 with AVX2 and FMA
	AVXVNNI               // AVX2 and AVX-VNNI
	AVX512                // amd64 with AVX-512 F, DQ, BW and VL
	AVX512VNNI            // AVX512 and AVX512_VNNI
	AVX512BF16            // AVX512VNNI and AVX512_BF16
)

var isaNames = [...]string{"generic", "neon", "neon82", "avx2", "avxvnni", "avx512", "avx512vnni", "avx512bf16"}

// base returns the instruction set whose float32 kernels i has.
func (i ISA) base() ISA {
	switch i {
	case NEON82:
		return NEON
	case AVXVNNI:
		return AVX2
	case AVX512VNNI, AVX512BF16:
		return AVX512
	}
	return i
}

// String returns the name that ParseISA reads, such as "generic", "neon" or
// "avx512bf16".
func (i ISA) String() string {
	if i < 0 || int(i) >= len(isaNames) {
		return fmt.Sprintf("ISA(%d)", int(i))
	}
	return isaNames[i]
}

// ParseISA returns the instruction set of that name.
func ParseISA(name string) (ISA, error) {
	if i := slices.Index(isaNames[:], name); i >= 0 {
		return ISA(i), nil
	}
	return 0, fmt.Errorf("kernels: instruction set %q, want one of %q", name, isaNames)
}

// Available returns the instruction sets that this processor runs, the best
// first and Generic last.
func Available() []ISA { return append(available(), Generic) }

// Best returns the best instruction set that this processor runs.
func Best() ISA { return Available()[0] }
