package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Measure is a figure of a run that is judged over several of them.
type Measure struct {
	Name   string // as a gate names it
	Title  string // with its unit
	Better report.Direction
	// Value is nil where the run has none. f is nil for what a whole run has once.
	Value   func(r *report.Report, f *report.Figures) *float64
	PerRun  bool // the whole run has it once, and not each configuration
	Batches int  // each run needs so many for this to be a gate
	gated   bool // if nothing is said of gates
}

// Measures are the figures that are judged.
func Measures() []Measure {
	percentile := func(p int, gated bool, value func(*stats.Summary) float64) Measure {
		m := Measure{
			Name: fmt.Sprintf("p%d", p), Title: fmt.Sprintf("Latency P%d (ms)", p), Better: report.Lower, gated: gated,
			Value: func(_ *report.Report, f *report.Figures) *float64 {
				if f.Latency == nil {
					return nil
				}
				return new(value(f.Latency))
			},
		}
		if p > 50 { // the median's bound needs 5, and nobody has fewer
			m.Batches = stats.SamplesNeeded(float64(p)/100, stats.Confidence)
		}
		return m
	}
	cold := func(name, title string, gated bool, value func(*report.Report) time.Duration) Measure {
		return Measure{
			Name: name, Title: title, Better: report.Lower, PerRun: true, gated: gated,
			Value: func(r *report.Report, _ *report.Figures) *float64 {
				if r.ColdStart == nil || value(r) <= 0 {
					return nil
				}
				return new(float64(value(r)) / float64(time.Millisecond))
			},
		}
	}
	throughput := Measure{
		Name: "throughput", Title: "Throughput (pairs/s)", Better: report.Higher, gated: true,
		Value: func(_ *report.Report, f *report.Figures) *float64 {
			if f.Throughput == nil {
				return nil
			}
			return &f.Throughput.Average
		},
	}
	return []Measure{
		throughput,
		percentile(50, false, func(s *stats.Summary) float64 { return s.P50 }),
		percentile(95, true, func(s *stats.Summary) float64 { return s.P95 }),
		percentile(99, false, func(s *stats.Summary) float64 { return s.P99 }),
		cold("load", "Load (ms)", false, func(r *report.Report) time.Duration { return r.ColdStart.Load }),
		cold("first-score", "First Score (ms)", true, func(r *report.Report) time.Duration { return r.ColdStart.FirstScore }),
	}
}

// DefaultThreshold is how far from 1 a ratio may be that is called the same.
const DefaultThreshold = 0.03

// Gate makes a measure one that a verdict over all depends on.
type Gate struct {
	Measure   string  // its name
	Threshold float64 // as a share: 0.03
}

// ParseGate reads a gate as it is written on a command line: "throughput=5%", or
// "throughput" for the default threshold.
func ParseGate(text string) (Gate, error) {
	name, threshold, told := strings.Cut(text, "=")
	var names []string
	for _, m := range Measures() {
		names = append(names, m.Name)
	}
	if !slices.Contains(names, name) {
		return Gate{}, fmt.Errorf("%q: want one of %s", name, strings.Join(names, ", "))
	}
	g := Gate{name, DefaultThreshold}
	if !told {
		return g, nil
	}
	percent, isPercent := strings.CutSuffix(threshold, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(percent), 64)
	if err != nil || !isPercent || !(v > 0 && v <= 100) {
		return Gate{}, fmt.Errorf("%q: want a threshold such as 5%%, above 0%% and at most 100%%", text)
	}
	g.Threshold = v / 100
	return g, nil
}

// gateOf finds the gate of a measure; with none at all the measures' own hold.
func gateOf(m Measure, gates []Gate) (threshold float64, gated bool) {
	if len(gates) == 0 {
		return DefaultThreshold, m.gated
	}
	for _, g := range gates {
		if g.Measure == m.Name {
			return g.Threshold, true
		}
	}
	return DefaultThreshold, false
}
