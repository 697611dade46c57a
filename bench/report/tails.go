package report

import (
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Ratios is each figure of a summary over that of another; nil where one is missing or 0.
type Ratios struct {
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P90  *float64 `json:"p90"`
	P95  *float64 `json:"p95"`
	P99  *float64 `json:"p99"`
	Max  *float64 `json:"max"`
}

// ratios is a over b.
func ratios(a, b *stats.Summary) *Ratios {
	if a == nil || b == nil {
		return nil
	}
	return &Ratios{quotient(a.Mean, b.Mean), quotient(a.P50, b.P50), quotient(a.P90, b.P90), quotient(a.P95, b.P95),
		quotient(a.P99, b.P99), quotient(a.Max, b.Max)}
}

// ratio is a over b where both are known.
func ratio(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return quotient(*a, *b)
}

func latencies(list []recording.BatchSample) (ms []float64) {
	for _, b := range list {
		ms = append(ms, milliseconds(b.Latency))
	}
	return ms
}

func lateness(list []recording.BatchSample) (ms []float64) {
	for _, b := range list {
		ms = append(ms, milliseconds(b.Late))
	}
	return ms
}

// The columns of a table of latencies whose tails matter.
var tailTitles = []string{"Calls", "Average", "P50", "P90", "P95", "P99", "Max"}

func tailRow(load string, s *stats.Summary) []string {
	o := optionally(s)
	n := figure.NotMeasured
	if s != nil {
		n = strconv.Itoa(s.N)
	}
	return []string{load, n, figure.Fixed(o.mean, 2), figure.Fixed(o.p50, 2), figure.Fixed(o.p90, 2), figure.Fixed(o.p95, 2), figure.Fixed(o.p99, 2), figure.Fixed(o.max, 2)}
}

func ratioRow(name string, r *Ratios) []string {
	if r == nil {
		r = new(Ratios)
	}
	return []string{name, "", figure.Fixed(r.Mean, 2), figure.Fixed(r.P50, 2), figure.Fixed(r.P90, 2), figure.Fixed(r.P95, 2), figure.Fixed(r.P99, 2), figure.Fixed(r.Max, 2)}
}

// writeTailMark marks the percentiles that a sample is too small for; where says which row
// they are in, if there are several, and noun what was sampled.
func writeTailMark(p *markdown.Page, s *stats.Summary, where, noun string) {
	if s == nil {
		return
	}
	n95, n99 := stats.SamplesNeeded(0.95, stats.Confidence), stats.SamplesNeeded(0.99, stats.Confidence)
	switch {
	case s.N < n95:
		p.Para("_%s of %d %s have no 95 %% upper confidence bound (%d and %d %s needed): read them as two of the slowest %s seen, not as tails._",
			"P95 and P99"+where, s.N, noun, n95, n99, noun, noun)
	case s.N < n99:
		p.Para("_%s of %d %s has no 95 %% upper confidence bound (%d %s needed): read it as one of the slowest %s seen, not as a tail._",
			"P99"+where, s.N, noun, n99, noun, noun)
	}
}
