package recordingtest

import (
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// StagesOn is a CPU of two workers that reach 3 GFLOP/s together, and two batches.
func StagesOn() *recording.Recording {
	const ms = time.Millisecond
	rec := Loads()
	rec.Peak = new(3e9)
	rec.Runs[1].Stages = &recording.Stages{Batches: 2, Pairs: 16, Tokens: 1280, Fused: 100 * ms, Timed: 90 * ms, Kernels: []recording.Kernel{
		{Layer: 0, Block: "attention", Kernel: "gemm", Shape: "8x8", Calls: 4, Time: 30 * ms, FLOPs: 30e6, Bytes: 6e6},
		{Layer: 0, Block: "attention", Kernel: "gemm", Shape: "8x24", Calls: 2, Time: 20 * ms, FLOPs: 20e6, Bytes: 5e6},
		{Layer: 0, Block: "feed-forward", Kernel: "gemm", Shape: "8x8", Calls: 2, Time: 10 * ms, FLOPs: 5e6, Bytes: 5e6},
		{Layer: 1, Block: "attention", Kernel: "gemm", Shape: "8x8", Calls: 4, Time: 50 * ms, FLOPs: 30e6, Bytes: 6e6},
		{Layer: 1, Block: "feed-forward", Kernel: "add+norm", Shape: "8", Calls: 2, Time: 50 * ms},
		{Layer: -1, Kernel: "wait for helpers", Calls: 3, Time: 30 * ms},
		{Layer: -1, Kernel: "between kernels", Calls: 2, Time: 10 * ms},
	}}
	return rec
}
