package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// AblationFigures say where the speed came from. Rates are medians over the rounds, and
// ratios medians of the rounds' ratios.
type AblationFigures struct {
	Batch        int                   `json:"batch"`
	Pairs        int                   `json:"pairs"` // in each run
	Rounds       int                   `json:"rounds"`
	PaddingShare float64               `json:"padding_share"` // of all tokens, in a padded run
	Full         AblationRun           `json:"full"`
	Plain        *AblationRun          `json:"plain"`        // without any of the ideas
	Whole        *Between              `json:"whole"`        // full over plain
	Ideas        []AblatedIdea         `json:"ideas"`        // one off at a time
	Steps        []AblationStep        `json:"steps"`        // from plain to full
	Kernels      []AblationKernelShare `json:"kernels"`      // computed, not measured in a run
	Product      *float64              `json:"product"`      // of what each idea alone gives; nil: one of them cannot go alone
	Interactions *float64              `json:"interactions"` // whole over product
}

// AblationRun is the speed of a variant.
type AblationRun struct {
	Pairs    float64 `json:"pairs_per_second"`
	MSOfPair float64 `json:"ms_per_pair"`
	// CPU is the processor's time, all cores together; nil: not told, or less than can be read.
	CPU  *float64 `json:"cpu_ms_per_pair"`
	Said string   `json:"precision"` // with the instructions and the threads
}

// Between is a ratio with its 95 % interval, nil of too few rounds.
type Between struct {
	Ratio float64     `json:"ratio"`
	CI    *[2]float64 `json:"interval"`
}

// AblatedIdea is the full run without one idea.
type AblatedIdea struct {
	recording.Idea
	Run   *AblationRun `json:"run"`       // nil: it cannot go alone
	Ratio *Between     `json:"over_full"` // its speed over the full run's
	CPU   *Between     `json:"cpu_over_full"`
}

// AblationStep adds an idea to those that a run already has.
type AblationStep struct {
	recording.Idea
	Run   AblationRun `json:"run"`   // with it
	Ratio Between     `json:"ratio"` // over the run without it
	Saved float64     `json:"saved_ms_per_pair"`
}

// AblationKernelShare is an idea measured by its own kernel. Ratio is the full run's speed if
// it did without it, over its speed: 1/(1 + Share·(Times-1)).
type AblationKernelShare struct {
	recording.Idea
	Unit  string  `json:"unit"`
	Times Between `json:"times"` // without over with, of the kernel alone
	Share float64 `json:"share"` // of the full run's time
	Ratio Between `json:"computed_over_full"`
}

func ablationFigures(a *recording.Ablation, speed bool) *AblationFigures {
	if a == nil || !speed || len(a.Rounds) == 0 {
		return nil
	}
	// Seconds of each variant, round by round.
	times, work := make([][]float64, len(a.Variants)), make([][]float64, len(a.Variants))
	for _, round := range a.Rounds {
		for _, r := range round {
			times[r.Variant] = append(times[r.Variant], r.Time.Seconds())
			if r.CPU != nil && *r.CPU > 0 {
				work[r.Variant] = append(work[r.Variant], r.CPU.Seconds())
			}
		}
	}
	told := func(i int) bool { return len(work[i]) == len(a.Rounds) }
	run := func(i int) AblationRun {
		seconds := stats.Median(times[i])
		v := &a.Variants[i]
		run := AblationRun{Pairs: float64(a.Pairs) / seconds, MSOfPair: 1000 * seconds / float64(a.Pairs), Said: said(v)}
		if told(i) {
			run.CPU = new(1000 * stats.Median(work[i]) / float64(a.Pairs))
		}
		return run
	}
	at := func(off []string) int {
		return slices.IndexFunc(a.Variants, func(v recording.AblationVariant) bool { return slices.Equal(v.Off, off) })
	}
	f := &AblationFigures{Batch: a.Batch, Pairs: a.Pairs, Rounds: len(a.Rounds), PaddingShare: 1 - float64(a.Tokens)/float64(a.Padded),
		Full: run(0)}
	var all []string
	product, complete := 1.0, true
	for _, idea := range a.Ideas {
		all = append(all, idea.ID)
		one := AblatedIdea{Idea: idea}
		if i := at([]string{idea.ID}); i >= 0 {
			one.Run, one.Ratio = new(run(i)), new(between(times[0], times[i]))
			product /= one.Ratio.Ratio
			if told(0) && told(i) {
				one.CPU = new(between(work[i], work[0]))
			}
		} else {
			complete = false
		}
		f.Ideas = append(f.Ideas, one)
	}
	if before := at(all); before > 0 {
		f.Plain, f.Whole = new(run(before)), new(between(times[before], times[0]))
		for i, idea := range a.Ideas {
			after := 0
			if rest := all[i+1:]; len(rest) > 0 {
				after = at(rest)
			}
			if after < 0 { // a recording that lacks a step
				f.Steps = nil
				break
			}
			f.Steps = append(f.Steps, AblationStep{idea, run(after), between(times[before], times[after]), run(before).MSOfPair - run(after).MSOfPair})
			before = after
		}
		if complete {
			f.Product, f.Interactions = &product, new(f.Whole.Ratio/product)
		}
	}
	for _, k := range a.Kernels {
		s := AblationKernelShare{Idea: k.Idea, Unit: k.Unit, Times: between(k.Without, k.With), Share: float64(k.Part) / float64(k.Whole)}
		over := func(times float64) float64 { return 1 / (1 + float64(s.Share*(times-1))) }
		s.Ratio.Ratio = over(s.Times.Ratio)
		if ci := s.Times.CI; ci != nil {
			s.Ratio.CI = &[2]float64{over(ci[1]), over(ci[0])}
		}
		f.Kernels = append(f.Kernels, s)
	}
	return f
}

// said tells a variant's precision, instructions and threads.
func said(v *recording.AblationVariant) string {
	list := []string{v.Precision}
	if v.InstructionSet != "" {
		list = append(list, v.InstructionSet)
	}
	if v.Workers > 0 {
		list = append(list, fmt.Sprintf("threads: %d", v.Workers))
	}
	return strings.Join(list, ", ")
}

// between is the speed of a run over that of a base, from the times of both, round by round.
func between(base, run []float64) Between {
	ratios := make([]float64, len(run))
	for i := range run {
		ratios[i] = base[i] / run[i]
	}
	b := Between{Ratio: stats.Median(ratios)}
	if len(ratios) >= stats.FewestForMedian {
		low, high := stats.MedianInterval(ratios)
		b.CI = &[2]float64{low, high}
	}
	return b
}

// fall is the steps as a waterfall of milliseconds a pair, by their short names; nil without.
func (f *AblationFigures) fall() (list []step) {
	if f == nil || len(f.Steps) == 0 {
		return nil
	}
	for _, s := range f.Steps {
		list = append(list, step{s.ID, s.Saved})
	}
	return append(list, step{"left", f.Full.MSOfPair})
}
