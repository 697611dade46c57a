package bench

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/model"
)

// kernelTimer is implemented by an engine whose device can time its kernels.
type kernelTimer interface {
	// TimeKernels starts to add up what each kernel costs. stop ends it.
	TimeKernels() (stop func() []model.KernelTime, known bool)
}

// timeKernels starts to time the kernels. stop ends it.
func (s *session) timeKernels() (stop func() []recording.Kernel, err error) {
	if timer, ok := s.engine.(kernelTimer); ok {
		if end, known := timer.TimeKernels(); known {
			return func() (kernels []recording.Kernel) {
				for _, k := range end() {
					kernels = append(kernels, recording.Kernel(k))
				}
				return kernels
			}, nil
		}
	}
	return nil, fmt.Errorf("device %q cannot time its kernels", s.rec.Device)
}

// noteProfile notes that the kernels were timed, and how much of the time inside passes
// they explain.
func (s *session) noteProfile() {
	var between, all float64
	for i := range s.rec.Runs {
		for _, k := range s.rec.Runs[i].Kernels {
			all += k.Time.Seconds()
			if k.Block == "" {
				between += k.Time.Seconds()
			}
		}
	}
	if all > 0 {
		s.note("The kernels were timed while the batches were measured, which is part of these figures. %.1f %% of the time inside passes was spent in them.",
			100*(all-between)/all)
	}
}
