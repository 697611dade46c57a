package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// TimestampLayout is that of the timestamp, which has no zone: the clock on the wall.
const TimestampLayout = "2006-01-02 15:04:05"

// WriteMarkdown writes report.md: the sections of the format in their order,
// with the same titles, columns and number formats, and sections of our own
// between "Overall Summary" and the dashboard. Notes in italics below a table
// say how to read it.
func (r *Report) WriteMarkdown(w io.Writer) error {
	p := markdown.NewPage(w)
	p.Words = r.Words
	r.writeHead(p)
	r.writeResults(p)
	p.Para("## Detailed Metrics")
	for i := range r.Configs {
		r.writeDetails(p, i)
	}
	r.Mix.write(p)
	r.Overload.write(p)
	r.Load.write(p)
	r.Ablation.write(p)
	r.writeOverall(p)
	r.writeBackground(p)
	r.writeDashboard(p)
	return p.Flush()
}

func (r *Report) writeHead(p *markdown.Page) {
	p.Para("# %s", cmp.Or(markdown.OneLine(r.Name), "bench"))
	if r.Description != "" {
		p.Para("_%s_", r.Description)
	}
	p.Para("**Timestamp:** %s", r.Started.Format(TimestampLayout))
	p.Para("**Model:** `%s`", r.Model.ID)
	p.Para("**Backend:** `%s` | **Device:** `%s`", r.Backend, r.Device)
	r.writeServer(p)
	if r.Precision != "" {
		weights := "loaded"
		if r.Model.Synthetic {
			weights = "synthetic"
		}
		p.Para("**Precision:** `%s` | **Weights:** `%s`", r.Precision, weights)
	}
	if r.Task != "" {
		p.Para("**Task:** `%s`", r.Task)
	}
	if r.CutShort {
		p.Para("**Cut short:** the run was interrupted, and this is what was measured until then")
	}
	if r.Withheld != "" {
		p.Para("**No speed figures:** %s", r.Withheld)
		p.Para("**A score that is wrong has no speed worth printing. Every speed figure below is n/a; what was timed is in the recording.**")
	}
	switch {
	case len(r.Variants) > 0:
		for _, v := range r.Variants {
			said := figure.NotMeasured + " (not run)"
			if v.Accuracy != nil {
				said = verdict(v.Accuracy)
			}
			p.Para("**Accuracy gate of `%s`:** %s", v.Precision, said)
		}
	case r.Accuracy != nil:
		p.Para("**Accuracy gate:** %s", verdict(r.Accuracy))
	case r.Server.Embeds():
		p.Para("**Accuracy gate:** n/a (a cosine of two embeddings is no cross-encoder's score, and is compared with none)")
	}
}

// units says what the format's short titles leave out.
const units = "_Time is in seconds, Lat is the latency of a batch in ms, and TP is throughput in pairs/s: here, and in every table below whose titles do not say it._"

func (r *Report) writeResults(p *markdown.Page) {
	p.Para("## Results Summary")
	p.Block()
	speed := func(v *float64, digits int, unit string) string {
		if v == nil && r.Withheld != "" {
			return figure.NotMeasured + " (" + r.Withheld + ")"
		}
		return figure.WithUnit(v, digits, unit)
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
	titles := []string{"Batch", "Conc", "Pairs", "Time(s)", "Lat Avg", "Lat P95", "Lat P99", "TP Avg", "TP P95"}
	p.Table(r.sweepColumns(titles, rows))
	if len(r.Configs) > 0 {
		p.Para(units)
	}
	if note := r.noneApart(); note != "" {
		p.Para("%s", note)
	}
	for i, f := range r.Configs {
		if f.Loop == "open" {
			p.Para("_Row %d is an open loop: batches arrive as a Poisson process of %v pairs/s, and latency counts from the intended start._", i+1, f.Rate)
		}
		if f.Concurrency > 1 && f.Throughput != nil {
			p.Para("_TP P95 of row %d is that of one batch, among up to %d under way at once; TP Avg is of all._", i+1, f.Concurrency)
		}
		if f.Open != nil && f.Open.Waited > 0 {
			p.Para("_Row %d: callers ran out, and latency is at least what is printed._", i+1)
		}
		if s := f.Steady; s != nil && s.Drift != nil && !s.Reached {
			p.Para("_Row %d did not reach a steady state: see its steady window below._", i+1)
		}
		f.writeMark(p, fmt.Sprintf(" (row %d)", i+1))
	}
}

// optional is a Summary whose every figure may be missing.
type optional struct{ mean, min, max, sd, p50, p90, p95, p99 *float64 }

func optionally(s *stats.Summary) optional {
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
func (f *Figures) writeMark(p *markdown.Page, where string) {
	writeTailMark(p, f.Latency, where, "batches")
}

func (r *Report) writeDetails(p *markdown.Page, i int) {
	f := &r.Configs[i]
	p.Para("### %s", r.Words(f.Heading(i)))
	p.Para("**Total:** %d pairs in %s", f.Pairs, figure.WithUnit(f.Seconds, 2, "s"))
	if f.TimeBounded {
		p.Para("_Stopped by the time bound: %d pairs were asked for._", f.Requested)
	}
	f.Served.write(p)
	f.Scenario.write(p)
	f.writeOpen(p)
	latency, perBatch, average := f.figuresOrNone()

	p.Para("#### Latency (ms)")
	p.Table(metricValue, summaryRows(latency, latency.mean))
	f.writeMark(p, "")

	p.Para("#### Throughput (pairs/s)")
	p.Table(metricValue, summaryRows(perBatch, average))
	if f.Throughput != nil {
		p.Para("_Average is all pairs over all time. The other rows are of the per-batch figures (a batch's pairs over its own latency), whose mean is %s pairs/s._", figure.Fixed(perBatch.mean, 2))
		if f.Concurrency > 1 {
			p.Para("_With up to %d batches under way at once, the per-batch figures are of one among them, and the average is of all._", f.Concurrency)
		}
	}

	p.Para("#### Latency vs Throughput Analysis")
	p.Block()
	p.Table([]string{"Latency Range", "Avg Throughput", "Min Throughput", "Max Throughput", "Count"}, rangeRows(f.Ranges))
	p.Para("**Correlation:** %s (negative correlation expected: lower latency = higher throughput)", figure.Fixed(f.Correlation, 3))
	if f.Correlation != nil {
		p.Para("_A batch's throughput is its pairs over its latency, so this correlation is a property of 1/x and says nothing about the system; only one across loads does._")
	}
	f.writeExtra(p)
}

// Heading names the i-th configuration as the format does.
func (f *Figures) Heading(i int) string {
	return "Config " + strconv.Itoa(i+1) + ": batch=" + strconv.Itoa(f.Batch) +
		", concurrency=" + strconv.Itoa(f.Concurrency) + f.sweepSuffix() + f.loopSuffix()
}

var metricValue = []string{"Metric", "Value"}

// summaryRows are a summary's, with an average that need not be its mean.
func summaryRows(s optional, average *float64) [][]string {
	return [][]string{
		{"Average", figure.Fixed(average, 2)},
		{"Min", figure.Fixed(s.min, 2)},
		{"Max", figure.Fixed(s.max, 2)},
		{"Std Dev", figure.Fixed(s.sd, 2)},
		{"P50", figure.Fixed(s.p50, 2)},
		{"P90", figure.Fixed(s.p90, 2)},
		{"P95", figure.Fixed(s.p95, 2)},
		{"P99", figure.Fixed(s.p99, 2)},
	}
}

func rangeRows(ranges []LatencyRange) (rows [][]string) {
	for _, r := range ranges {
		label := figure.Fixed(r.From, 1) + "-" + figure.Fixed(r.To, 1) + "ms (" + r.Name + ")"
		switch {
		case r.From == nil:
			label = "< " + figure.Fixed(r.To, 1) + "ms (P50)"
		case r.To == nil:
			label = ">= " + figure.Fixed(r.From, 1) + "ms (P90+)"
		}
		rows = append(rows, []string{label, figure.Fixed(r.Mean, 2), figure.Fixed(r.Min, 2), figure.Fixed(r.Max, 2), strconv.Itoa(r.Count)})
	}
	return rows
}

func (r *Report) writeOverall(p *markdown.Page) {
	p.Para("## Overall Summary")
	p.Block()
	name := func(c *Config) string {
		if c == nil {
			return figure.NotMeasured
		}
		return r.Words(c.String())
	}
	o := r.Summary
	p.Table([]string{"Metric", "Value", "Config"}, [][]string{
		{"Best Throughput", figure.WithUnit(o.PairsPerSecond, 2, r.Words(" p/s")), name(o.Fastest)},
		{"Best Latency", figure.WithUnit(o.LatencyMS, 2, "ms"), name(o.Quickest)},
		{"Avg Throughput", figure.WithUnit(o.AverageThroughput, 2, r.Words(" p/s")), "all configs"},
		{"Avg Latency", figure.WithUnit(o.AverageLatencyMS, 2, "ms"), "all configs"},
	})
}

func (r *Report) writeDashboard(p *markdown.Page) {
	p.Para("## Dashboard Metrics Summary")
	for i := range r.Configs {
		f := &r.Configs[i]
		if len(r.Configs) > 1 {
			p.Para("### %s", r.Words(f.Heading(i)))
		}
		var rows [][]string
		for _, m := range f.Dashboard.Metrics {
			row := []string{m.Name, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured}
			if s := m.Spread; s != nil {
				row = []string{m.Name, figure.Fixed(&s.Mean, 1), figure.Fixed(&s.Min, 1), figure.Fixed(&s.Max, 1), figure.Fixed(&s.P50, 1), figure.Fixed(&s.P95, 1)}
			}
			rows = append(rows, row)
		}
		p.Block()
		p.Table([]string{"Metric", "Avg", "Min", "Max", "P50", "P95"}, rows)
	}
	p.Para("_Of the rows below. Padding waste is what padding each batch to its longest pair would waste; avoided and actual say what became of it._")

	p.Para("## Dashboard Time-Series Data")
	titles := []string{"Index"}
	for _, c := range TimeSeries {
		titles = append(titles, c.Title)
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		if len(r.Configs) > 1 {
			p.Para("### %s", r.Words(f.Heading(i)))
		}
		var rows [][]string
		for j := range f.Dashboard.Rows {
			row := []string{strconv.Itoa(j)}
			for _, c := range TimeSeries {
				row = append(row, figure.Fixed(*c.Figure(&f.Dashboard.Rows[j]), c.digits))
			}
			rows = append(rows, row)
		}
		p.Block()
		p.NarrowTable(titles, rows)
	}
}
