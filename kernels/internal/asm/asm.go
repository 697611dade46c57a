// Package asm is written by the generator in package asmgen, except for a few files that ask
// the system something. It has the assembly for every instruction set, a table of what each
// set has, and functions that call the right set's code. Only package kernels uses it, and
// package kernels knows no set by name.
//
// To change something, change asmgen, or one of the files here whose first line does not
// say that they are generated. The others are written by
//
//	go generate ./kernels/internal/asmgen
//
// Nothing here checks lengths: package kernels does so before it calls.
package asm

// ISA is an instruction set, as its index in Sets.
type ISA int

// Format is the number format of a product's operands.
type Format int

// Set describes an instruction set.
type Set struct {
	Name    string
	Vectors ISA // the set whose float32 vector kernels it uses
	// Products describes the formats that it multiplies; the others have a Group of 0.
	Products [formatCount]Product
	Attention
	GeluColumns int // columns of a row that Gelu processes
	AttendsBF16 bool
	// AttendsTiles says that Attend exists, for heads of 32 and of 64.
	AttendsTiles bool
}

// Product describes how operands of one format are multiplied.
type Product struct {
	Code ISA // the set that these kernels belong to
	// Tiles says that the kernel is Linear, which multiplies by a whole matrix. Otherwise
	// it is Gemm, which computes a tile of Rows×Cols outputs in registers.
	Tiles      bool
	Rows, Cols int // size of a block of outputs; Cols is also the width of a panel
	Group      int // how many inputs one instruction multiplies
	Unit       int // rows of inputs are padded to a multiple of this
	// XBytes and WeightBytes are the sizes of an input and a weight in memory. Some kernels
	// widen one or the other while they load it.
	XBytes, WeightBytes int
	// Unsigned says that int8 inputs are stored as the value plus 128, because the
	// instruction multiplies unsigned by signed numbers.
	Unsigned bool
	// Pairs says that rows of x are stored in pairs: a group of one row and a group of the
	// other in turn. A tile then begins with the first row of a pair. If there is no second
	// row in the last pair, its memory may hold anything.
	Pairs     bool
	PeakFLOPs int // operations in one step of Peak
}

// Attention describes a tile of attention: Columns is the number of queries, and of columns
// of V; Transpose is the number of rows that are transposed at once.
type Attention struct{ Columns, Transpose int }

// absent panics: the caller asked for an operation that the set, or this build, does not
// have.
func absent(set ISA, op string) {
	panic("kernels: " + Sets[set].Name + " has no " + op + " in this build")
}
