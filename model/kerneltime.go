package model

import "time"

// KernelTime is what one kernel of one layer has cost. One without a block is no
// kernel but what else there is inside passes, such as the time between kernels:
// with it, the times sum up to the passes' own.
type KernelTime struct {
	Layer  int    // counted from 0; -1 outside the layers
	Block  string // "embed", "attention", "feed-forward", "classify"; "": no kernel
	Kernel string // "gemm qkv", "attention", ...: the same in every layer
	Shape  string // of its weights, in×out, or what else tells it from its like: "384x1152"
	Calls  int64
	// Time is summed over the workers: two that are busy for a second have spent
	// two.
	Time  time.Duration
	FLOPs int64 // counted as Config.FLOPs does, which is what all kernels sum up to
	Bytes int64 // of the operands, each read or written once
}
