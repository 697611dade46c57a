// Package emulator runs Metal compute shaders on the CPU of a Linux machine, for
// tests: it is a gpu.Driver.
//
// The shaders are compiled as C++ by clang against a metal_stdlib of our own (the
// folder msl) into a process that runs them; buffers are memory that both
// processes map. Each GPU thread is a coroutine. A simdgroup, 32 of them, runs
// until all its lanes wait at a barrier or have ended, and then the next one, in
// an order that Options.Order says: a barrier that is missing changes results in
// some order. The matrices of a simdgroup are kept, and computed, by its first
// lane alone, which makes it fast enough for whole models.
//
// Memory starts as NaN patterns. A kernel that reads or writes outside its
// buffers, writes outside its threadgroup arrays, or whose threads disagree about
// a barrier, is ended, and the driver is lost.
//
// What a pass does not prove: that Apple's compiler takes the source (CheckStrict
// narrows that), speed, and the last bits of exp and its like.
package emulator
