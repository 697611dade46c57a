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
	// Sequences of so many tokens are what the arithmetic of a layer is measured on:
	// about as long as passages of MS MARCO with their query, and as many rows as a
	// block's products have at a time.
	rateTokens = 96
	// A round is a turn of every candidate, and a turn is two passes. The second finds
	// the layer's weights in the cache, as nearly all rows of a pass of the engine's
	// budget do.
	turn = 2
	// A pass has two sequences where a round stays short, and else one. Longer passes are
	// measured worse where others use the machine: the system takes a core away every few
	// milliseconds.
	mostSequences = 2
	roundTime     = 20 * time.Millisecond
	// Rounds go on until what was fastest was found twice, or for so long.
	fewestRounds = 3
	roundsTime   = 150 * time.Millisecond
)

// contender is a candidate's device with the first layer alone, which is being
// measured. One layer costs what the others do, and is packed in a fraction of the
// time.
type contender struct {
	format kernels.Format
	device *cpu.Device
	times  []shortest // of each worker
}

// shortest is the shortest of some times, and the next.
type shortest struct{ first, second time.Duration }

func (s *shortest) add(took time.Duration) {
	switch {
	case s.first == 0 || took < s.first:
		s.first, s.second = max(took, 1), s.first
	case s.second == 0 || took < s.second:
		s.second = took
	}
}

// found says whether two times were the shortest, but for noise.
func (s *shortest) found() bool {
	return s.second > 0 && near*float64(s.second) <= float64(s.first)
}

// rates measures how fast a layer is in each of the formats, in turns, so that what
// else the machine does meets all alike. All workers compute at the same time, as they
// do when there is much to score; of each the shortest time counts. Formats that the
// model cannot be had in are left out, and Choices says why.
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
	// What the first round takes, memory that is new included, says how much may be
	// computed in the others.
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

// sequences returns a batch of n, of random tokens.
func (e *Engine) sequences(n int) *model.Batch {
	b, r := new(model.Batch), rand.New(rand.NewPCG(1, 1))
	for range n {
		e.makeUp(b, rateTokens, r)
	}
	return b
}

// run has every worker compute a layer of b, for all rows: as the last of a model, it
// would be computed for the [CLS] rows alone.
func (c *contender) run(e *Engine, b *model.Batch) error {
	// All passes have begun before one computes, and none ends before all have
	// computed: a worker that has nothing to do would help another.
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

// open says whether a shorter time may be expected of some worker.
func (c *contender) open() bool {
	return slices.ContainsFunc(c.times, func(s shortest) bool { return !s.found() })
}

// rate returns the tokens a second of all workers together. Those that are more than
// there are cores take turns: a shortest time is one that had a core to itself.
func (c *contender) rate(tokens int) (sum float64) {
	for _, s := range c.times {
		sum += float64(tokens) / s.first.Seconds()
	}
	return sum * min(1, float64(runtime.GOMAXPROCS(0))/float64(len(c.times)))
}
