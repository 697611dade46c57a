package report

import (
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// mostDrift is the [Steady.Drift] above which there was no steady state.
const mostDrift = 0.10

// fewestToJudge is how many batches a steady window must have for its drift to be told.
const fewestToJudge = 9

// Steady is the part of a configuration in which its load was whole: after the first batch of
// each caller has ended, and before the last batch begins. What ramps up and drains is
// left out of it, and in all other figures.
type Steady struct {
	From    float64 `json:"from_seconds"`
	To      float64 `json:"to_seconds"`
	Batches int     `json:"batches"` // that ended in it
	Pairs   int     `json:"pairs"`   // in them

	PairsPerSecond  float64        `json:"pairs_per_second"`
	TokensPerSecond float64        `json:"tokens_per_second"`
	Latency         *stats.Summary `json:"latency_ms"` // of the batches that began, or were due, in it
	// Drift is, of a closed loop, the token rate of the last third less that of the first,
	// over the larger; nil where there are too few batches. The rate of an open loop is that of
	// its arrivals, so there it is the tokens that arrived less those that ended, over the
	// first: how much of the load was left lying.
	Drift   *float64 `json:"drift"`
	Reached bool     `json:"steady"`
}

// steadyOf finds the steady window of a run; nil where there is none.
func steadyOf(run *recording.Run) *Steady {
	s := new(Steady)
	// In an open loop callers are no number that fills up; what is under way is what came
	// in the time that a call takes, after which the first of them have ended.
	ramp := run.Concurrency
	if run.Loop == "open" {
		ramp = 1
	}
	if len(run.Batches) <= ramp {
		return nil
	}
	s.From = end(run.Batches[ramp-1]).Seconds()
	for _, b := range run.Batches {
		s.To = max(s.To, b.Start.Seconds())
	}
	if run.Concurrency == 1 && run.Loop != "open" { // one caller is always at it, to the end
		// Elapsed counts from the first batch's start, which is a little after 0.
		s.From, s.To = run.Batches[0].Start.Seconds(), end(run.Batches[len(run.Batches)-1]).Seconds()
	}
	if s.To <= s.From {
		return nil
	}
	var latency []float64
	thirds := [3]int{}
	tokens, arrived := 0, 0
	for _, b := range run.Batches {
		if at := b.Start.Seconds(); at >= s.From && at <= s.To {
			latency = append(latency, milliseconds(b.Latency))
			arrived += b.Tokens
		}
		if at := end(b).Seconds(); at > s.From && at <= s.To {
			s.Batches++
			s.Pairs += b.Pairs
			tokens += b.Tokens
			thirds[min(2, int(3*(at-s.From)/(s.To-s.From)))] += b.Tokens
		}
	}
	s.PairsPerSecond, s.TokensPerSecond = float64(s.Pairs)/(s.To-s.From), float64(tokens)/(s.To-s.From)
	s.Latency = stats.Summarize(latency)
	first, last := float64(thirds[0]), float64(thirds[2])
	drift := (last - first) / max(first, last)
	if run.Loop == "open" {
		drift = float64(arrived-tokens) / float64(max(1, arrived))
	}
	if s.Batches >= fewestToJudge && first > 0 && last > 0 {
		s.Drift, s.Reached = &drift, drift <= mostDrift && drift >= -mostDrift
	}
	return s
}

func (s *Steady) write(p *markdown.Page) {
	if s == nil {
		return
	}
	p.Para("#### Steady Window")
	drift := figure.Fixed(figure.Scaled(s.Drift, 100), 1)
	l := optionally(s.Latency)
	p.Table([]string{"From (s)", "To (s)", "Batches", "TP (pairs/s)", "Tokens/s", "Lat Avg (ms)", "Lat P95 (ms)", "Drift (%)"}, [][]string{{
		figure.Fixed(&s.From, 2), figure.Fixed(&s.To, 2), strconv.Itoa(s.Batches), figure.Fixed(&s.PairsPerSecond, 1), figure.Fixed(&s.TokensPerSecond, 0),
		figure.Fixed(l.mean, 2), figure.Fixed(l.p95, 2), drift,
	}})
	switch {
	case s.Drift == nil:
		p.Para("_Too few batches to tell whether a steady state was reached._")
	case !s.Reached:
		p.Para("**No steady state was reached:** _a drift of %s %%, where %.0f %% are allowed: the figures depend on how long the run was._", drift, 100*mostDrift)
	}
	p.Para("_Without the time in which the load builds up and drains. Drift is the token rate of the last third against that of the first; in an open loop, what arrived less what ended._")
}
