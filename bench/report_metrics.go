package bench

// direction says which way a metric is better.
type direction int

const (
	neither direction = iota
	lower
	higher
)

// metric is one number of a configuration. The list of them is what the CSV
// has as columns and what Compare has as rows.
type metric struct {
	column string // in the CSV; the unit is its last word
	title  string
	better direction
	value  func(*Figures) *float64
	// test says whether a difference of this metric between two configurations
	// is more than chance; nil: nothing is known of its scatter.
	test func(a, b *Figures) evidence
}

// metrics lists every metric.
func metrics() []metric {
	latency := func(f *Figures) *Summary { return f.Latency }
	perBatch := func(f *Figures) *Summary {
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
	// What a run did over the time it took scatters as its mean latency does:
	// while the load lasts it is batch x concurrency over mean latency.
	rate := welch(latency)

	list := []metric{{"throughput_average_pairs_per_second", "Throughput Average, all pairs over all time (pairs/s)", higher, average, rate}}
	for _, s := range []struct {
		column, unitWord, title, unit string
		better                        direction
		summary                       func(*Figures) *Summary
		sample                        func(*Samples) []float64
	}{
		{"latency", "ms", "Latency", "ms", lower, latency, func(s *Samples) []float64 { return s.Latency }},
		{"batch_throughput", "pairs_per_second", "Per-Batch Throughput", "pairs/s", higher, perBatch, func(s *Samples) []float64 { return s.Throughput }},
		{"tokenize", "ms", "Tokenization", "ms", lower, func(f *Figures) *Summary { return f.Tokenize }, func(s *Samples) []float64 { return s.Tokenize }},
		{"inference", "ms", "Inference", "ms", lower, func(f *Figures) *Summary { return f.Infer }, func(s *Samples) []float64 { return s.Infer }},
		{"queue", "ms", "Queue Wait", "ms", lower, func(f *Figures) *Summary { return f.Queue }, func(s *Samples) []float64 { return s.Queue }},
	} {
		list = append(list, summaryMetrics(s.column, s.unitWord, s.title, s.unit, s.better, s.summary, s.sample)...)
	}
	list = append(list,
		workMetric("tokens_per_second", "Tokens/s", higher, func(w *Work) *float64 { return w.TokensPerSecond }, rate),
		workMetric("flops_per_second", "FLOP/s", higher, func(w *Work) *float64 { return w.FLOPsPerSecond }, rate),
		workMetric("share_of_peak", "Share of Peak", higher, func(w *Work) *float64 { return w.PeakShare }, nil),
		workMetric("padding_waste_percent", "Padding Waste, if padded (%)", neither, func(w *Work) *float64 { return w.PaddingWaste }, nil),
		workMetric("padding_avoided_percent", "Padding Avoided (%)", neither, func(w *Work) *float64 { return w.PaddingAvoided }, nil),
		workMetric("padding_actual_percent", "Padding Actual (%)", lower, func(w *Work) *float64 { return w.PaddingActual }, nil))
	for _, c := range dashboardColumns {
		list = append(list, dashboardMetric(c))
	}
	return list
}

// summaryMetrics are the eight numbers of a Summary.
func summaryMetrics(column, unitWord, title, unit string, better direction,
	summary func(*Figures) *Summary, sample func(*Samples) []float64) []metric {
	scatter := lower // of a time; that of a rate grows with the rate
	if better == higher {
		scatter = neither
	}
	field := func(name, label string, better direction, value func(*Summary) *float64, test func(a, b *Figures) evidence) metric {
		return metric{
			column: column + "_" + name + "_" + unitWord,
			title:  title + " " + label + " (" + unit + ")",
			better: better,
			value: func(f *Figures) *float64 {
				if s := summary(f); s != nil {
					return value(s)
				}
				return nil
			},
			test: test,
		}
	}
	return []metric{
		field("mean", "Mean", better, func(s *Summary) *float64 { return &s.Mean }, welch(summary)),
		field("min", "Min", better, func(s *Summary) *float64 { return &s.Min }, nil),
		field("max", "Max", better, func(s *Summary) *float64 { return &s.Max }, nil),
		field("sd", "Std Dev", scatter, func(s *Summary) *float64 { return s.SD }, nil),
		field("p50", "P50", better, func(s *Summary) *float64 { return &s.P50 }, mannWhitney(sample)),
		field("p90", "P90", better, func(s *Summary) *float64 { return &s.P90 }, disjoint(sample, 90)),
		field("p95", "P95", better, func(s *Summary) *float64 { return &s.P95 }, disjoint(sample, 95)),
		field("p99", "P99", better, func(s *Summary) *float64 { return &s.P99 }, disjoint(sample, 99)),
	}
}

func workMetric(column, title string, better direction, value func(*Work) *float64, test func(a, b *Figures) evidence) metric {
	return metric{column, title, better, func(f *Figures) *float64 {
		if f.Work == nil {
			return nil
		}
		return value(f.Work)
	}, test}
}

// dashboardMetric is the average of one of the dashboard's columns.
func dashboardMetric(c dashboardColumn) metric {
	return metric{
		column: "dashboard_" + c.column,
		title:  "Dashboard " + c.name,
		better: c.better,
		value: func(f *Figures) *float64 {
			for _, m := range f.Dashboard.Metrics {
				if m.Name == c.name && m.Spread != nil {
					return &m.Spread.Mean
				}
			}
			return nil
		},
		test: welch(func(f *Figures) *Summary { return Summarize(column(f.Dashboard.Rows, c.value)) }),
	}
}
