package bench

import (
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// sampleEvery is the seed report's interval.
	sampleEvery = 500 * time.Millisecond
	// cpuLeast is the shortest interval for which the CPU share is meaningful: Linux counts
	// a process's time in ticks of 10 ms.
	cpuLeast = 100 * time.Millisecond
)

// GPUMeter is implemented by an engine on a GPU; the sampler finds it by a type assertion.
// The booleans are false if the figure is not known.
type GPUMeter interface {
	GPUName() string
	GPUMemoryBytes() (uint64, bool)
	GPUBusy() (time.Duration, bool) // computing, summed since the engine was opened
}

// reading is what a meter shows at one moment; nil if not known.
type reading struct {
	cpu, gpu       *time.Duration // busy, summed since some fixed moment
	rss, gpuMemory *float64       // in MB of 10^6 bytes
}

// processMeter returns a meter of this process, and of e's GPU if there is one.
func processMeter(e scorer) func() reading {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		self = nil
	}
	gpu, _ := e.(GPUMeter)
	return func() (r reading) {
		if self != nil {
			if t, err := self.Times(); err == nil {
				busy := time.Duration((t.User + t.System) * float64(time.Second))
				r.cpu = &busy
			}
			if m, err := self.MemoryInfo(); err == nil {
				r.rss = megabytes(m.RSS)
			}
		}
		if gpu != nil {
			if n, ok := gpu.GPUMemoryBytes(); ok {
				r.gpuMemory = megabytes(n)
			}
			if busy, ok := gpu.GPUBusy(); ok {
				r.gpu = &busy
			}
		}
		return r
	}
}

func megabytes(bytes uint64) *float64 {
	mb := float64(bytes) / 1e6
	return &mb
}

// sampler reads a meter each half second until it is stopped.
type sampler struct {
	meter   func() reading
	begun   time.Time
	last    reading
	lastAt  time.Duration
	samples []recording.Sample
	quit    chan struct{}
	wg      sync.WaitGroup
}

func startSampler(meter func() reading) *sampler {
	s := &sampler{meter: meter, begun: time.Now(), last: meter(), quit: make(chan struct{})}
	s.wg.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.sample()
			case <-s.quit:
				return
			}
		}
	})
	return s
}

// stop ends the sampling and returns the samples. The last interval counts if it is at
// least half as long as the others, or the only one.
func (s *sampler) stop() []recording.Sample {
	close(s.quit)
	s.wg.Wait()
	if len(s.samples) == 0 || time.Since(s.begun)-s.lastAt >= sampleEvery/2 {
		s.sample()
	}
	return s.samples
}

// sample takes one sample, of the time since the last one.
func (s *sampler) sample() {
	now, at := s.meter(), time.Since(s.begun)
	interval := at - s.lastAt
	sample := recording.Sample{At: at, RSS: now.rss, GPUMemory: now.gpuMemory}
	if interval >= cpuLeast {
		sample.CPU = busyPercent(s.last.cpu, now.cpu, interval*time.Duration(runtime.NumCPU()))
		sample.GPUBusy = busyPercent(s.last.gpu, now.gpu, interval)
	}
	s.samples = append(s.samples, sample)
	s.last, s.lastAt = now, at
}

// busyPercent returns the share of the available time that was used between two readings.
// Counters with ticks can show slightly more than there was.
func busyPercent(before, after *time.Duration, available time.Duration) *float64 {
	if before == nil || after == nil {
		return nil
	}
	percent := min(100, 100*float64(*after-*before)/float64(available))
	return &percent
}
