package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	moremath "github.com/aclements/go-moremath/stats"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Round is a run of each side, made in turns.
type Round struct{ A, B *report.Report }

// Judgement is what several runs of A and B say of B.
type Judgement struct {
	Paired bool `json:"paired"`
	RunsA  int  `json:"runs_a"`
	RunsB  int  `json:"runs_b"`
	// Faults say why the runs cannot be compared, or which failed the accuracy gate. Then
	// there are no rows.
	Faults   []string `json:"faults"`
	Warnings []string `json:"warnings"` // what differs that the figures depend on
	Rows     []Row    `json:"rows"`
	// Ungated are the gates that were asked for, or are there by default, and could not be
	// held, with the reason; Asked are those of them that were asked for.
	Ungated []string `json:"ungated"`
	Asked   []string `json:"ungated_asked"`
}

// Rounds judges B by runs that were made in turns.
func Rounds(rounds []Round, gates []Gate) *Judgement {
	var a, b []*report.Report
	for _, r := range rounds {
		a, b = append(a, r.A), append(b, r.B)
	}
	return judge(a, b, true, gates, func(row *Row, value func(*report.Report) *float64) bool {
		logs, ok := logRatios(a, b, value)
		if !ok {
			return false
		}
		low, high := stats.MedianInterval(logs)
		row.set(stats.Median(logs), low, high)
		row.P, row.Exact = stats.SignFlip(logs)
		for _, v := range logs {
			row.Ratios = append(row.Ratios, math.Exp(v))
		}
		if len(logs) < FewestRounds {
			row.Few = fmt.Sprintf("no verdict: %s, want at least %d", figure.Count(len(logs), "round"), FewestRounds)
		}
		if same := againstItself(a, b, value); len(same) >= 2*(FewestRounds-1) {
			spread := math.Expm1(spreadFactor * stats.NullReach(same, len(logs)))
			row.Spread, row.Threshold = &spread, max(row.Threshold, spread)
		}
		return true
	})
}

// Faults says why the rounds cannot be compared, or which side failed the accuracy gate.
func Faults(rounds []Round) []string {
	var a, b []*report.Report
	for _, r := range rounds {
		a, b = append(a, r.A), append(b, r.B)
	}
	return faults(a, b)
}

// Groups judges B by runs that were made at any time. What A is against itself they do not
// tell.
func Groups(a, b []*report.Report, gates []Gate) *Judgement {
	return judge(a, b, false, gates, func(row *Row, value func(*report.Report) *float64) bool {
		la, okA := logs(a, value)
		lb, okB := logs(b, value)
		if !okA || !okB {
			return false
		}
		low, high := stats.MedianDifferenceInterval(la, lb)
		row.set(stats.Median(lb)-stats.Median(la), low, high)
		row.P, row.Exact = 1, true
		// It fails where all are equal, and then p is 1.
		if r, err := moremath.MannWhitneyUTest(la, lb, moremath.LocationDiffers); err == nil {
			row.P = min(1, r.P)
			row.Exact = len(la) <= moremath.MannWhitneyTiesExactLimit && len(lb) <= moremath.MannWhitneyTiesExactLimit
		}
		switch {
		case len(la) == 1 && len(lb) == 1:
			row.Few = "one run each: no verdict"
		case min(len(la), len(lb)) < FewestRuns:
			row.Few = fmt.Sprintf("no verdict: %d and %s, want at least %d of each side", len(la), figure.Count(len(lb), "run"), FewestRuns)
		}
		return true
	})
}

// spreadFactor makes a reach of medians one of intervals: an interval reaches about as far from
// its median as the median of A against itself may be from 1.
const spreadFactor = 2

// againstItself are the log ratios of each side's runs to its own of the round before: what
// the machine makes of no difference at all.
func againstItself(a, b []*report.Report, value func(*report.Report) *float64) (out []float64) {
	for _, side := range [][]*report.Report{a, b} {
		of, _ := logs(side, value)
		for i := 1; i < len(of); i++ {
			out = append(out, of[i]-of[i-1])
		}
	}
	return out
}

// set takes an estimate and its interval from the log scale.
func (r *Row) set(estimate, low, high float64) {
	r.Ratio, r.Low, r.High = math.Exp(estimate), math.Exp(low), math.Exp(high)
}

// logs is the log of a figure of each run; false where one has none.
func logs(runs []*report.Report, value func(*report.Report) *float64) (out []float64, ok bool) {
	for _, r := range runs {
		v := value(r)
		if v == nil || !(*v > 0) || math.IsInf(*v, 0) {
			return nil, false
		}
		out = append(out, math.Log(*v))
	}
	return out, len(out) > 0
}

func logRatios(a, b []*report.Report, value func(*report.Report) *float64) (out []float64, ok bool) {
	la, okA := logs(a, value)
	lb, okB := logs(b, value)
	if !okA || !okB {
		return nil, false
	}
	for i := range la {
		out = append(out, lb[i]-la[i])
	}
	return out, true
}

// judge makes a row of each measure of each configuration that all runs have, which fill
// does, and its verdict.
func judge(a, b []*report.Report, paired bool, gates []Gate, fill func(*Row, func(*report.Report) *float64) bool) *Judgement {
	j := &Judgement{Paired: paired, RunsA: len(a), RunsB: len(b), Faults: faults(a, b), Warnings: groupWarnings(a, b)}
	if len(j.Faults) > 0 {
		return j
	}
	configs := common(slices.Concat(a, b))
	held := map[string]bool{}
	for _, m := range Measures() {
		m.Title = a[0].Words(m.Title) // the work of all is the same, or there were a fault
		gate, gated := gateOf(m, gates)
		limit := coarsest
		if gated && len(gates) > 0 {
			limit = gate
		}
		of := configs
		if m.PerRun {
			of = []place{{}}
		}
		for _, at := range of {
			value := func(r *report.Report) *float64 { return m.Value(r, at.in(r)) }
			row := Row{Measure: m.Name, Title: m.Title, Threshold: gate, gate: gate, limit: limit, Gated: gated,
				lowerIsBetter: m.Better == report.Lower, n: min(len(a), len(b))}
			if !m.PerRun {
				row.Title += ", " + at.String()
			}
			if !fill(&row, value) {
				continue
			}
			row.A, row.B = medianOf(a, value), medianOf(b, value)
			if fewest := fewestBatches(slices.Concat(a, b), at); gated && fewest < m.Batches {
				row.Gated = false
				j.ungate(gates, fmt.Sprintf("%s: a run has %s, and the percentile needs %d to be a gate", row.Title, figure.Count(fewest, "batch"), m.Batches))
			}
			held[m.Name] = true
			j.Rows = append(j.Rows, row)
		}
		if gated && !held[m.Name] {
			j.ungate(gates, m.Title+": not told by every run")
		}
	}
	j.decide()
	return j
}

func (j *Judgement) ungate(gates []Gate, why string) {
	j.Ungated = append(j.Ungated, why)
	if len(gates) > 0 {
		j.Asked = append(j.Asked, why)
	}
}

// decide adjusts the p of what is gated, and finds all verdicts.
func (j *Judgement) decide() {
	var p []float64
	for _, r := range j.Rows {
		if r.Gated {
			p = append(p, r.P)
		}
	}
	adjusted := stats.Holm(p)
	for i := range j.Rows {
		r := &j.Rows[i]
		r.Adjusted, r.Within = r.P, min(r.Threshold, r.limit)
		if r.Gated {
			r.Adjusted, adjusted = adjusted[0], adjusted[1:]
		}
		r.judge()
	}
}

// Outcome is what the gates say together. A gate that was asked for and could not be held
// has not passed, and neither has a judgement without one.
func (j *Judgement) Outcome() Outcome {
	if len(j.Faults) > 0 {
		return Incomparable
	}
	gated, open := 0, len(j.Asked)
	for _, r := range j.Rows {
		switch {
		case !r.Gated:
			continue
		case r.Verdict == Slower:
			return Regression
		case r.Verdict == Inconclusive:
			open++
		}
		gated++
	}
	if open > 0 || gated == 0 {
		return Undecided
	}
	return Passed
}

// Summary is the outcome in one line: what stands in its way, or that nothing does.
func (j *Judgement) Summary() string {
	out := j.Outcome()
	var why []string
	switch out {
	case Incomparable:
		why = j.Faults
	case Undecided:
		why = append(why, j.Asked...)
	}
	for i := range j.Rows {
		r := &j.Rows[i]
		switch {
		case !r.Gated || out == Regression && r.Verdict != Slower || out == Undecided && r.Verdict != Inconclusive:
		case r.Verdict == Slower || r.Verdict == Faster:
			why = append(why, fmt.Sprintf("%s: %s, %s %s", r.Title, r.Verdict, Change(r.Ratio), r.Interval()))
		case r.Few != "": // the same for all
			if !slices.Contains(why, r.Few) {
				why = append(why, r.Few)
			}
		default:
			why = append(why, r.Title+": "+strings.TrimPrefix(r.String(), string(out)+": "))
		}
	}
	if len(why) == 0 {
		return string(out) + ": nothing that is gated was measured"
	}
	return string(out) + ": " + strings.Join(why, "; ")
}
