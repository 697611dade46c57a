package engine

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
)

const (
	// rateTokens is the length of the sequences on which a layer is measured: about that of
	// MS MARCO's passages with their query, and about the rows that a block of the kernels
	// multiplies at a time.
	rateTokens = 96
	// In a round every candidate has one turn, and a turn is this many passes. The second
	// pass finds the layer's weights in the processor's cache, as nearly all rows of a real
	// pass do.
	turn = 2
	// A pass has two sequences if rounds stay short, else one. Longer passes give worse
	// measurements on a busy machine: the system takes a core away every few milliseconds.
	mostSequences = 2
	roundTime     = 20 * time.Millisecond
	// The least number of rounds. They go on until each shortest time was measured twice,
	// or the time for them is over.
	fewestRounds = 3
	roundsTime   = 150 * time.Millisecond
)

// contender is a candidate being measured: a device with the model's first layer only. All
// layers cost the same, and one is packed in a fraction of the time.
type contender struct {
	format kernels.Format
	device *cpu.Device
	times  []shortest // one element a worker
}

// shortest keeps the two shortest times.
type shortest struct{ first, second time.Duration }

func (s *shortest) add(took time.Duration) {
	switch {
	case s.first == 0 || took < s.first:
		s.first, s.second = max(took, 1), s.first
	case s.second == 0 || took < s.second:
		s.second = took
	}
}

// found reports whether the two shortest times are equal, except for noise: then they are
// probably the true time.
func (s *shortest) found() bool {
	return s.second > 0 && near*float64(s.second) <= float64(s.first)
}

// rates measures how fast a layer is in each of the formats. The formats take turns, so
// that other work on the machine slows all of them alike. All workers compute at the same
// time, as they do under load; the shortest time of each counts. A format that the model
// cannot be packed in is left out, with the reason in Choices.
func (e *Engine) rates(isa kernels.ISA, formats []kernels.Format) (_ []Candidate, err error) {
	first := *e.weights
	first.Layers = first.Layers[:1]
	first.Config.Layers = 1
	var all []*contender
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.device.Close())
		}
	}()
	for _, f := range formats {
		d, err := cpu.Open(&first, e.options.workers, kernels.Variant{ISA: isa, Format: f})
		if err != nil && f == kernels.F32 {
			return nil, because(ErrDevice, err)
		} else if err != nil {
			e.choose("precision: not %v: %v", f, err)
			continue
		}
		all = append(all, &contender{format: f, device: d, times: make([]shortest, d.Passes())})
	}
	round := func(b *model.Batch) error {
		for _, c := range all {
			for range turn {
				if err := c.run(e, b); err != nil {
					return err
				}
			}
		}
		return nil
	}
	// The first round's time, which includes the first use of new memory, decides how much
	// work the others do.
	begun := time.Now()
	if err := round(e.sequences(1)); err != nil {
		return nil, err
	}
	n := min(max(int(roundTime/max(time.Since(begun), 1)), 1), mostSequences)
	b := e.sequences(n)
	for _, c := range all {
		clear(c.times)
	}
	begun = time.Now()
	for i := 0; i < fewestRounds || time.Since(begun) < roundsTime && slices.ContainsFunc(all, (*contender).open); i++ {
		if err := round(b); err != nil {
			return nil, err
		}
	}
	var found []Candidate
	for _, c := range all {
		found = append(found, Candidate{Precision: c.format.String(), TokensPerSecond: c.rate(b.Tokens())})
	}
	return found, nil
}

// sequences returns a batch of n sequences of random tokens.
func (e *Engine) sequences(n int) *model.Batch {
	b, r := new(model.Batch), rand.New(rand.NewPCG(1, 1))
	for range n {
		e.makeUp(b, rateTokens, r)
	}
	return b
}

// run makes every worker compute a layer of b for all rows. (Run as a model's last layer,
// it would compute the [CLS] rows only.)
func (c *contender) run(e *Engine, b *model.Batch) error {
	// All passes begin before the first computes, and none ends before all have computed:
	// an idle worker would help another.
	passes := make([]model.Pass, len(c.times))
	for i := range passes {
		p, err := c.device.Begin(b)
		if err != nil {
			return err
		}
		defer p.End()
		passes[i] = p
	}
	errs := make([]error, len(passes))
	var wg sync.WaitGroup
	for i, p := range passes {
		wg.Go(func() {
			errs[i] = e.guarded(func() error {
				p.Embed()
				begun := time.Now()
				p.Attention(0, model.AllRows)
				p.FeedForward(0)
				c.times[i].add(time.Since(begun))
				return nil
			})
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// open reports whether some worker may still get a shorter time.
func (c *contender) open() bool {
	return slices.ContainsFunc(c.times, func(s shortest) bool { return !s.found() })
}

// rate returns the tokens a second of all workers together. Workers beyond the number of
// cores take turns: their shortest time is from when they had a core for themselves, so
// only as many workers as cores count.
func (c *contender) rate(tokens int) (sum float64) {
	for _, s := range c.times {
		sum += float64(tokens) / s.first.Seconds()
	}
	return sum * min(1, float64(runtime.GOMAXPROCS(0))/float64(len(c.times)))
}
