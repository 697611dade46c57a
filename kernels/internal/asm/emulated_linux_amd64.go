//go:build amxemu && !noasm

package asm

// emulated says that the program runs under an emulator of AMX. CPUID cannot tell, so tests
// under the emulator are built with a tag.
const emulated = true
