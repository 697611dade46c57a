package bench

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
)

// The layout of the timestamp, which has no zone: the clock on the wall.
const timestamp = "2006-01-02 15:04:05"

// WriteMarkdown writes report.md: the sections of the format in their order,
// with the same titles, columns and number formats, and sections of our own
// between "Overall Summary" and the dashboard. Notes in italics below a table
// say how to read it.
func (r *Report) WriteMarkdown(w io.Writer) error {
	p := newPage(w)
	r.writeHead(p)
	r.writeResults(p)
	p.para("## Detailed Metrics")
	for i := range r.Configs {
		r.writeDetails(p, i)
	}
	r.Mix.write(p)
	r.Overload.write(p)
	r.writeOverall(p)
	r.writeBackground(p)
	r.writeDashboard(p)
	return p.w.Flush()
}

func (r *Report) writeHead(p *page) {
	p.para("# %s", cmp.Or(oneLine(r.Name), "bench"))
	if r.Description != "" {
		p.para("_%s_", r.Description)
	}
	p.para("**Timestamp:** %s", r.Started.Format(timestamp))
	p.para("**Model:** `%s`", r.Model.ID)
	p.para("**Backend:** `%s` | **Device:** `%s`", r.Backend, r.Device)
	if r.Precision != "" {
		weights := "loaded"
		if r.Model.Synthetic {
			weights = "synthetic"
		}
		p.para("**Precision:** `%s` | **Weights:** `%s`", r.Precision, weights)
	}
	if r.Withheld != "" {
		p.para("**No speed figures:** %s", r.Withheld)
		p.para("**A score that is wrong has no speed worth printing. Every speed figure below is n/a; what was timed is in the recording.**")
	}
	if r.Accuracy != nil {
		p.para("**Accuracy gate:** %s", r.Accuracy.verdict())
	}
}

func (r *Report) writeResults(p *page) {
	p.para("## Results Summary")
	p.block()
	speed := func(v *float64, digits int, unit string) string {
		if v == nil && r.Withheld != "" {
			return notMeasured + " (" + r.Withheld + ")"
		}
		return withUnit(v, digits, unit)
	}
	var rows [][]string
	for _, f := range r.Configs {
		latency, throughput, average := f.figuresOrNone()
		rows = append(rows, []string{
			strconv.Itoa(f.Batch), strconv.Itoa(f.Concurrency), strconv.Itoa(f.Pairs), speed(f.Seconds, 2, ""),
			speed(latency.mean, 1, "ms"), speed(latency.p95, 1, "ms"), speed(latency.p99, 1, "ms"),
			speed(average, 1, ""), speed(throughput.p95, 1, ""),
		})
	}
	p.table([]string{"Batch", "Conc", "Pairs", "Time(s)", "Lat Avg", "Lat P95", "Lat P99", "TP Avg", "TP P95"}, rows)
	if note := r.noneApart(); note != "" {
		p.para("%s", note)
	}
	for i, f := range r.Configs {
		if f.Loop == "open" {
			p.para("_Row %d is an open loop: batches arrive as a Poisson process of %v pairs/s, and latency counts from the intended start._", i+1, f.Rate)
		}
		f.writeMark(p, fmt.Sprintf(" (row %d)", i+1))
	}
}

// optional is a Summary whose every figure may be missing.
type optional struct{ mean, min, max, sd, p50, p90, p95, p99 *float64 }

func optionally(s *Summary) optional {
	if s == nil {
		return optional{}
	}
	return optional{&s.Mean, &s.Min, &s.Max, s.SD, &s.P50, &s.P90, &s.P95, &s.P99}
}

// figuresOrNone is the latency in ms, the per-batch throughput and the average
// throughput in pairs/s.
func (f *Figures) figuresOrNone() (latency, perBatch optional, average *float64) {
	if f.Throughput != nil {
		perBatch, average = optionally(&f.Throughput.PerBatch), &f.Throughput.Average
	}
	return optionally(f.Latency), perBatch, average
}

// writeMark marks the percentiles that the sample is too small for; where says
// which table row they are in, if there are several.
func (f *Figures) writeMark(p *page, where string) {
	writeTailMark(p, f.Latency, where, "batches")
}

func (r *Report) writeDetails(p *page, i int) {
	f := &r.Configs[i]
	p.para("### %s", f.heading(i))
	p.para("**Total:** %d pairs in %s", f.Pairs, withUnit(f.Seconds, 2, "s"))
	if f.TimeBounded {
		p.para("_Stopped by the time bound: %d pairs were asked for._", f.Requested)
	}
	latency, perBatch, average := f.figuresOrNone()

	p.para("#### Latency (ms)")
	p.table(metricValue, summaryRows(latency, latency.mean))
	f.writeMark(p, "")

	p.para("#### Throughput (pairs/s)")
	p.table(metricValue, summaryRows(perBatch, average))
	if f.Throughput != nil {
		p.para("_Average is all pairs over all time. The other rows are of the per-batch figures (a batch's pairs over its own latency), whose mean is %s pairs/s._", fixed(perBatch.mean, 2))
		if f.Concurrency > 1 {
			p.para("_With up to %d batches under way at once, the per-batch figures are of one among them, and the average is of all._", f.Concurrency)
		}
	}

	p.para("#### Latency vs Throughput Analysis")
	p.block()
	p.table([]string{"Latency Range", "Avg Throughput", "Min Throughput", "Max Throughput", "Count"}, rangeRows(f.Ranges))
	p.para("**Correlation:** %s (negative correlation expected: lower latency = higher throughput)", fixed(f.Correlation, 3))
	if f.Correlation != nil {
		p.para("_A batch's throughput is its pairs over its latency, so this correlation is a property of 1/x and says nothing about the system; only one across loads does._")
	}
	f.writeExtra(p)
}

// heading names the i-th configuration as the format does.
func (f *Figures) heading(i int) string {
	return "Config " + strconv.Itoa(i+1) + ": batch=" + strconv.Itoa(f.Batch) +
		", concurrency=" + strconv.Itoa(f.Concurrency) + f.loopSuffix()
}

var metricValue = []string{"Metric", "Value"}

// summaryRows are a summary's, with an average that need not be its mean.
func summaryRows(s optional, average *float64) [][]string {
	return [][]string{
		{"Average", fixed(average, 2)},
		{"Min", fixed(s.min, 2)},
		{"Max", fixed(s.max, 2)},
		{"Std Dev", fixed(s.sd, 2)},
		{"P50", fixed(s.p50, 2)},
		{"P90", fixed(s.p90, 2)},
		{"P95", fixed(s.p95, 2)},
		{"P99", fixed(s.p99, 2)},
	}
}

func rangeRows(ranges []LatencyRange) (rows [][]string) {
	for _, r := range ranges {
		label := fixed(r.From, 1) + "-" + fixed(r.To, 1) + "ms (" + r.Name + ")"
		switch {
		case r.From == nil:
			label = "< " + fixed(r.To, 1) + "ms (P50)"
		case r.To == nil:
			label = ">= " + fixed(r.From, 1) + "ms (P90+)"
		}
		rows = append(rows, []string{label, fixed(r.Mean, 2), fixed(r.Min, 2), fixed(r.Max, 2), strconv.Itoa(r.Count)})
	}
	return rows
}

func (r *Report) writeOverall(p *page) {
	p.para("## Overall Summary")
	p.block()
	name := func(c *Config) string {
		if c == nil {
			return notMeasured
		}
		return c.String()
	}
	o := r.Summary
	p.table([]string{"Metric", "Value", "Config"}, [][]string{
		{"Best Throughput", withUnit(o.PairsPerSecond, 2, " p/s"), name(o.Fastest)},
		{"Best Latency", withUnit(o.LatencyMS, 2, "ms"), name(o.Quickest)},
		{"Avg Throughput", withUnit(o.AverageThroughput, 2, " p/s"), "all configs"},
		{"Avg Latency", withUnit(o.AverageLatencyMS, 2, "ms"), "all configs"},
	})
}

func (r *Report) writeDashboard(p *page) {
	p.para("## Dashboard Metrics Summary")
	for i := range r.Configs {
		f := &r.Configs[i]
		if len(r.Configs) > 1 {
			p.para("### %s", f.heading(i))
		}
		var rows [][]string
		for _, m := range f.Dashboard.Metrics {
			row := []string{m.Name, notMeasured, notMeasured, notMeasured, notMeasured, notMeasured}
			if s := m.Spread; s != nil {
				row = []string{m.Name, fixed(&s.Mean, 1), fixed(&s.Min, 1), fixed(&s.Max, 1), fixed(&s.P50, 1), fixed(&s.P95, 1)}
			}
			rows = append(rows, row)
		}
		p.block()
		p.table([]string{"Metric", "Avg", "Min", "Max", "P50", "P95"}, rows)
	}
	p.para("_Of the rows below. Padding waste is what padding each batch to its longest pair would waste; avoided and actual say what became of it._")

	p.para("## Dashboard Time-Series Data")
	titles := []string{"Index"}
	for _, c := range timeSeries {
		titles = append(titles, c.title)
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		if len(r.Configs) > 1 {
			p.para("### %s", f.heading(i))
		}
		var rows [][]string
		for j := range f.Dashboard.Rows {
			row := []string{strconv.Itoa(j)}
			for _, c := range timeSeries {
				row = append(row, fixed(*c.figure(&f.Dashboard.Rows[j]), c.digits))
			}
			rows = append(rows, row)
		}
		p.block()
		p.narrowTable(titles, rows)
	}
}
