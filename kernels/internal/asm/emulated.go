//go:build amxemu

package asm

// emulated says that the program runs under an emulator of AMX, which CPUID cannot
// tell: the build tag is for tests there.
const emulated = true
