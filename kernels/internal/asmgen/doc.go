// Package asmgen writes the assembly of package kernels, which lies in package asm: one
// Go program for all instruction sets.
//
// A kernel is a Go function that is given a *Func and calls its methods, one
// for each operation (Load, Splat, MulAdd, ...). A Machine turns the operation
// into the instruction set's own: AVX-512 and AVX2 on amd64, NEON on arm64. So
// a loop is said once, and every instruction set adds in the same order and
// rounds at the same places. With fused multiply-adds everywhere, the float32
// kernels of all instruction sets give the same result, bit for bit, those of int8
// too, and tests of one stand for the others. What multiplies matrices at a time has
// kernels of its own: AMX on tiles (tiles.go), BFMMLA and SMMLA (arm64_matrix.go).
//
// Each generated line carries its effect as a comment, in the names that the
// kernel gave its registers, and each function's comment is the loop that it
// replaces. The Go declarations come from the same source.
//
// To write the files, which are all of package asm but a few, anew:
//
//	go generate ./kernels/internal/asmgen
//
// The package's test fails while they differ.
//
// # To add an instruction set
//
//  1. Write its machine: a Machine (machine.go) in a file of its own, or an existing
//     one with a field more (amd64.go, arm64.go: Name, and what the instructions
//     change). Machines are compared with ==.
//  2. Where its products have a shape of their own, write their kernels, in a file of
//     their own, and put them into a group of families (families.go). What a tile is
//     for a Machine is said beside the kernels (TileOf, attentionColumns, ...).
//  3. Give it a row in sets.go, behind those that it is better than: the machine, what
//     it adds to, how to find it out, whom to ask for permission, its groups. What only
//     the system can tell is asked in a file of package asm (amx_*.go, bf16_*.go), which
//     every system must have in some form.
//  4. go generate. Declarations, dispatch, detection and the table come from that;
//     package kernels, its tests, the workbench and "auto" find the set by themselves.
//     .ci/run has a line for what /proc/cpuinfo calls it.
//
// A new format or order of operands is more: it needs a plain form and packing in
// package kernels (format.go, pack.go).
//
// # Why not avo
//
// github.com/mmcloughlin/avo v0.5.0 knows AVX-512 and its VNNI, but not BF16
// and not arm64, and a kernel written with it is written for one instruction
// set. What is needed beyond the Go assembler is little: registers handed out
// by name and a table of operations, which is this package.
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
