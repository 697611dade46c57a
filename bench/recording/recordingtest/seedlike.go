// Package recordingtest makes recordings for tests: nothing in them was measured.
package recordingtest

import (
	"math"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// seedLatencies are 100 batch latencies in microseconds, sorted, solved for
// such that the summary of them is that of the PyTorch report whose format we
// write: its minimum, maximum, means, deviations, percentiles, ranges and
// correlation to every digit printed. That there is a solution with the
// definitions of package report is what shows them to be that report's.
var seedLatencies = [100]float64{
	37726.97, 39093.87, 39093.89, 39093.89, 39150.45, 40741.82, 40741.85, 40741.92, 40741.93, 40742.45,
	41093.67, 41093.67, 41093.68, 41093.71, 41229.84, 42191.00, 43001.22, 43757.81, 44422.42, 45017.85,
	45559.78, 46059.44, 46525.14, 46963.17, 47405.76, 47840.52, 48258.39, 48662.08, 49053.86, 49442.70,
	49859.31, 50268.48, 50671.42, 51090.67, 51530.12, 51965.99, 52411.82, 52887.33, 53361.04, 53833.44,
	54535.66, 55517.95, 56864.38, 58124.15, 59198.76, 60156.95, 61147.28, 61147.28, 61147.28, 68022.44,
	68375.63, 70731.91, 70731.91, 70731.91, 70731.91, 70731.91, 70731.91, 70731.91, 70731.91, 70753.79,
	70959.88, 72292.98, 74542.81, 75090.11, 75381.08, 75676.57, 75773.69, 75773.69, 75773.69, 75773.69,
	75773.69, 75773.69, 75773.69, 75773.69, 78568.00, 78744.00, 79416.47, 79416.47, 79416.47, 80534.52,
	81832.32, 83196.06, 84736.12, 90993.52, 93952.26, 96442.40, 98803.35, 101256.99, 101298.62, 104265.00,
	105607.00, 106218.26, 116566.83, 128465.33, 138841.14, 149818.33, 157767.48, 165500.93, 168584.00, 181264.00,
}

// SeedLike is a recording of the seed's situation: 100 batches of 32, 14 looks
// at the machine. What the seed tells of the machine is the seed's.
func SeedLike() *recording.Recording {
	run := recording.Run{
		Batch: 32, Concurrency: 1, Loop: "closed", Requested: 3200,
		Warmup: recording.Warmup{Batches: 6, Time: 420 * time.Millisecond, Stable: true},
	}
	at := time.Duration(0)
	for i := range seedLatencies {
		latency := time.Duration(math.Round(1000 * seedLatencies[i*37%100])) // ns, not in order
		tokens := 2400 + 11*(i%37)
		tokenize := time.Duration(300+7*(i%13)) * time.Microsecond
		run.Batches = append(run.Batches, recording.BatchSample{
			Start: at, Latency: latency, Tokenize: tokenize, Overlapped: tokenize / 3, Infer: latency - tokenize + tokenize/3,
			Pairs: 32, Tokens: tokens, Padded: 4000 + 32*(i%41), Computed: tokens, FLOPs: int64(tokens) * 19_100_000,
		})
		at += latency + 25*time.Microsecond
	}
	run.Stages = seedLikeStages()
	run.Elapsed = at - 25*time.Microsecond
	memory := []float64{1195.6, 1195.6, 1195.6, 1263.6, 1263.6, 1263.6, 1263.6, 1303.6, 1303.6, 1303.6, 1303.6, 1303.6, 1303.6, 1303.6}
	busy := []float64{80.0, 83.1, 71.9, 77.2, 78.0, 75.1, 72.5, 73.4, 76.7, 62.5, 63.2, 62.4, 68.7, 74.1}
	cpu := []float64{1.1, 7.9, 1.5, 1.4, 1.6, 1.2, 1.0, 1.3, 1.7, 1.2, 1.5, 1.5, 1.5, 1.4}
	for i := range memory {
		run.Samples = append(run.Samples, recording.Sample{
			At: time.Duration(i+1) * 500 * time.Millisecond, GPUMemory: &memory[i], GPUBusy: &busy[i], CPU: &cpu[i], RSS: new(512.25),
		})
	}
	return &recording.Recording{
		Schema: recording.SchemaVersion, Name: "01_backend_seedlike", Description: "the seed's situation, made up",
		Started: time.Date(2025, 12, 26, 2, 16, 55, 0, time.FixedZone("", 3600)),
		Model: recording.Model{ID: "cross-encoder/ms-marco-MiniLM-L-6-v2", Layers: 6, Hidden: 384, Parameters: 22713601,
			WeightsSHA256: "821d1aa6", TokenizerSHA256: "d241a60d"},
		Backend: "minilm-metal", Device: "metal", Precision: "f16",
		Environment: recording.Environment{CPU: "Some CPU", CPUFeatures: []string{"avx2", "fma"}, GPU: "Some GPU", Cores: 8, MemoryBytes: 16 << 30,
			OS: "darwin 24.1", Arch: "arm64", Go: "go1.26", GOMAXPROCS: 8, Workers: 2, Commit: "0123abcd", Dirty: true,
			Args: []string{"bench", "--name", "a | b"}, Load1: new(0.25), Noise: new(0.013)},
		Dataset: recording.Dataset{Name: "made up", SHA256: "00ff00ff00ff00ff", Pairs: 3200, Tokens: 276800,
			Histogram: []recording.LengthBucket{{Min: 0, Width: 64, Pairs: 900}, {Min: 64, Width: 64, Pairs: 1800}, {Min: 128, Width: 64, Pairs: 480}, {Min: 192, Width: 64, Pairs: 20}}},
		ColdStart: recording.ColdStart{Load: 81234 * time.Microsecond, FirstScore: 12345 * time.Microsecond},
		Accuracy: &recording.Accuracy{Pairs: 64, MaxError: 0.0041, MeanError: 0.0009, Offset: new(-0.0006), CentredError: new(0.0007),
			LogitSD: 4.5, KendallTau: 0.9994, FlippedOrders: new(0.0003), TopK: 10, TopKAgreement: 1,
			Tolerances: recording.Tolerances{Tolerance: 0.06, CentredTolerance: 0.03, OffsetTolerance: 0.03}, Passed: true},
		Peak:  new(2.6e12),
		Runs:  []recording.Run{run},
		Notes: []string{"Nothing here was measured."},
	}
}

// seedLikeStages is two layers of what a GPU may do, ten times.
func seedLikeStages() *recording.Stages {
	const us = time.Microsecond
	s := &recording.Stages{Batches: 10, Pairs: 320, Tokens: 27680, Fused: 598 * time.Millisecond, Timed: 645 * time.Millisecond}
	s.Kernels = append(s.Kernels, recording.Kernel{Layer: -1, Block: "embed", Kernel: "embed+norm", Shape: "384", Calls: 10, Time: 3100 * us, Bytes: 85e6})
	for layer := range 2 {
		s.Kernels = append(s.Kernels,
			recording.Kernel{Layer: layer, Block: "attention", Kernel: "linear qkv", Shape: "384x1152", Calls: 10, Time: 104000 * us, FLOPs: 24.49e10, Bytes: 97e6},
			recording.Kernel{Layer: layer, Block: "attention", Kernel: "attention", Shape: "12x32", Calls: 10, Time: 22000 * us, FLOPs: 3.1e10, Bytes: 85e6},
			recording.Kernel{Layer: layer, Block: "feed-forward", Kernel: "linear|gelu up", Shape: "384x1536", Calls: 10, Time: 140000 * us, FLOPs: 32.65e10, Bytes: 118e6},
			recording.Kernel{Layer: layer, Block: "feed-forward", Kernel: "add+norm", Shape: "384", Calls: 10, Time: 2500 * us, Bytes: 64e6})
	}
	s.Kernels = append(s.Kernels,
		recording.Kernel{Layer: -1, Block: "classify", Kernel: "head", Shape: "384", Calls: 10, Time: 900 * us, FLOPs: 9.4e7, Bytes: 6e6},
		recording.Kernel{Layer: -1, Kernel: "between kernels", Calls: 10, Time: 8000 * us})
	return s
}

// Loads is a recording with three configurations on a machine without a GPU:
// one whose batches take seconds, one with several callers that was stopped by
// the time bound, and an open loop.
func Loads() *recording.Recording {
	rec := SeedLike()
	rec.Name, rec.Device, rec.Precision, rec.Environment.GPU, rec.Peak = "loads", "cpu", "f32", "", nil
	rec.Model.Synthetic = true
	rec.Runs = nil
	for _, c := range []struct {
		run      recording.Run
		batches  int
		latency  time.Duration // of the first batch; then a little more each
		interval time.Duration // between starts
	}{
		{recording.Run{Batch: 32, Concurrency: 1, Loop: "closed"}, 3, 2250 * time.Millisecond, 2300 * time.Millisecond},
		{recording.Run{Batch: 8, Concurrency: 4, Loop: "closed"}, 60, 160 * time.Millisecond, 40 * time.Millisecond},
		{recording.Run{Batch: 1, Concurrency: 16, Loop: "open", Rate: 12.5}, 300, 9 * time.Millisecond, 80 * time.Millisecond},
	} {
		run := c.run
		run.Requested, run.Warmup = c.batches*run.Batch, recording.Warmup{Batches: 2, Time: time.Second}
		if run.Batch == 8 {
			run.TimeBound, run.Requested = true, 3200
		}
		for i := range c.batches {
			b := recording.BatchSample{Start: time.Duration(i) * c.interval, Latency: c.latency + time.Duration(i%7)*time.Millisecond,
				Tokenize: 50 * time.Microsecond, Queue: time.Duration(i%3) * time.Millisecond, Infer: c.latency / 2,
				Pairs: run.Batch, Tokens: 80 * run.Batch, Padded: 130 * run.Batch, FLOPs: 1e9}
			run.Batches = append(run.Batches, b)
			run.Elapsed = b.Start + b.Latency
		}
		for at := 500 * time.Millisecond; at <= run.Elapsed; at += 500 * time.Millisecond {
			run.Samples = append(run.Samples, recording.Sample{At: at, CPU: new(99.5), RSS: new(301.0)})
		}
		rec.Runs = append(rec.Runs, run)
	}
	return rec
}

// Failed is SeedLike with scores that are wrong.
func Failed() *recording.Recording {
	rec := SeedLike()
	rec.Name = "failed"
	rec.Accuracy.MeanError, rec.Accuracy.CentredError, rec.Accuracy.Passed = 0.5, new(0.5), false
	return rec
}
