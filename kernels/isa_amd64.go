//go:build !noasm

package kernels

import "golang.org/x/sys/cpu"

// available returns the instruction sets with assembly, the fastest first. The
// features say that the operating system saves the registers too.
func available() []ISA {
	var all []ISA
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL {
		all = append(all, AVX512)
	}
	if x.HasAVX2 && x.HasFMA {
		all = append(all, AVX2)
	}
	return all
}
