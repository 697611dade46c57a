package ab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// Runner runs one side once, in a process of its own, and returns its report. If the scores
// failed the accuracy gate there is still a report, which has no speed figures and says
// why.
type Runner func(ctx context.Context, side string, round int) (*report.Report, error)

// Run runs the planned rounds. It calls keep after each round and at the end, to write the
// trial down, so a crash loses one round at most.
//
// If ctx is cancelled or a run fails, Run returns that error; the trial then has the runs
// that were made until then and says that it was cut short. Run ends early without an error
// when more rounds would be useless: scores failed the accuracy gate, or the sides cannot
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

// cut ends the trial early.
func (t *Trial) cut(keep func(*Trial) error, why string, err error) error {
	if last := len(t.Rounds) - 1; len(t.Rounds[last].Runs) == 0 {
		t.Rounds = t.Rounds[:last]
	}
	t.CutShort = why
	return errors.Join(err, keep(t))
}

// slim returns a report without what only a look at a single run needs: a trial has dozens.
func slim(r *report.Report) *report.Report {
	s := *r
	s.Configs = nil
	for _, f := range r.Configs {
		f.Samples, f.Dashboard, f.Stages, f.Ranges = nil, report.Dashboard{}, nil, nil
		s.Configs = append(s.Configs, f)
	}
	return &s
}
