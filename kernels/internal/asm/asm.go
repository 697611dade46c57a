// Package asm is what the generator in package asmgen wrote, and a little that is
// written by hand because it asks the system: assembly for every instruction set,
// which set has what, and functions that call the right set's code. Package kernels
// is the only one that uses it, and knows no set by name.
//
// What a reader may change is in asmgen, and here the files whose first line does not
// say that they are generated. All others are written by
//
//	go generate ./kernels/internal/asmgen
//
// Nothing here checks lengths: package kernels does, before it calls.
package asm

// ISA is an instruction set: its place in Sets.
type ISA int

// Format is what a product's operands are.
type Format int

// Set says what an instruction set has.
type Set struct {
	Name    string
	Vectors ISA // the set whose float32 vectors it computes with
	// Products are the formats that it multiplies; the others have a Group of 0.
	Products [formatCount]Product
	Attention
	GeluColumns int // of a row that Gelu takes
	AttendsBF16 bool
	// AttendsTiles says that there is Attend, for heads of 32 and of 64.
	AttendsTiles bool
}

// Product says how operands of one format are multiplied.
type Product struct {
	Code ISA // whose kernels these are
	// Tiles says that the kernel is Linear, which multiplies by a whole matrix.
	// Otherwise it is Gemm, which multiplies a tile of Rows×Cols outputs in registers.
	Tiles      bool
	Rows, Cols int // of a block of outputs; Cols is the width of a panel
	Group      int // inputs that are multiplied at once
	Unit       int // rows of inputs are filled up to a multiple of it
	// XBytes and WeightBytes are what an input and a weight take. Some kernels widen
	// the one or the other themselves.
	XBytes, WeightBytes int
	// Unsigned says that int8 inputs are stored as 128 more, since the instruction
	// multiplies unsigned by signed.
	Unsigned bool
	// Pairs says that rows of x lie in pairs, a group of the one and a group of the
	// other in turn. A tile then begins with the first of a pair; the second of the
	// last one may be garbage.
	Pairs     bool
	PeakFLOPs int // operations of one step of Peak
}

// Attention says how many queries, and columns of V, a tile of attention has, and how
// many rows are transposed at once.
type Attention struct{ Columns, Transpose int }

// absent panics: a set was asked for what it has not got, or this build has not got
// the set.
func absent(set ISA, op string) {
	panic("kernels: " + Sets[set].Name + " has no " + op + " in this build")
}
