// Package metal is the device that runs a model's blocks on an Apple GPU, as
// hand-written compute shaders in half precision.
//
// Data flows through it like this:
//
//	model.Batch -> plan -> dispatches -> gpu.Driver -> pooled rows
//
// A pass is a plan, which is a list of dispatches in plain Go: 44 for six layers, the last
// of which computes only the [CLS] rows. Nothing runs before Pool. It gives the whole
// list to the driver as one command buffer, and waits. The driver is the only part that
// knows Metal: internal/darwinkit on a Mac. Tests use another driver, internal/emulator,
// which runs the same shaders on the processor, so that the device can be compared with the
// reference without a Mac.
//
// Two passes may be under way: while the GPU runs one, the processor tokenizes and prepares
// the next. Each has a slot of its own for the buffers that the processor writes. Activations
// are in scratch memory, which passes use one after the other. Its size is that of the
// largest batch so far; nothing is kept for each shape.
//
// The mathematics is in the shaders, each with its source. Operands of products are half,
// and sums are float. The residual stream is float, too: in half, 0.84 % of the orders of a
// model with close logits were reversed, in float 0.25 %. The largest half is 65504. A model
// with a larger weight is refused, and so is one where some text could lead to a larger
// value (range.go): no value is ever infinite.
package metal
