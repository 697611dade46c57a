//go:build !noasm

package kernels

import (
	"slices"

	"golang.org/x/sys/cpu"
)

// available returns the instruction sets with assembly, the best first. The
// features say that the operating system saves the registers too.
func available() []ISA {
	var all []ISA
	add := func(has bool, isa ISA) bool {
		if has {
			all = append(all, isa)
		}
		return has
	}
	x := &cpu.X86
	if add(x.HasAVX2 && x.HasFMA, AVX2) {
		add(x.HasAVXVNNI, AVXVNNI)
	}
	if add(x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL, AVX512) && add(x.HasAVX512VNNI, AVX512VNNI) {
		add(x.HasAVX512BF16, AVX512BF16)
	}
	slices.Reverse(all)
	return all
}
