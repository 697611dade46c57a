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
//
// # What stands behind it
//
// No Mac has run this yet. Instead:
//
//   - The shaders run on Linux, on an emulator of ours, which needs clang: whole models, block
//     by block against float64, every shape of tile, in seven orders of threads between
//     barriers, with memory that is NaN until written and guarded on both sides; and compiled
//     once more with address spaces as real types. More than sixty errors planted one at a time,
//     each barrier and bound among them, are all found (mutations_test.go).
//   - The layer below, darwinkit itself and our messages to it, runs on Linux against a strict
//     stand-in for Metal.framework, which gives the emulator's scores bit for bit, and is
//     type-checked for a Mac by a plain test.
//   - A shape of tile that a chip does not compile, that needs more than it has, or whose
//     products are wrong when it is tried at the start, is left out. The GPU is used as long as
//     one is left.
//
// What that cannot show: whether Apple's compiler takes the shaders, how many registers it gives
// them, how fast they are, and the counters that time kernels (without them each is timed in a
// command buffer of its own). On a Mac, MINILM_METAL_REQUIRED=1 go test ./metal -run 'OnGPU$' holds
// every tile to all that a device must be.
//
// # The range of half
//
// How large values can become follows from the weights alone, for any text (model/extents.go):
// at most 68 with trained weights (all-MiniLM-L6, trained on as a cross-encoder), 20 and 208
// with synthetic ones, as initialised and with outliers. With the trained weights these are the
// largest magnitudes in each of the half buffers, emulated, for 860 pairs of up to 219 tokens
// and one of 512:
//
//	embeddings  queries  keys  values  what heads find  hidden state  inner channels
//	6.3         3.1      12.4  7.5     4.2              30.3          25.2
//
// The residual stream, in float32, has up to 228 before a LayerNorm. As a test of the range the
// trained weights were multiplied by 64. With one kind of matrix at a time the bound is 4400 at
// most; scores of six pairs are off by 0.035 deviations or less, but with queries by 0.10, since
// attention's scores and their errors are 64 times as large then. With all matrices they are
// 4096 times as large, and the scores are finite but off by 1.6: "auto" compares with float32
// before it takes a GPU, and a GPU that is asked for by name is taken anyway. With the norms' gains, too,
// the model is refused.
package metal
