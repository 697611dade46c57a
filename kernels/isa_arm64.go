//go:build !noasm

package kernels

import "golang.org/x/sys/cpu"

// available returns NEON, which every arm64 processor has, and what it has beyond.
// Every Apple M has both features. On Linux and on macOS each is asked for, on
// Windows the package knows of no question for FEAT_FP16: there it is NEON.
func available() []ISA {
	if a := &cpu.ARM64; a.HasFPHP && a.HasASIMDHP && a.HasASIMDDP {
		return []ISA{NEON82, NEON}
	}
	return []ISA{NEON}
}
