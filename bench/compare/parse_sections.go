package compare

import (
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// parseOverall reads the overall summary. The configuration that a row names is
// looked up by its name.
func parseOverall(r *report.Report, s *section) error {
	t, err := s.table("Metric", "Value", "Config")
	if err != nil {
		return err
	}
	o := &r.Summary
	for _, c := range []struct {
		name, unit string
		value      **float64
		config     **report.Config
	}{
		{"Best Throughput", r.Words(" p/s"), &o.PairsPerSecond, &o.Fastest},
		{"Best Latency", "ms", &o.LatencyMS, &o.Quickest},
		{"Avg Throughput", r.Words(" p/s"), &o.AverageThroughput, nil},
		{"Avg Latency", "ms", &o.AverageLatencyMS, nil},
	} {
		row, err := t.rowOf(s, c.name)
		if err != nil {
			return err
		}
		if *c.value, err = row.number("Value", c.unit); err != nil {
			return err
		}
		if c.config == nil {
			continue
		}
		for i := range r.Configs {
			if r.Configs[i].String() == row.cell("Config") {
				config := r.Configs[i].Config
				*c.config = &config
				break
			}
		}
	}
	return nil
}

func parseAcross(r *report.Report, s *section) (err error) {
	for _, f := range s.fields {
		if f.name == "Correlation Across Configurations" {
			r.LoadCorrelation, err = (&row{line: f.line}).decimal(f.name, f.value)
		}
	}
	return err
}

// parseStages reads the stage table; the number of batches is set later.
func parseStages(f *report.Figures, s *section) error {
	t, err := s.table(append([]string{"Stage"}, summaryNames...)...)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name     string
		to       **stats.Summary
		optional bool
	}{{"Tokenization", &f.Tokenize, false}, {report.OverlappedRow, &f.Overlapped, true}, {report.LateRow, &f.Late, true}, {"Queue Wait", &f.Queue, false},
		{"Inference", &f.Infer, false}, {report.UnaccountedRow, &f.Unaccounted, true}} {
		row, err := t.rowOf(s, c.name)
		if err != nil && c.optional {
			continue
		}
		if err != nil {
			return err
		}
		values := make([]*float64, len(summaryNames))
		for i, name := range summaryNames {
			if values[i], err = row.number(name, ""); err != nil {
				return err
			}
		}
		if *c.to, err = summaryOf(values, row.line, c.name); err != nil {
			return err
		}
	}
	return nil
}

func parseWork(f *report.Figures, s *section) error {
	t, err := s.table(metricValue...)
	if err != nil {
		return err
	}
	w := new(report.Work)
	f.Work = w
	row, err := t.rowOf(s, "Tokens")
	if err != nil {
		return err
	}
	if w.Tokens, err = row.count("Value", 0); err != nil {
		return err
	}
	for _, c := range []struct {
		name  string
		scale float64
		to    **float64
	}{
		{"Tokens/s", 1, &w.TokensPerSecond},
		{"GFLOP/s", 1e9, &w.FLOPsPerSecond},
		{"Share of Measured Peak (%)", 0.01, &w.PeakShare},
		{"Padding Waste, if padded (%)", 1, &w.PaddingWaste},
		{"Padding Avoided (%)", 1, &w.PaddingAvoided},
		{"Padding Actual (%)", 1, &w.PaddingActual},
	} {
		row, err := t.rowOf(s, c.name)
		if err != nil {
			return err
		}
		v, err := row.decimal(c.name, row.cell("Value"))
		if err != nil {
			return err
		}
		*c.to = figure.Scaled(v, c.scale)
	}
	return nil
}

// parseDashboardMetrics reads the summary table as it is: which metrics it has
// is up to the tool.
func parseDashboardMetrics(f *report.Figures, s *section) error {
	t, err := s.table("Metric", "Avg", "Min", "Max", "P50", "P95")
	if err != nil {
		return err
	}
	f.Dashboard.Metrics = nil
	for i := range t.rows {
		row := &t.rows[i]
		name := row.cell("Metric")
		var v [5]*float64
		missing := 0
		for j, title := range []string{"Avg", "Min", "Max", "P50", "P95"} {
			if v[j], err = row.number(title, ""); err != nil {
				return err
			}
			if v[j] == nil {
				missing++
			}
		}
		m := report.DashboardMetric{Name: name}
		switch missing {
		case 0:
			m.Spread = &report.Spread{Mean: *v[0], Min: *v[1], Max: *v[2], P50: *v[3], P95: *v[4]}
		case len(v):
		default:
			return parseError(row.line, name, "some figures are n/a and others are not")
		}
		f.Dashboard.Metrics = append(f.Dashboard.Metrics, m)
	}
	return nil
}

func parseDashboardRows(f *report.Figures, s *section) error {
	titles := []string{"Index"}
	for _, c := range report.TimeSeries {
		titles = append(titles, c.Title)
	}
	t, err := s.table(titles...)
	if err != nil {
		return err
	}
	f.Dashboard.Rows = nil
	for i := range t.rows {
		// The format tells no times: a row each half second.
		d := report.DashboardRow{At: 0.5 * float64(i+1)}
		for _, c := range report.TimeSeries {
			if *c.Figure(&d), err = t.rows[i].number(c.Title, ""); err != nil {
				return err
			}
		}
		f.Dashboard.Rows = append(f.Dashboard.Rows, d)
	}
	return nil
}

func parseDataset(r *report.Report, s *section) error {
	t, err := s.table(metricValue...)
	if err != nil {
		return err
	}
	r.Dataset = new(recording.Dataset)
	for i := range t.rows {
		row := &t.rows[i]
		switch row.cell("Metric") {
		case "Name":
			r.Dataset.Name = row.cell("Value")
		case "SHA-256":
			r.Dataset.SHA256 = row.cell("Value")
		case "Pairs":
			r.Dataset.Pairs, err = row.count("Value", 0)
		case "Tokens":
			r.Dataset.Tokens, err = row.count("Value", 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseEnvironment reads what a comparison asks for.
func parseEnvironment(r *report.Report, s *section) error {
	t, err := s.table(metricValue...)
	if err != nil {
		return err
	}
	r.Environment = new(recording.Environment)
	for i := range t.rows {
		row := &t.rows[i]
		value := row.cell("Value")
		if value == figure.NotMeasured {
			continue
		}
		switch name := row.cell("Metric"); name {
		case "CPU":
			r.Environment.CPU = value
		case "GPU":
			r.Environment.GPU = value
		case "Commit":
			r.Environment.Commit, _, r.Environment.Dirty = strings.Cut(value, " (dirty")
		case "GOMAXPROCS":
			r.Environment.GOMAXPROCS, err = row.count("Value", 0)
		case "Instruction set":
			r.Environment.InstructionSet = value
		case "Noise of the machine (%)":
			var noise *float64
			noise, err = row.decimal(name, value)
			r.Environment.Noise = figure.Scaled(noise, 0.01)
		case "Workers":
			r.Environment.Workers, err = row.count("Value", 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
