package compare

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// WriteText writes the comparison as markdown whose columns are aligned, so
// that it reads as well on a terminal.
func (c Comparison) WriteText(w io.Writer) error {
	p := markdown.NewPage(w)
	p.Words = c.words
	p.Para("# %s against %s", c.B.Name, c.A.Name)
	p.Block()
	p.AlignedTable([]string{"", "A", "B"}, c.sides())
	for _, warning := range c.Warnings {
		p.Para("**Differs:** %s", warning)
	}
	for _, pair := range c.Pairs {
		p.Para("## %s", c.words(pair.Config.String()))
		for _, warning := range pair.Warnings {
			p.Para("**Differs:** %s", warning)
		}
		var rows [][]string
		for _, d := range pair.Differences {
			rows = append(rows, []string{d.Metric, readable(d.A), readable(d.B), figure.Fixed(d.Ratio, 3), d.Verdict})
		}
		p.Block()
		p.AlignedTable([]string{"Metric", "A", "B", "B/A", "B was"}, rows)
	}
	if c.Apart != "" {
		p.Para("**Not comparable:** %s.", c.Apart)
		return p.Flush()
	}
	if len(c.Pairs) == 0 {
		p.Para("_No configuration is in both reports._")
	}
	c.writeOnly(p, "A", c.OnlyA)
	c.writeOnly(p, "B", c.OnlyB)
	if len(c.Pairs) > 0 {
		p.Para("**One run each: no verdict.** _%s_", oneRun)
	}
	return p.Flush()
}

// words are those of both reports' task.
func (c Comparison) words(text string) string {
	if c.A.Task != c.B.Task {
		return text
	}
	return c.A.Words(text)
}

// oneRun says why there is no verdict.
const oneRun = "Two runs of one program differ, too, and by more than the batches of one run tell: how much of a difference is the run's own chance, " +
	"only more runs can say. \"minilm-metal bench ab\" makes them in turns; \"compare\" takes four or more of each side, parted by --."

func (c Comparison) sides() [][]string {
	of := func(name string, value func(*report.Report) string) []string {
		return []string{name, figure.OrNone(value(c.A)), figure.OrNone(value(c.B))}
	}
	return [][]string{
		of("Name", func(r *report.Report) string { return r.Name }),
		of("Timestamp", func(r *report.Report) string {
			if r.Started.IsZero() {
				return ""
			}
			return r.Started.Format(report.TimestampLayout)
		}),
		of("Model", func(r *report.Report) string { return r.Model.ID }),
		of("Backend", func(r *report.Report) string { return r.Backend }),
		of("Device", func(r *report.Report) string { return r.Device }),
		of("Precision", func(r *report.Report) string { return r.Precision }),
	}
}

func (c Comparison) writeOnly(p *markdown.Page, side string, configs []report.Config) {
	if len(configs) == 0 {
		return
	}
	var names []string
	for _, config := range configs {
		names = append(names, c.words(config.String()))
	}
	p.Para("**Only in %s:** %s", side, strings.Join(names, "; "))
}

// readable prints five or so significant digits.
func readable(v *float64) string {
	switch {
	case v == nil:
		return figure.NotMeasured
	case math.Abs(*v) >= 1e6:
		return fmt.Sprintf("%.4g", *v)
	case math.Abs(*v) >= 1 || *v == 0:
		return figure.Fixed(v, 2)
	}
	return figure.Fixed(v, 4)
}
