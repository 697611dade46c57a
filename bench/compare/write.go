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
	p.Para("# %s against %s", c.B.Name, c.A.Name)
	p.Block()
	p.AlignedTable([]string{"", "A", "B"}, c.sides())
	for _, warning := range c.Warnings {
		p.Para("**Differs:** %s", warning)
	}
	tests := false
	for _, pair := range c.Pairs {
		p.Para("## %s", pair.Config.String())
		for _, warning := range pair.Warnings {
			p.Para("**Differs:** %s", warning)
		}
		var rows [][]string
		for _, d := range pair.Differences {
			tests = tests || d.Tested
			rows = append(rows, []string{d.Metric, readable(d.A), readable(d.B), figure.Fixed(d.Ratio, 3), d.Verdict, d.noise()})
		}
		p.Block()
		p.AlignedTable([]string{"Metric", "A", "B", "B/A", "B is", "The difference is"}, rows)
	}
	if len(c.Pairs) == 0 {
		p.Para("_No configuration is in both reports._")
	}
	c.writeOnly(p, "A", c.OnlyA)
	c.writeOnly(p, "B", c.OnlyB)
	if tests {
		p.Para("_Larger than the noise: p < %v by Welch's t (means), Mann-Whitney (P50) or disjoint 95 %% confidence intervals (P90 to P99), and, of times and rates, more than the machines' noise probes, of which no more than %.0f %% is believed. "+
			"All but Welch's t need the samples of both sides, which report.json has and markdown has not. "+
			"The tests take batches for independent, and Welch's t from fewer than some 30 takes them for normal: runs made alternately say more. Of 20 metrics that do not differ, one will seem to. "+
			"The dashboard's rows look back over each other's time, which makes their p too small._", significance, 100*mostNoise)
	}
	return p.Flush()
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
		names = append(names, config.String())
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
