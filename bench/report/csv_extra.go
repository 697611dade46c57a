package report

import (
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
)

// extraColumn is a column of the CSV that not every report has. Those that have it have it
// behind the others, so that these are where they have always been.
type extraColumn struct {
	name string
	told func(*Figures) bool
	cell func(*Figures) string
}

// extraColumns are those of which some configuration tells.
func (r *Report) extraColumns() (list []extraColumn) {
	all := []extraColumn{
		{"length_tokens", func(f *Figures) bool { return f.Length > 0 }, func(f *Figures) string { return count(int64(f.Length)) }},
		{"late_p99_ms", func(f *Figures) bool { return f.Late != nil }, func(f *Figures) string {
			if f.Late == nil {
				return figure.NotMeasured
			}
			return figure.Shortest(&f.Late.P99)
		}},
		{"callers_waited_batches", func(f *Figures) bool { return f.Open != nil }, func(f *Figures) string {
			if f.Open == nil {
				return figure.NotMeasured
			}
			return strconv.Itoa(f.Open.Waited)
		}},
	}
	for _, name := range pathStages {
		column := "path_" + strings.ReplaceAll(strings.ToLower(name), " ", "_") + "_mean_ms"
		all = append(all, extraColumn{column, func(f *Figures) bool { return f.Path != nil }, func(f *Figures) string { return figure.Shortest(f.Path.mean(name)) }})
	}
	steady := func(name string, value func(*Steady) *float64) {
		all = append(all, extraColumn{"steady_" + name, func(f *Figures) bool { return f.Steady != nil }, func(f *Figures) string {
			if f.Steady == nil {
				return figure.NotMeasured
			}
			return figure.Shortest(value(f.Steady))
		}})
	}
	steady("from_seconds", func(s *Steady) *float64 { return &s.From })
	steady("to_seconds", func(s *Steady) *float64 { return &s.To })
	steady("pairs_per_second", func(s *Steady) *float64 { return &s.PairsPerSecond })
	steady("drift", func(s *Steady) *float64 { return s.Drift })
	for _, c := range all {
		for i := range r.Configs {
			if c.told(&r.Configs[i]) {
				list = append(list, c)
				break
			}
		}
	}
	return list
}
