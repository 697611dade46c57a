// Package asmgen writes the assembly of package kernels, which lies in package asm: one
// Go program for all instruction sets.
//
// A kernel is a Go function that is given a *Func and calls its methods, one
// for each operation (Load, Splat, MulAdd, ...). A Machine turns the operation
// into the instruction set's own: AVX-512 and AVX2 on amd64, NEON on arm64. So
// a loop is said once, and every instruction set adds in the same order and
// rounds at the same places. With fused multiply-adds everywhere, the kernels
// of all instruction sets give the same result, bit for bit, and tests of one
// stand for the others.
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
//  1. Write its machine, in a file of its own: a Machine, or an existing one with a
//     field more, that says what the new instructions change (amd64.go, arm64.go).
//  2. If its products have a shape of their own, write their kernels, in a file of
//     their own, and put them into a group of families (families.go).
//  3. Give it a row in sets.go: the machine, what it adds to, how to find out whether
//     the processor has it, and the groups of families that it has for itself.
//  4. go generate. Declarations, dispatch, tile sizes, detection and what other
//     architectures are told come from the row; package kernels takes them as they
//     are, and its tests, the workbench and "auto" find the set by themselves.
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
