package compare

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

// WriteHTML writes the trend as a page: each measure over the reports.
func (t *Trend) WriteHTML(w io.Writer) error {
	p, err := pageOf(t.WriteText, "The reports")
	if err != nil {
		return err
	}
	p.Warnings, p.Open = append([]string{oneRun}, t.Warnings...), true
	p.Verdict = fmt.Sprintf("**%d reports, one run each: no verdict.**", len(t.Reports))
	if t.Apart != "" {
		p.Verdict, p.Bad, p.Open = "**Not comparable:** "+t.Apart+".", true, false
	}
	if len(t.Rows) > 0 {
		r := &t.Rows[0]
		if last := r.Ratios[len(r.Ratios)-1]; last != nil {
			p.Verdict += fmt.Sprintf(" From the first to the last, %s went from %s to %s (%s).", r.Title, readable(r.Values[0]), readable(r.Values[len(r.Values)-1]), Change(*last))
		}
	}
	p.Table.Titles = []page.Cell{{Text: "Measure"}}
	for i := range t.Reports {
		p.Table.Titles = append(p.Table.Titles, page.Cell{Text: strconv.Itoa(i + 1), To: "whole"})
	}
	p.Table.Titles = append(p.Table.Titles, page.Cell{Text: "Drawn"})
	for i := range t.Rows {
		r := &t.Rows[i]
		row := page.Row{ID: rowID(i), Cells: []page.Cell{{Text: r.Title}}}
		for _, v := range r.Values {
			row.Cells = append(row.Cells, page.Cell{Text: readable(v)})
		}
		row.Cells = append(row.Cells, page.Cell{Text: "over the reports", To: trendID(r.Measure)})
		p.Table.Rows = append(p.Table.Rows, row)
		if i == 0 || t.Rows[i-1].Measure != r.Measure {
			p.Plots = append(p.Plots, t.plot(r.Measure))
		}
	}
	return p.Write(w)
}

func trendID(measure string) string { return "plot-" + measure }

// plot draws a measure over the reports, a line for each configuration.
func (t *Trend) plot(measure string) plot.Plot {
	p := plot.Plot{ID: trendID(measure), Question: "How did it go on from report to report? The numbers are those of the table of reports."}
	p.Table.Titles = []string{"Configuration"}
	for i := range t.Reports {
		p.Table.Titles = append(p.Table.Titles, strconv.Itoa(i+1))
	}
	type line struct {
		name  string
		parts [][]plot.Point // between reports that do not tell
	}
	var lines []line
	hi := 0.0
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Measure != measure {
			continue
		}
		title, name, _ := strings.Cut(r.Title, "), ") // a measure's title ends in its unit
		p.Title = strings.TrimSuffix(title, ")") + ")"
		l := line{name: name}
		if name == "" {
			l.name = "of the whole run"
		}
		row := []string{l.name}
		for n, v := range r.Values {
			row = append(row, readable(v))
			if v == nil {
				continue
			}
			if n == 0 || r.Values[n-1] == nil {
				l.parts = append(l.parts, nil)
			}
			last := &l.parts[len(l.parts)-1]
			*last = append(*last, plot.Point{X: float64(n + 1), Y: *v})
			hi = max(hi, *v)
		}
		p.Table.Rows = append(p.Table.Rows, row)
		p.Legend = append(p.Legend, plot.Entry{Style: plot.Style(len(lines)), Name: l.name, Row: rowID(i), Line: true, Mark: true})
		lines = append(lines, l)
		if last := r.Ratios[len(r.Ratios)-1]; last != nil && len(lines) <= 3 {
			p.Finding += fmt.Sprintf("%s: %s from the first report to the last. ", upperFirst(l.name), Change(*last))
		}
	}
	p.Finding = strings.TrimSpace(p.Finding + " The axis begins at 0.")
	p.Draw = func(c *plot.Canvas) {
		panel := c.Panel(plot.Whole("report", 0.7, float64(len(t.Reports))+0.3), plot.Linear(p.Title, 0, hi), plot.Ground{Height: 220})
		for i, l := range lines {
			for _, part := range l.parts {
				panel.Line(part, plot.Style(i), false, l.name)
				for _, at := range part {
					panel.Marker(at, plot.Style(i), fmt.Sprintf("%s, report %d: %s", l.name, int(at.X), figure.Fixed(&at.Y, 2)))
				}
			}
		}
	}
	return p
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
