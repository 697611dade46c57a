package metal

import (
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

const (
	// The FLOPs of one threadgroup of the kernel peak: 4 simdgroups, 16 sums, 64 steps,
	// each a product of 8×8×8.
	peakFLOPs = 4 * 16 * 64 * 2 * 8 * 8 * 8
	// The number of threadgroups grows until a run takes long enough to be measured, or is
	// larger than any chip needs.
	peakLeast, peakGrowth, peakMost = 5 * time.Millisecond, 8, 1 << 17
)

// PeakFLOPS measures how many floating-point operations a second the GPU does on fragments
// in registers, multiplying halves and adding floats. It returns 0 if the measurement
// fails.
func (d *Device) PeakFLOPS() float64 {
	flops, err := measurePeak(d.driver)
	if err != nil {
		return 0
	}
	return flops
}

func measurePeak(d gpu.Driver) (flops float64, err error) {
	k := variant{kernel: peak}
	if err := k.compile(d); err != nil {
		return 0, err
	}
	defer k.release()
	found, err := d.NewBuffer("peak", 4*peakMost)
	if err != nil {
		return 0, err
	}
	defer found.Release()
	for groups := 8; ; groups *= peakGrowth {
		work := []gpu.Dispatch{{Name: peak.name, Pipeline: k.pipeline, Bindings: []gpu.Binding{{Buffer: found}}, Groups: [2]int{groups, 1}}}
		best := time.Duration(0)
		for range 3 { // the first run may have to wake the GPU
			t, err := d.Run(work)
			if err != nil {
				return 0, err
			}
			if best == 0 || t.Busy < best {
				best = t.Busy
			}
		}
		if best >= peakLeast || groups*peakGrowth > peakMost {
			return float64(groups) * peakFLOPs / best.Seconds(), nil
		}
	}
}
