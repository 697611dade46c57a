package recording

import (
	"fmt"
	"slices"
	"time"
)

// Ablation is the measurement of runs from which ideas were taken away, one at a time and all
// but some, beside the full run. They took turns in rounds, over the same pairs.
type Ablation struct {
	Batch  int    `json:"batch"`  // pairs in a call; one call at a time
	Pairs  int    `json:"pairs"`  // in each run
	Tokens int    `json:"tokens"` // of these pairs
	Padded int    `json:"padded"` // if each were as long as its batch's longest
	Seed   uint64 `json:"seed"`   // of the order of the runs in a round
	// Ideas are those that could be switched off, in the order in which they are added to the
	// plain run, which has none of them.
	Ideas    []Idea            `json:"ideas"`
	Variants []AblationVariant `json:"variants"` // the full one first
	Rounds   [][]AblationTime  `json:"rounds"`   // whole rounds, each in its order
	Kernels  []AblationKernel  `json:"kernels"`  // what cannot be switched off
}

// Idea is something that makes a run fast.
type Idea struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Without string `json:"without"` // what a run without it does
}

// AblationVariant is a way to score the pairs.
type AblationVariant struct {
	Off            []string `json:"off"` // ids of ideas, in their order
	Precision      string   `json:"precision"`
	InstructionSet string   `json:"instruction_set,omitempty"`
	Workers        int      `json:"workers"`
}

// AblationTime is one run: all of the pairs.
type AblationTime struct {
	Variant int            `json:"variant"` // index
	Time    time.Duration  `json:"time_ns"`
	CPU     *time.Duration `json:"cpu_ns,omitempty"` // of this process, all cores together; nil: not told
}

// AblationKernel is an idea that is measured by its own kernel: the same work with it and
// without it, in turns, and what the work with it is of all time.
type AblationKernel struct {
	Idea
	Unit    string    `json:"unit"`    // what was timed
	With    []float64 `json:"with_ns"` // one sample a turn
	Without []float64 `json:"without_ns"`
	// Part is the time of this work in a full run, of Whole, on the same clocks.
	Part  time.Duration `json:"part_ns"`
	Whole time.Duration `json:"whole_ns"`
}

func (a *Ablation) validate() error {
	if a == nil {
		return nil
	}
	if a.Batch < 1 || a.Pairs < 1 || a.Tokens < a.Pairs || a.Padded < a.Tokens || len(a.Variants) == 0 || len(a.Variants[0].Off) > 0 {
		return fmt.Errorf("ablation: batch %d, %d pairs, %d tokens, %d padded, %d variants: want at least 1, each of the tokens no less than the one before, and the full run first",
			a.Batch, a.Pairs, a.Tokens, a.Padded, len(a.Variants))
	}
	for i, v := range a.Variants {
		for _, id := range v.Off {
			if !slices.ContainsFunc(a.Ideas, func(idea Idea) bool { return idea.ID == id }) {
				return fmt.Errorf("ablation: variants[%d]: field \"off\": %q is none of the ideas", i, id)
			}
		}
	}
	for i, round := range a.Rounds {
		seen := make([]bool, len(a.Variants))
		for _, r := range round {
			if r.Variant < 0 || r.Variant >= len(seen) || seen[r.Variant] || r.Time <= 0 || r.Time > longestRun || r.CPU != nil && *r.CPU < 0 {
				return fmt.Errorf("ablation: rounds[%d]: variant %d in %v: want each once, and a time above 0", i, r.Variant, r.Time)
			}
			seen[r.Variant] = true
		}
		if len(round) != len(seen) {
			return fmt.Errorf("ablation: rounds[%d]: %d runs of %d variants", i, len(round), len(seen))
		}
	}
	for i, k := range a.Kernels {
		if len(k.With) != len(k.Without) || len(k.With) == 0 || k.Part < 0 || k.Whole <= 0 || k.Part > k.Whole || slices.Min(k.With) <= 0 || slices.Min(k.Without) <= 0 {
			return fmt.Errorf("ablation: kernels[%d]: %d and %d samples, %v of %v: want as many of both, above 0, and a part of the whole", i, len(k.With), len(k.Without), k.Part, k.Whole)
		}
	}
	return nil
}
