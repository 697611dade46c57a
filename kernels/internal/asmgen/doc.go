// Package asmgen writes the assembly of package kernels into package asm: one Go program
// for all instruction sets.
//
// A kernel is a Go function that gets a *Func and calls its methods, one for each operation
// (Load, Splat, MulAdd, ...). A Machine turns each operation into the instruction of its
// set: AVX-512 and AVX2 on amd64, NEON on arm64. So each loop is written once, and all
// instruction sets add in the same order and round at the same places. Since all of them
// use fused multiply-adds, the float32 and int8 kernels give the same result, bit for bit,
// on every instruction set, and a test on one stands for the others. Instructions that
// multiply matrices have kernels of their own: AMX on tiles (tiles.go), BFMMLA and SMMLA
// (arm64_matrix.go).
//
// Each generated line carries its effect as a comment, in the names that the
// kernel gave its registers, and each function's comment is the loop that it
// replaces. The Go declarations come from the same source.
//
// To write the generated files (all of package asm except a few) again:
//
//	go generate ./kernels/internal/asmgen
//
// The package's test fails if they differ.
//
// # To add an instruction set
//
//  1. Write its Machine (machine.go) in a file of its own, or add a field to an existing one
//     (amd64.go, arm64.go: extend Name and the methods whose instructions change). Machines
//     are compared with ==.
//  2. If its products have a new shape, write their kernels in a file of their own, and put
//     them into a group of families (families.go). How large a tile is on a Machine is
//     defined beside the kernels (TileOf, attentionColumns, ...).
//  3. Add a row to sets.go, after those that it is better than: the machine, the set that it
//     extends, an expression that detects it, a function that asks for permission, its
//     groups. What only the system can tell is asked in a file of package asm (amx_*.go,
//     bf16_*.go), which must exist in some form for every system.
//  4. Run go generate. It writes the declarations, dispatch, detection and table; package
//     kernels, its tests, the workbench and "auto" find the set by themselves. Then add a
//     line to .ci/run with the set's name in /proc/cpuinfo.
//
// A new format or order of operands needs more: a plain form and packing in package kernels
// (format.go, pack.go).
//
// # Why not avo
//
// github.com/mmcloughlin/avo v0.5.0 has AVX-512 and VNNI, but neither BF16 nor arm64, and a
// kernel written with it is for one instruction set. Beyond the Go assembler, little is
// needed: allocating registers by name, and a table of operations. That is this package.
//
// # Instructions that the Go assembler lacks
//
// They are written as raw words (WORD on arm64, LONG and WORD on amd64), with the
// true instruction in the comment: on amd64 AVX512_BF16's VDPBF16PS and
// conversions, AVX-VNNI's form of VPDPBUSD and all of AMX; on arm64 the vector forms of
// FADD, FMUL, FMAX and their kin, FMLA by lanes and of halves, SDOT, SMMLA, BFMMLA and
// what converts between numbers. Where llvm-mc is installed, a test holds them to it.
package asmgen

//go:generate go test -run TestGenerated -generate
