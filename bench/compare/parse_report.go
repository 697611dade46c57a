package compare

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// parseMarkdown fills a Report from the sections of a markdown report. Sections
// that it does not know are skipped.
func parseMarkdown(document string) (*report.Report, error) {
	all, err := sections(document)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].level != 1 {
		return nil, parseError(1, "title", "want \"# NAME\" first")
	}
	r := new(report.Report)
	if err := parseHead(r, &all[0]); err != nil {
		return nil, err
	}
	if r.Task == recording.TaskEmbed {
		inPairs(all)
	}
	chapter := ""         // the ## that we are in
	var f *report.Figures // the configuration that we are in
	scenario := false
	for i := range all[1:] {
		s := &all[1+i]
		switch s.level {
		case 2:
			chapter, f = s.title, nil
			scenario = scenario || s.title == report.MixTitle || s.title == report.OverloadTitle || s.title == report.LoadTitle || s.title == report.AblationTitle
			if len(r.Configs) == 1 {
				f = &r.Configs[0] // the dashboard of the only one has no heading
			}
		case 3:
			if f, err = configAt(r, s); err != nil {
				return nil, err
			}
		}
		if err := parseSection(r, chapter, f, s); err != nil {
			return nil, err
		}
	}
	if r.Configs == nil && scenario { // it takes their place, and is not read
		return r, nil
	}
	return r, checkComplete(r, all[len(all)-1].line)
}

// inPairs gives the titles of a report of texts the words of the format.
func inPairs(all []section) {
	for i := range all[1:] {
		s := &all[1+i]
		s.title = report.WordsOfPairs(s.title)
		for _, t := range s.tables {
			for k := range t.titles { // which the rows have, too
				t.titles[k] = report.WordsOfPairs(t.titles[k])
			}
			for _, row := range t.rows {
				for k := range row.cells {
					if k == 0 || t.titles[k] == "Config" { // others may be names, as of a data set
						row.cells[k] = report.WordsOfPairs(row.cells[k])
					}
				}
			}
		}
	}
}

func parseHead(r *report.Report, s *section) error {
	r.Name, r.Description = s.title, s.note
	r.Model.ID, r.Backend, r.Device = s.field("Model"), s.field("Backend"), s.field("Device")
	r.Precision, r.Model.Synthetic = s.field("Precision"), s.field("Weights") == "synthetic"
	r.Withheld, r.Task = s.field("No speed figures"), s.field("Task")
	for _, f := range s.fields {
		if f.name != "Timestamp" {
			continue
		}
		var err error
		if r.Started, err = time.Parse(report.TimestampLayout, f.value); err != nil {
			return parseError(f.line, f.name, "%q is not like %q", f.value, report.TimestampLayout)
		}
	}
	return nil
}

var configPattern = regexp.MustCompile(`^Config ([0-9]+): batch=([0-9]+), concurrency=([0-9]+)(?:, precision=([^,]+))?(?:, length=([0-9]+))?(?:, open loop at ([0-9.e+]+) pairs/s)?$`)

// configAt returns the configuration that a heading names, and learns from the
// heading whether it is an open loop.
func configAt(r *report.Report, s *section) (*report.Figures, error) {
	m := configPattern.FindStringSubmatch(s.title)
	if m == nil {
		return nil, nil // another tool's heading
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 || n > len(r.Configs) {
		return nil, parseError(s.line, s.title, "the results summary has %d configurations", len(r.Configs))
	}
	f := &r.Configs[n-1]
	if strconv.Itoa(f.Batch) != m[2] || strconv.Itoa(f.Concurrency) != m[3] {
		return nil, parseError(s.line, s.title, "row %d of the results summary has batch %d, concurrency %d", n, f.Batch, f.Concurrency)
	}
	f.Precision = m[4]
	if m[5] != "" {
		if f.Length, err = strconv.Atoi(m[5]); err != nil {
			return nil, parseError(s.line, s.title, "%q is not a number", m[5])
		}
	}
	if m[6] != "" {
		if f.Rate, err = strconv.ParseFloat(m[6], 64); err != nil {
			return nil, parseError(s.line, s.title, "%q is not a number", m[6])
		}
		f.Loop = "open"
	}
	return f, nil
}

// parseSection reads one section; f is nil outside a configuration's.
func parseSection(r *report.Report, chapter string, f *report.Figures, s *section) error {
	switch {
	case s.title == "Results Summary":
		return parseResults(r, s)
	case s.title == "Overall Summary":
		return parseOverall(r, s)
	case s.title == "Data Set":
		return parseDataset(r, s)
	case s.title == "Environment":
		return parseEnvironment(r, s)
	case s.title == "Latency and Throughput Across Configurations":
		return parseAcross(r, s)
	case f == nil:
		return nil
	case chapter == "Dashboard Metrics Summary" && len(s.tables) > 0:
		return parseDashboardMetrics(f, s)
	case chapter == "Dashboard Time-Series Data" && len(s.tables) > 0:
		return parseDashboardRows(f, s)
	case chapter == "Detailed Metrics" && s.level == 4:
		return parseDetail(f, s)
	}
	return nil
}

func parseResults(r *report.Report, s *section) error {
	t, err := s.table("Batch", "Conc", "Pairs", "Time(s)")
	if err != nil {
		return err
	}
	if r.Configs != nil {
		return parseError(s.line, s.title, "a second one")
	}
	for i := range t.rows {
		row := &t.rows[i]
		f := report.Figures{Config: report.Config{Loop: "closed"}}
		for _, c := range []struct {
			title string
			least int
			to    *int
		}{{"Batch", 1, &f.Batch}, {"Conc", 1, &f.Concurrency}, {"Pairs", 0, &f.Pairs}} {
			if *c.to, err = row.count(c.title, c.least); err != nil {
				return err
			}
		}
		if f.Seconds, err = row.number("Time(s)", ""); err != nil {
			return err
		}
		r.Configs = append(r.Configs, f)
	}
	return nil
}

// parseDetail reads one of the subsections of a configuration.
func parseDetail(f *report.Figures, s *section) (err error) {
	switch s.title {
	case "Latency (ms)":
		f.Latency, _, err = parseSummary(s)
	case "Throughput (pairs/s)":
		var average *float64
		var perBatch *stats.Summary
		if perBatch, average, err = parseSummary(s); perBatch != nil {
			f.Throughput = &report.Throughput{Average: *average, PerBatch: *perBatch}
		}
	case "Latency vs Throughput Analysis":
		err = parseRanges(f, s)
	case "Stages (ms)":
		err = parseStages(f, s)
	case "Work and Padding":
		err = parseWork(f, s)
	}
	return err
}

// metricValue are the columns of the tables that list figures.
var metricValue = []string{"Metric", "Value"}

// summaryNames are the rows of a summary in the order of summaryOf.
var summaryNames = []string{"Average", "Min", "Max", "Std Dev", "P50", "P90", "P95", "P99"}

// parseSummary reads the eight rows of a summary, or nil if all are n/a. The
// average is apart: that of the throughput is not the mean of the sample.
func parseSummary(s *section) (summary *stats.Summary, average *float64, err error) {
	t, err := s.table(metricValue...)
	if err != nil {
		return nil, nil, err
	}
	values := make([]*float64, len(summaryNames))
	for i, name := range summaryNames {
		row, err := t.rowOf(s, name)
		if err != nil {
			return nil, nil, err
		}
		if values[i], err = row.decimal(s.title+" "+name, row.cell("Value")); err != nil {
			return nil, nil, err
		}
	}
	summary, err = summaryOf(values, t.line, s.title)
	return summary, values[0], err
}

// summaryOf makes a Summary of its eight figures: all n/a is no summary, and
// only the standard deviation may be missing alone.
func summaryOf(v []*float64, line int, title string) (*stats.Summary, error) {
	missing := 0
	for i, x := range v {
		if x == nil && summaryNames[i] != "Std Dev" {
			missing++
		}
	}
	switch missing {
	case 0:
		return &stats.Summary{Mean: *v[0], Min: *v[1], Max: *v[2], SD: v[3], P50: *v[4], P90: *v[5], P95: *v[6], P99: *v[7]}, nil
	case len(v) - 1:
		return nil, nil
	}
	return nil, parseError(line, title, "some figures are n/a and others are not")
}

// rowOf returns the row whose first cell is name.
func (t *table) rowOf(s *section, name string) (*row, error) {
	for i := range t.rows {
		if t.rows[i].cells[0] == name {
			return &t.rows[i], nil
		}
	}
	return nil, parseError(t.line, s.title, "no row %q", name)
}

var rangePattern = regexp.MustCompile(`^(?:< |>= |([0-9.]+)-)([0-9.]+)ms \((P50|P50-P75|P75-P90|P90\+)\)$`)

func parseRanges(f *report.Figures, s *section) error {
	t, err := s.table("Latency Range", "Avg Throughput", "Min Throughput", "Max Throughput", "Count")
	if err != nil {
		return err
	}
	for i := range t.rows {
		row := &t.rows[i]
		label := row.cell("Latency Range")
		m := rangePattern.FindStringSubmatch(label)
		if m == nil {
			return parseError(row.line, "Latency Range", "%q is none of the four", label)
		}
		var first, second *float64
		if m[1] != "" {
			if first, err = row.decimal("Latency Range", m[1]); err != nil {
				return err
			}
		}
		if second, err = row.decimal("Latency Range", m[2]); err != nil {
			return err
		}
		r := report.LatencyRange{Name: m[3], From: first, To: second}
		switch {
		case strings.HasPrefix(label, "<"):
			r.Name = "< P50"
		case strings.HasPrefix(label, ">"):
			r.Name, r.From, r.To = ">= P90", second, nil
		}
		for _, c := range []struct {
			title string
			to    **float64
		}{{"Avg Throughput", &r.Mean}, {"Min Throughput", &r.Min}, {"Max Throughput", &r.Max}} {
			if *c.to, err = row.number(c.title, ""); err != nil {
				return err
			}
		}
		if r.Count, err = row.count("Count", 0); err != nil {
			return err
		}
		f.Ranges = append(f.Ranges, r)
	}
	for _, field := range s.fields {
		if field.name == "Correlation" {
			value, _, _ := strings.Cut(field.value, " ")
			if f.Correlation, err = (&row{line: field.line}).decimal(field.name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkComplete sets what follows from several sections, and says what a
// report must have and this one has not.
func checkComplete(r *report.Report, line int) error {
	if r.Configs == nil && r.Withheld == "" {
		return parseError(line, "Results Summary", "no configuration")
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		if r.Withheld != "" {
			continue
		}
		name := f.Heading(i)
		switch {
		case (f.Latency == nil) != (f.Throughput == nil):
			return parseError(line, name, "one of \"Latency (ms)\" and \"Throughput (pairs/s)\" is missing")
		case f.Latency == nil && f.Seconds != nil:
			return parseError(line, name, "no \"Latency (ms)\"")
		case f.Latency == nil:
			continue
		}
		// The number of batches and the mean of their throughputs are told by
		// the range table alone.
		n, sum := 0, 0.0
		for _, g := range f.Ranges {
			if g.Count > 0 && g.Mean != nil {
				n += g.Count
				sum += float64(float64(g.Count) * *g.Mean)
			}
		}
		if n == 0 {
			return parseError(line, name, "no batches in \"Latency vs Throughput Analysis\"")
		}
		f.Latency.N, f.Throughput.PerBatch.N = n, n
		f.Throughput.PerBatch.Mean = sum / float64(n)
		for _, s := range []*stats.Summary{f.Tokenize, f.Overlapped, f.Queue, f.Infer, f.Unaccounted} {
			if s != nil {
				s.N = n
			}
		}
	}
	return nil
}
