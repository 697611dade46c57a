package workbench

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Case is one kernel in one variant at one shape.
type Case struct {
	Kernel  string // "qkv", "attention", ...
	Title   string // what it computes: "384 → 1152, bias"
	Variant kernels.Variant
	Shape   Shape
	Work    Work

	named   bool // the kernel's name does not contain in and out, so Name does
	prepare func(*operands) job
}

// Shape is the size of a call. In is the width of the rows that are read, Out of those that
// are written.
type Shape struct {
	Rows int `json:"rows"` // tokens
	In   int `json:"in"`
	Out  int `json:"out"`
}

// Work is what one call computes and moves.
type Work struct {
	FLOPs int64 `json:"flops"`
	Bytes int64 `json:"bytes"` // of the operands, each read or written once
	// Footprint is the memory that the operands occupy. It is less than Bytes if a result
	// overwrites an operand.
	Footprint int64 `json:"footprint_bytes"`
}

// Intensity returns the number of operations for each byte moved.
func (w Work) Intensity() float64 { return float64(w.FLOPs) / float64(w.Bytes) }

// job is a case with its operands, ready to run.
type job struct {
	run func()
	// reset, if not nil, is called before each run and not timed: for kernels that would
	// otherwise get their own results as operands, and never the same twice.
	reset func()
}

// Name returns the case's name in the form of Go's benchmarks: key=value parts by which
// benchstat can filter and group, such as "Kernel/name=qkv/isa=avx512/format=f32/rows=128".
func (c *Case) Name() string {
	shape := ""
	if c.named {
		shape = fmt.Sprintf("in=%d/out=%d/", c.Shape.In, c.Shape.Out)
	}
	return fmt.Sprintf("Kernel/name=%s/isa=%v/format=%v/%srows=%d", c.Kernel, c.Variant.ISA, c.Variant.Format, shape, c.Shape.Rows)
}

// MiniLM's sizes.
const (
	width      = 384
	inner      = 1536
	vocabulary = 30522
)

var heads = kernels.Heads{Count: 12, Size: 32}

// Operations for each value in kernels that are not products, as the vector kernels compute
// them.
const (
	// A polynomial of degree 15 and 6 more.
	geluFLOPs = 2*15 + 6
	// x + r, the sum, x - mean, its square into the sum, then (x - mean)·scale,
	// ·gain + bias.
	normFLOPs = 1 + 1 + 1 + 2 + 2 + 2
)

const float = 4 // bytes of a float32
