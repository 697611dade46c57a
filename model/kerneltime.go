package model

import "time"

// KernelTime is what one kernel of one layer has cost. If Block is "", it is not a kernel
// but other time inside passes, such as the time between kernels. With it, all times add up
// to the time of the passes.
type KernelTime struct {
	Layer  int    // counted from 0; -1 for kernels outside the layers
	Block  string // "embed", "attention", "feed-forward", "pool"; "" for time outside kernels
	Kernel string // "gemm qkv", "attention", ...: the same in every layer
	Shape  string // the shape of its weights, in×out, or whatever distinguishes it from others of that name: "384x1152"
	Calls  int64
	// Time is the sum over workers: if two are busy for a second, it is two seconds.
	Time  time.Duration
	FLOPs int64 // counted as by Config.FLOPs, which is the sum over all kernels
	Bytes int64 // of the operands, each read or written once
}
