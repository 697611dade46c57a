// Package metal is the device that runs a model's blocks on an Apple GPU, as
// hand-written compute shaders in half precision.
//
// Data flows through it like this:
//
//	model.Batch -> plan -> dispatches -> gpu.Driver -> scores
//
// A pass is a plan, a list of dispatches in plain Go: 44 for six layers, the last of
// which computes [CLS] rows alone. Nothing runs before Classify, which gives the
// whole list to the driver as one command buffer and waits. The driver is all that
// knows of Metal: internal/darwinkit on a Mac. Tests have another,
// internal/emulator, which runs the same shaders on the processor, so that the
// device is held to the reference without a Mac.
//
// Two passes may be under way: while the GPU runs one, the next is tokenized and
// encoded. Each has a slot of its own for what the processor writes; activations are
// scratch memory that passes use one after the other. Memory is that of the largest
// batch and the same for every shape: nothing is kept by shape.
//
// The mathematics is in the shaders, each with its source. Operands of products are
// half, sums float; the residual stream is float as well, without which a model with
// logits close together has 0.84 % of its orders swapped, not 0.25 %. Weights beyond
// half's range are refused.
package metal
