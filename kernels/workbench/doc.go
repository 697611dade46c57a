// Package workbench measures the kernels of package kernels one at a time: each
// kernel, at each shape, in each variant (instruction set and number format)
// that the processor runs, in one thread.
//
// # How
//
// The machine may be shared and its clock changes, so cases take turns: a round runs every
// case for a few milliseconds, then the next round begins. A disturbance hits cases that
// are measured close together alike, and the median over the rounds leaves it out. A case
// has the same operands in each repeat, and an untimed call comes before the timed ones, so
// that operands are in the nearest cache that can hold them.
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
// Peak and bandwidth are measured in the same rounds, and the best round counts: the peak by
// a loop of multiply-adds that touches no memory, with the variant's own registers and
// format; the bandwidth by a loop that only reads, from a working set half as large as each
// cache (of L3, which other cores use too, at most four times L2), and from one much larger
// than all caches. The level is the smallest cache that holds all operands of a call. A share
// above 1 is possible if memory is the bound: operands that were in L3 at the last call may
// be in L2 in part, and writing has a bandwidth of its own.
//
// # What is counted
//
// Products count 2·rows·in·out operations, and attention 4·tokens²·width. Biases, epilogues
// and exponentials count nothing, so the share of peak of a product with an epilogue shows
// what the epilogue costs. GELU and LayerNorm alone count the operations of their vector form
// for each value. Converting float32 to another format counts nothing: only memory bounds it.
//
// FLOPs of int8 are integer operations. Bytes are counted in the operands' format, even if an
// instruction set stores it differently (AVX2 and AVX-512 without VNNI keep int8 as int16).
package workbench
