package bench

import (
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSampler(t *testing.T) {
	tests := []struct {
		name   string
		length time.Duration
		at     []time.Duration
	}{
		{"seven seconds as in the seed report", 7 * time.Second, nil},
		{"a remainder of a half interval", 1250 * time.Millisecond,
			[]time.Duration{500 * time.Millisecond, time.Second, 1250 * time.Millisecond}},
		{"a smaller one is dropped", 1200 * time.Millisecond,
			[]time.Duration{500 * time.Millisecond, time.Second}},
		{"shorter than an interval", 120 * time.Millisecond, []time.Duration{120 * time.Millisecond}},
		{"too short for a CPU share", 20 * time.Millisecond, []time.Duration{20 * time.Millisecond}},
	}
	for i := range 14 {
		tests[0].at = append(tests[0].at, time.Duration(i+1)*sampleEvery)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				// A quarter of all cores busy, half of the GPU.
				s := startSampler(func() reading {
					cpu := time.Since(begun) * time.Duration(runtime.NumCPU()) / 4
					gpu := time.Since(begun) / 2
					return reading{cpu: &cpu, gpu: &gpu, rss: megabytes(123_400_000)}
				})
				time.Sleep(tt.length)
				synctest.Wait() // at a multiple of the interval, the tick comes first
				samples := s.stop()
				if len(samples) != len(tt.at) {
					t.Fatalf("%d samples, want %d", len(samples), len(tt.at))
				}
				for i, got := range samples {
					if got.At != tt.at[i] || got.RSS == nil || *got.RSS != 123.4 || got.GPUMemory != nil {
						t.Errorf("sample %d: %+v, want at %v", i, got, tt.at[i])
					}
					if tt.length < cpuLeast {
						if got.CPU != nil || got.GPUBusy != nil {
							t.Errorf("sample %d: a share of %v is given", i, tt.length)
						}
					} else if got.CPU == nil || math.Abs(*got.CPU-25) > 1e-4 || math.Abs(*got.GPUBusy-50) > 1e-4 {
						t.Errorf("sample %d: CPU %v, GPU %v, want 25 and 50", i, got.CPU, got.GPUBusy)
					}
				}
			})
		})
	}
}

func TestBusyPercent(t *testing.T) {
	d := func(x time.Duration) *time.Duration { return &x }
	if got := busyPercent(nil, d(1), 1); got != nil {
		t.Errorf("unknown before: %v", *got)
	}
	if got := busyPercent(d(1), nil, 1); got != nil {
		t.Errorf("unknown after: %v", *got)
	}
	if got := busyPercent(d(10), d(1020), 1000); *got != 100 {
		t.Errorf("more than there is: %v", *got)
	}
}

// metered is an engine with a GPU.
type metered struct{ *fake }

func (metered) GPUName() string                { return "a GPU" }
func (metered) GPUMemoryBytes() (uint64, bool) { return 2_500_000, true }
func (metered) GPUBusy() (time.Duration, bool) { return 0, false }

func TestProcessMeter(t *testing.T) {
	debug.FreeOSMemory() // or what other tests have left is filled, which is resident already
	r := processMeter(newFake(nil))()
	if r.gpu != nil || r.gpuMemory != nil {
		t.Error("an engine without a GPU has GPU figures")
	}
	if r.rss == nil || r.cpu == nil {
		t.Fatal("no memory or CPU time of this process")
	}
	if *r.rss < 1 || *r.rss > 1e6 || *r.cpu < 0 {
		t.Errorf("%v MB, %v", *r.rss, *r.cpu)
	}
	// What is resident shows: 64 MB that are written to.
	held := []byte(strings.Repeat("x", 64<<20))
	if now := processMeter(newFake(nil))(); *now.rss < *r.rss+32 {
		t.Errorf("%v MB before and %v MB after 67 MB were filled", *r.rss, *now.rss)
	}
	runtime.KeepAlive(held)

	g := processMeter(metered{newFake(nil)})()
	if g.gpuMemory == nil || *g.gpuMemory != 2.5 || g.gpu != nil {
		t.Errorf("GPU memory %v, busy %v, want 2.5 and nil", g.gpuMemory, g.gpu)
	}
}
