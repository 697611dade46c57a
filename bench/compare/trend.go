package compare

import (
	"io"
	"slices"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// Trend has several reports of one run each, in the order in which they were given.
type Trend struct {
	Reports  []*report.Report
	Warnings []string // differences from the first report on which the figures depend
	Apart    string   // why nothing is compared, though there are figures; "": it is
	Rows     []TrendRow
}

// TrendRow has one measure of one configuration.
type TrendRow struct {
	Measure string     `json:"measure"` // its name in a gate
	Title   string     `json:"title"`   // with the unit and the configuration
	Values  []*float64 `json:"values"`  // one for each report; nil is n/a
	Ratios  []*float64 `json:"ratios"`  // to the first report; nil if one of the two is n/a
}

// TrendOf compares several reports with the first. Configurations match as in [Reports],
// and each that any report has is included.
func TrendOf(reports []*report.Report) *Trend {
	t := &Trend{Reports: reports, Apart: apart(reports)}
	if t.Apart != "" {
		return t
	}
	var all []place
	for i, r := range reports {
		for _, p := range places(r) {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
		if i > 0 {
			for _, w := range warnings("1", reports[0], strconv.Itoa(i+1), r) {
				if !slices.Contains(t.Warnings, w) { // of the first, once
					t.Warnings = append(t.Warnings, w)
				}
			}
		}
	}
	for _, m := range Measures() {
		if len(reports) > 0 {
			m.Title = reports[0].Words(m.Title)
		}
		of := all
		if m.PerRun {
			of = []place{{}}
		}
		for _, at := range of {
			row := TrendRow{Measure: m.Name, Title: m.Title}
			if !m.PerRun {
				row.Title += ", " + at.String()
			}
			told := false
			for _, r := range reports {
				var v *float64
				if f := at.in(r); f != nil || m.PerRun {
					v = m.Value(r, f)
				}
				told = told || v != nil
				row.Values = append(row.Values, v)
				row.Ratios = append(row.Ratios, ratio(v, row.Values[0]))
			}
			if told {
				t.Rows = append(t.Rows, row)
			}
		}
	}
	return t
}

// ratio returns a/b, or nil if one of them is n/a or the ratio does not exist.
func ratio(a, b *float64) *float64 {
	if a == nil || b == nil || *b == 0 {
		return nil
	}
	return new(*a / *b)
}

// WriteText writes the trend as markdown.
func (t *Trend) WriteText(w io.Writer) error {
	p := markdown.NewPage(w)
	p.Para("# %d reports", len(t.Reports))
	var rows [][]string
	for i, r := range t.Reports {
		started, commit := "", ""
		if !r.Started.IsZero() {
			started = r.Started.Format(report.TimestampLayout)
		}
		if r.Environment != nil {
			commit = short(r.Environment.Commit)
		}
		rows = append(rows, []string{strconv.Itoa(i + 1), r.Name, figure.OrNone(started), figure.OrNone(commit), figure.OrNone(r.Device), figure.OrNone(r.Precision)})
	}
	p.Block()
	p.Table([]string{"", "Name", "Timestamp", "Commit", "Device", "Precision"}, rows)
	for _, warning := range t.Warnings {
		p.Para("**Differs:** %s", warning)
	}
	if t.Apart != "" {
		p.Para("**Not comparable:** %s.", t.Apart)
		return p.Flush()
	}
	titles := []string{"Metric"}
	for i := range t.Reports {
		titles = append(titles, strconv.Itoa(i+1))
	}
	rows = nil
	for _, r := range t.Rows {
		row := []string{r.Title}
		for i, v := range r.Values {
			cell := readable(v)
			if i > 0 && r.Ratios[i] != nil {
				cell += " (" + Change(*r.Ratios[i]) + ")"
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	p.Block()
	p.AlignedTable(titles, rows)
	p.Para("_In brackets the difference from report 1._")
	p.Para("**One run each: no verdict.** _%s_", oneRun)
	return p.Flush()
}
