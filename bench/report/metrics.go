package report

import (
	"fmt"

	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Direction says which way a metric is better.
type Direction int

const (
	Neither Direction = iota
	Lower
	Higher
)

// Metric is one number of a configuration. The list of them is what the CSV has as
// columns and a comparison as rows.
type Metric struct {
	Column string // in the CSV; the unit is its last word
	Title  string
	Better Direction
	Value  func(*Figures) *float64
}

// Metrics lists every metric.
func Metrics() []Metric {
	latency := func(f *Figures) *stats.Summary { return f.Latency }
	perBatch := func(f *Figures) *stats.Summary {
		if f.Throughput == nil {
			return nil
		}
		return &f.Throughput.PerBatch
	}
	average := func(f *Figures) *float64 {
		if f.Throughput == nil {
			return nil
		}
		return &f.Throughput.Average
	}
	list := []Metric{{Column: "throughput_average_pairs_per_second", Title: "Throughput Average, all pairs over all time (pairs/s)", Better: Higher, Value: average}}
	for _, s := range []struct {
		column, unitWord, title, unit string
		better                        Direction
		summary                       func(*Figures) *stats.Summary
	}{
		{"latency", "ms", "Latency", "ms", Lower, latency},
		{"batch_throughput", "pairs_per_second", "Per-Batch Throughput", "pairs/s", Higher, perBatch},
		{"tokenize", "ms", "Tokenization", "ms", Lower, func(f *Figures) *stats.Summary { return f.Tokenize }},
		{"inference", "ms", "Inference", "ms", Lower, func(f *Figures) *stats.Summary { return f.Infer }},
		{"queue", "ms", "Queue Wait", "ms", Lower, func(f *Figures) *stats.Summary { return f.Queue }},
	} {
		list = append(list, summaryMetrics(s.column, s.unitWord, s.title, s.unit, s.better, s.summary)...)
	}
	list = append(list,
		workMetric("tokens_per_second", "Tokens/s", Higher, func(w *Work) *float64 { return w.TokensPerSecond }),
		workMetric("flops_per_second", "FLOP/s", Higher, func(w *Work) *float64 { return w.FLOPsPerSecond }),
		workMetric("share_of_peak", "Share of Peak", Higher, func(w *Work) *float64 { return w.PeakShare }),
		workMetric("padding_waste_percent", "Padding Waste, if padded (%)", Neither, func(w *Work) *float64 { return w.PaddingWaste }),
		workMetric("padding_avoided_percent", "Padding Avoided (%)", Neither, func(w *Work) *float64 { return w.PaddingAvoided }),
		workMetric("padding_actual_percent", "Padding Actual (%)", Lower, func(w *Work) *float64 { return w.PaddingActual }))
	for _, c := range dashboardColumns {
		list = append(list, dashboardMetric(c))
	}
	return list
}

// summaryMetrics are the eight numbers of a Summary.
func summaryMetrics(column, unitWord, title, unit string, better Direction, summary func(*Figures) *stats.Summary) []Metric {
	scatter := Lower // of a time; that of a rate grows with the rate
	if better == Higher {
		scatter = Neither
	}
	field := func(name, label string, better Direction, value func(*stats.Summary) *float64) Metric {
		return Metric{
			Column: column + "_" + name + "_" + unitWord,
			Title:  title + " " + label + " (" + unit + ")",
			Better: better,
			Value: func(f *Figures) *float64 {
				if s := summary(f); s != nil {
					return value(s)
				}
				return nil
			},
		}
	}
	percentile := func(p int, value func(*stats.Summary) *float64) Metric {
		return field(fmt.Sprintf("p%d", p), fmt.Sprintf("P%d", p), better, value)
	}
	return []Metric{
		field("mean", "Mean", better, func(s *stats.Summary) *float64 { return &s.Mean }),
		field("min", "Min", better, func(s *stats.Summary) *float64 { return &s.Min }),
		field("max", "Max", better, func(s *stats.Summary) *float64 { return &s.Max }),
		field("sd", "Std Dev", scatter, func(s *stats.Summary) *float64 { return s.SD }),
		percentile(50, func(s *stats.Summary) *float64 { return &s.P50 }),
		percentile(90, func(s *stats.Summary) *float64 { return &s.P90 }),
		percentile(95, func(s *stats.Summary) *float64 { return &s.P95 }),
		percentile(99, func(s *stats.Summary) *float64 { return &s.P99 }),
	}
}

func workMetric(column, title string, better Direction, value func(*Work) *float64) Metric {
	return Metric{Column: column, Title: title, Better: better, Value: func(f *Figures) *float64 {
		if f.Work == nil {
			return nil
		}
		return value(f.Work)
	}}
}

// dashboardMetric is the average of one of the dashboard's columns.
func dashboardMetric(c dashboardColumn) Metric {
	return Metric{
		Column: "dashboard_" + c.column,
		Title:  "Dashboard " + c.name,
		Better: c.better,
		Value: func(f *Figures) *float64 {
			for _, m := range f.Dashboard.Metrics {
				if m.Name == c.name && m.Spread != nil {
					return &m.Spread.Mean
				}
			}
			return nil
		},
	}
}
