package ab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// Runner runs one side once, in a process of its own, and returns its report. One whose
// scores failed the accuracy gate is a report too: it has no speed figures, and says why.
type Runner func(ctx context.Context, side string, round int) (*report.Report, error)

// Run runs the rounds that are planned. keep hears of the trial after each round, and when it
// ends, to write it down; a crash then costs one round.
//
// When ctx is cancelled, or a run fails, Run returns that error, and the trial has the runs
// that there were until then and says that it was cut short. It ends early, without an error,
// where more rounds would be for nothing: scores failed the accuracy gate, or the sides cannot
// be compared. [Trial.Judge] says which.
func (t *Trial) Run(ctx context.Context, run Runner, keep func(*Trial) error) error {
	t.Started = time.Now()
	for i, order := range Schedule(t.Planned, t.Seed) {
		t.Rounds = append(t.Rounds, Round{})
		round := &t.Rounds[i]
		for _, side := range order {
			begun := time.Now()
			r, err := run(ctx, side, i)
			switch {
			case ctx.Err() != nil:
				return t.cut(keep, "interrupted", ctx.Err())
			case err != nil:
				return t.cut(keep, "a run failed", fmt.Errorf("round %d, %s: %w", i+1, side, err))
			}
			round.Runs = append(round.Runs, Run{Side: side, Started: begun, Wall: time.Since(begun), Report: slim(r)})
			if r.Withheld != "" {
				return t.cut(keep, "scores failed the accuracy gate", nil)
			}
		}
		if len(compare.Faults(t.whole())) > 0 {
			return t.cut(keep, "the sides cannot be compared", nil)
		}
		if err := keep(t); err != nil {
			return err
		}
	}
	return nil
}

// cut ends the trial before its time.
func (t *Trial) cut(keep func(*Trial) error, why string, err error) error {
	if last := len(t.Rounds) - 1; len(t.Rounds[last].Runs) == 0 {
		t.Rounds = t.Rounds[:last]
	}
	t.CutShort = why
	return errors.Join(err, keep(t))
}

// slim is a report without what only a look at one run needs: a trial has dozens.
func slim(r *report.Report) *report.Report {
	s := *r
	s.Configs = nil
	for _, f := range r.Configs {
		f.Samples, f.Dashboard, f.Stages, f.Ranges = nil, report.Dashboard{}, nil, nil
		s.Configs = append(s.Configs, f)
	}
	return &s
}
