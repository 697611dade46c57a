//go:build amxemu && !noasm

package asm

// emulated says that the program runs under an emulator of AMX, which CPUID cannot
// tell: the build tag is for tests there.
const emulated = true
