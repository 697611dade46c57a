package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// WriteText writes the comparison as markdown whose columns are aligned, so
// that it reads as well on a terminal.
func (c Comparison) WriteText(w io.Writer) error {
	p := &page{w: bufio.NewWriter(w)}
	p.para("# %s against %s", c.B.Name, c.A.Name)
	p.block()
	p.alignedTable([]string{"", "A", "B"}, c.sides())
	for _, warning := range c.Warnings {
		p.para("**Differs:** %s", warning)
	}
	tests := false
	for _, pair := range c.Pairs {
		p.para("## %s", pair.Config.String())
		for _, warning := range pair.Warnings {
			p.para("**Differs:** %s", warning)
		}
		var rows [][]string
		for _, d := range pair.Differences {
			tests = tests || d.Tested
			rows = append(rows, []string{d.Metric, readable(d.A), readable(d.B), fixed(d.Ratio, 3), d.Verdict, d.noise()})
		}
		p.block()
		p.alignedTable([]string{"Metric", "A", "B", "B/A", "B is", "The difference is"}, rows)
	}
	if len(c.Pairs) == 0 {
		p.para("_No configuration is in both reports._")
	}
	c.writeOnly(p, "A", c.OnlyA)
	c.writeOnly(p, "B", c.OnlyB)
	if tests {
		p.para("_Larger than the noise: p < %v by Welch's t (means), Mann-Whitney (P50) or disjoint 95 %% confidence intervals (P90 to P99), and, of times and rates, more than the machines' noise probes, of which no more than %.0f %% is believed. "+
			"All but Welch's t need the samples of both sides, which report.json has and markdown has not. "+
			"The tests take batches for independent, and Welch's t from fewer than some 30 takes them for normal: runs made alternately say more. Of 20 metrics that do not differ, one will seem to. "+
			"The dashboard's rows look back over each other's time, which makes their p too small._", significance, 100*mostNoise)
	}
	return p.w.Flush()
}

// noise says what is known about chance.
func (d *Difference) noise() string {
	if !d.Tested {
		if d.A == nil || d.B == nil {
			return ""
		}
		return "not tested"
	}
	text := "within the noise"
	if d.Beyond {
		text = "larger than the noise"
	}
	if d.Probe {
		return text + " (of the probe)"
	}
	switch {
	case d.P == nil:
		return text + " (" + d.Method + ")"
	case *d.P < 0.001:
		return text + " (p<0.001)"
	}
	return fmt.Sprintf("%s (p=%.3f)", text, *d.P)
}

func (c Comparison) sides() [][]string {
	of := func(name string, value func(*Report) string) []string {
		return []string{name, orNone(value(c.A)), orNone(value(c.B))}
	}
	return [][]string{
		of("Name", func(r *Report) string { return r.Name }),
		of("Timestamp", func(r *Report) string {
			if r.Started.IsZero() {
				return ""
			}
			return r.Started.Format(timestamp)
		}),
		of("Model", func(r *Report) string { return r.Model.ID }),
		of("Backend", func(r *Report) string { return r.Backend }),
		of("Device", func(r *Report) string { return r.Device }),
		of("Precision", func(r *Report) string { return r.Precision }),
	}
}

func (c Comparison) writeOnly(p *page, side string, configs []Config) {
	if len(configs) == 0 {
		return
	}
	var names []string
	for _, config := range configs {
		names = append(names, config.String())
	}
	p.para("**Only in %s:** %s", side, strings.Join(names, "; "))
}

// readable prints five or so significant digits.
func readable(v *float64) string {
	switch {
	case v == nil:
		return notMeasured
	case math.Abs(*v) >= 1e6:
		return fmt.Sprintf("%.4g", *v)
	case math.Abs(*v) >= 1 || *v == 0:
		return fixed(v, 2)
	}
	return fixed(v, 4)
}

// alignedTable pads the cells of each column to one width; all but the first
// and the last are right-aligned, as numbers are.
func (p *page) alignedTable(titles []string, rows [][]string) {
	widths := make([]int, len(titles))
	for _, row := range append([][]string{titles}, rows...) {
		for i, cell := range row {
			row[i] = strings.ReplaceAll(oneLine(cell), "|", `\|`)
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]), 3)
		}
	}
	write := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 && i < len(row)-1 {
				p.w.WriteString("| " + pad + cell + " ")
			} else {
				p.w.WriteString("| " + cell + pad + " ")
			}
		}
		p.w.WriteString("|\n")
	}
	write(titles)
	for i, width := range widths {
		if i > 0 && i < len(widths)-1 {
			p.w.WriteString("|" + strings.Repeat("-", width+1) + ":")
		} else {
			p.w.WriteString("|" + strings.Repeat("-", width+2))
		}
	}
	p.w.WriteString("|\n")
	for _, row := range rows {
		write(row)
	}
}
