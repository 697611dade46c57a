// Package workbench measures the kernels of package kernels one at a time: each
// kernel, at each shape, in each variant (instruction set and number format)
// that the processor runs, in one thread.
//
// # How
//
// The machine is shared and its clock moves, so cases take turns: a round runs
// every case for a few milliseconds, then the next round begins. What disturbs
// the machine for a while hits neighbours alike, and the median over the rounds
// leaves it out. A case's operands are the same in each repeat, and one call
// goes before the timed ones, so that operands lie in the nearest cache that
// they fit into.
//
// # The roofline
//
// A kernel does FLOPs operations and must move Bytes bytes, each operand read
// and each result written once; FLOPs/Bytes is its arithmetic intensity. It is
// bound by the processor's arithmetic or by the memory that its operands lie in
// (Williams, Waterman and Patterson 2009, "Roofline: an insightful visual
// performance model for multicore architectures"):
//
//	attainable = min(peak, intensity × bandwidth)
//	share      = FLOPs/time / attainable = max(FLOPs/peak, Bytes/bandwidth) / time
//
// Peak and bandwidth are measured in the same rounds, the best of all rounds
// each: the peak by a loop of multiply-adds that touches no memory, with the
// variant's own registers and format; the bandwidth by a loop that only reads,
// from a working set half as large as each cache (of L3, which other cores use
// too, at most four times L2), and from one much larger than all. The level is the
// smallest cache that holds all operands of a call. A share above 1 is possible
// where memory is the bound: operands that lie in L3 at the last call may be in L2
// in part, and writes are a way of their own.
//
// # What is counted
//
// Products count 2·rows·in·out operations, attention 4·tokens²·width; biases,
// epilogues and exponentials count nothing, so that the share of peak of a
// product with an epilogue says what the epilogue costs. GELU and LayerNorm alone
// count what their vector form does for each value, and turning float32 into
// another format counts nothing: memory is its only bound.
//
// FLOPs of int8 are integer operations. Operands count in their format, whatever
// an instruction set makes of them (AVX2 and AVX-512 without VNNI keep int8 as
// int16).
package workbench
