package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

const (
	// The stages are timed in batches with this share of the measured pairs, but in at
	// least this many batches.
	stagesPairs = 0.02
	stagesLeast = 10
	// A batch that would end later than this is not begun.
	stagesLongest = 5 * time.Second
	// This share of the time that the warm-up leaves to a configuration is kept for its
	// stages, but at most stagesLongest.
	stagesShare = 0.1
)

// errStages is in every error about stages that could not be timed. What was measured
// before is valid.
var errStages = errors.New("stages not timed")

// stagesTime returns how much of the time until the deadline, if there is one, the
// measurement leaves for the stages.
func (s *session) stagesTime(deadline time.Time) time.Duration {
	if !s.Stages || deadline.IsZero() {
		return 0
	}
	return min(stagesLongest, max(0, time.Duration(stagesShare*float64(time.Until(deadline)))))
}

// timeStages scores more batches of the configuration that was just measured, each twice:
// normally, and with its kernels timed. Timing may change what it times (a GPU runs a
// command buffer as a whole, unless single kernels are to be timed). So it is not part of
// the measurement, and the difference is reported beside it. There is one caller only: with
// several, the inference time of a batch would include parts of the others'.
func (s *session) timeStages(ctx context.Context, l loop, r *recording.Run, deadline time.Time) error {
	config := s.sweep.name(r.Batch, r.Concurrency)
	pairs, turn := 0, time.Duration(0)
	for _, b := range r.Batches {
		pairs += b.Pairs
		turn += 2 * (b.Latency - b.Queue)
	}
	turn /= time.Duration(len(r.Batches))
	l.batch = min(l.batch, s.Pairs)
	turns := max(stagesLeast, int(stagesPairs*float64(pairs)/float64(l.batch)))
	l.pairs = turns * l.batch

	begun := time.Now()
	if left := deadline.Sub(begun); !deadline.IsZero() && turn > left {
		s.note("%s: no stages: a batch twice takes %v, and the time bound of %v (for the whole run) leaves %v.",
			config, turn.Round(time.Millisecond), s.TimeBound, max(0, left).Round(time.Millisecond))
		return nil
	}
	end := begun.Add(stagesLongest)
	if !deadline.IsZero() && deadline.Before(end) {
		end = deadline
	}
	sums := new(recording.Stages)
	err := phase(ctx, "stages", func(ctx context.Context) error {
		var memory callMemory
		for i := range turns {
			now := time.Now()
			if i > 0 && now.Add(now.Sub(begun)/time.Duration(i)).After(end) {
				return nil
			}
			if err := s.stageTurn(ctx, &l, i, sums, &memory); err != nil {
				return fmt.Errorf("bench: %s: %w: batch %d: %w", config, errStages, i, err)
			}
			s.Progress(config+": stages", i+1, turns)
		}
		return nil
	})
	if sums.Batches > 0 {
		r.Stages = sums
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		s.note("%s: interrupted when its stages were timed in %d of %d batches; what follows it was not measured.", config, sums.Batches, turns)
	default:
		s.note("%s: its stages were timed in %d of %d batches, and not in the next; what follows it was not measured.", config, sums.Batches, turns)
	}
	return err
}

// stageTurn scores a batch in both ways and adds the times to the sums. The two ways take
// turns in going first, because the second one finds warm caches and, on a small machine, a
// lower clock.
func (s *session) stageTurn(ctx context.Context, l *loop, i int, sums *recording.Stages, m *callMemory) error {
	var plain, timed recording.BatchSample
	var kernels []recording.Kernel
	for _, timing := range [2]bool{i%2 != 0, i%2 == 0} {
		sample, stop := &plain, func() []recording.Kernel { return nil }
		if timing {
			begun, err := s.timeKernels()
			if err != nil {
				return err
			}
			sample, stop = &timed, begun
		}
		var err error
		*sample, err = l.call(ctx, time.Now(), start{batch: i}, m)
		kernels = append(kernels, stop()...)
		if err != nil {
			return err
		}
	}
	if len(kernels) == 0 {
		return errors.New("the device told the time of no kernel")
	}
	sums.Batches++
	sums.Pairs += timed.Pairs
	sums.Tokens += timed.Tokens
	sums.Fused += plain.Infer
	sums.Timed += timed.Infer
	sums.FusedGPU += plain.GPU
	sums.TimedGPU += timed.GPU
	sums.Kernels = recording.AddKernels(sums.Kernels, kernels)
	return nil
}
