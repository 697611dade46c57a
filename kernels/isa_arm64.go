//go:build !noasm

package kernels

// available returns NEON, which every arm64 processor has.
func available() []ISA { return []ISA{NEON} }
