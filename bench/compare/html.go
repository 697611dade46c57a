package compare

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// pageOf begins a page with what the markdown says: its title, and its sections behind the
// plots. What the markdown has before its first section is one of the page, called whole.
func pageOf(write func(io.Writer) error, whole string) (*page.Page, error) {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return nil, err
	}
	head, sections := page.Sections(text.String())
	p := &page.Page{Title: "compare", Heading: "Measures", Sections: sections,
		Foot: []string{"This page is made of reports alone. It fetches nothing and runs nothing."}}
	if len(head) > 0 {
		p.Title, head[0].Heading = head[0].Heading, ""
	}
	p.Sections = append([]page.Section{{ID: "whole", Title: whole, Groups: head}}, p.Sections...)
	return p, nil
}

// bold makes what a verdict begins with, as far as its colon, stand out.
func bold(text string) string {
	name, why, found := strings.Cut(upperFirst(text), ": ")
	if !found {
		return "**" + name + "**"
	}
	return "**" + name + ":** " + why
}

// WriteHTML writes the judgement as a page: the verdict, the measures, their ratios with
// their intervals, the rounds, and all that WriteText writes.
func (j *Judgement) WriteHTML(w io.Writer, title string, sides []Side) error {
	p, err := pageOf(func(w io.Writer) error { return j.WriteText(w, title, sides) }, "The whole judgement")
	if err != nil {
		return err
	}
	out := j.Outcome()
	p.Verdict, p.Bad, p.Open = bold(j.Summary()), out == Regression || out == Incomparable, out == Undecided
	for _, s := range sides {
		if s.A != "" || s.B != "" {
			p.About = append(p.About, fmt.Sprintf("**%s:** A %s, B %s", s.What, figure.OrNone(s.A), figure.OrNone(s.B)))
		}
	}
	p.Warnings = append(append(p.Warnings, j.Warnings...), j.Ungated...)
	p.Table.Titles = []page.Cell{{Text: "Measure"}, {Text: "A"}, {Text: "B"}, {Text: "B/A - 1", To: "plot-ratios"}, {Text: "95 % interval (%)", To: "plot-ratios"}, {Text: "p"}, {Text: "Gate"}, {Text: "B is"}, {Text: "Drawn"}}
	ratios := plot.Plot{ID: "plot-ratios", Title: "B over A", Question: "By how much do the sides differ, and how sure is that? The ratio of each measure with its 95 % interval, logarithmic."}
	var list []report.Ratio
	for i := range j.Rows {
		r := &j.Rows[i]
		ratio := report.Ratio{Name: r.Title, Ratio: r.Ratio, Same: r.Threshold}
		if r.Few == "" {
			ratio.Low, ratio.High = &r.Low, &r.High
		}
		list = append(list, ratio)
		gate := "no"
		if r.Gated {
			gate = "yes"
		}
		drawn := page.Cell{Text: "in the ratios", To: ratios.ID}
		if r.Ratios != nil {
			drawn = page.Cell{Text: "round by round", To: roundsID(i)}
			p.Plots = append(p.Plots, j.rounds(i))
		}
		p.Table.Rows = append(p.Table.Rows, page.Row{ID: rowID(i), Cells: []page.Cell{{Text: r.Title}, {Text: readable(&r.A)}, {Text: readable(&r.B)}, {Text: Change(r.Ratio)},
			{Text: r.Interval()}, {Text: r.p()}, {Text: gate}, {Text: r.String()}, drawn}})
	}
	if len(list) > 0 {
		p.Plots = append([]plot.Plot{report.PlotRatios(ratios.ID, ratios.Title, ratios.Question, list)}, p.Plots...)
	}
	return p.Write(w)
}

func rowID(i int) string    { return "row-" + strconv.Itoa(i+1) }
func roundsID(i int) string { return "plot-rounds-" + strconv.Itoa(i+1) }

// rounds draws the ratio of each round of a measure.
func (j *Judgement) rounds(i int) plot.Plot {
	r := &j.Rows[i]
	better := "above 1 B is faster"
	if r.lowerIsBetter {
		better = "below 1 B is faster"
	}
	rounds := report.Rounds{Metric: r.Title + ", B over A (" + better + ")", Same: r.Threshold, All: &report.Ratio{Name: "median", Ratio: r.Ratio}}
	if r.Few == "" {
		rounds.All.Low, rounds.All.High = &r.Low, &r.High
	}
	for n, v := range r.Ratios {
		rounds.Rounds = append(rounds.Rounds, report.Ratio{Name: strconv.Itoa(n + 1), Ratio: v})
	}
	p := rounds.Plot(rowID(i))
	p.ID, p.Title = roundsID(i), r.Title
	return p
}

// WriteHTML writes the comparison of two reports as a page. One run each is no verdict.
func (c Comparison) WriteHTML(w io.Writer) error {
	p, err := pageOf(c.WriteText, "The reports")
	if err != nil {
		return err
	}
	p.Heading, p.Warnings = "Configurations", append([]string{oneRun}, c.Warnings...)
	p.Verdict, p.Open = "**One run each: no verdict.**", true
	p.Table.Titles = []page.Cell{{Text: "Configuration"}, {Text: c.words("TP Avg A (pairs/s)")}, {Text: c.words("TP Avg B (pairs/s)")}, {Text: "B/A"}, {Text: "Lat P95 A (ms)"}, {Text: "Lat P95 B (ms)"}, {Text: "B/A"}, {Text: "Drawn"}}
	for i, pair := range c.Pairs {
		p.Plots = append(p.Plots, pair.ratios(i, c.words))
		row := page.Row{ID: rowID(i), Cells: []page.Cell{{Text: c.words(pair.Config.String()), To: page.ID(c.words(pair.Config.String()))}}}
		for _, name := range []string{"throughput", "p95"} {
			d := pair.difference(name)
			row.Cells = append(row.Cells, page.Cell{Text: readable(d.A)}, page.Cell{Text: readable(d.B)}, page.Cell{Text: figure.Fixed(d.Ratio, 3)})
			if i == 0 && name == "throughput" && d.Ratio != nil {
				p.Verdict += fmt.Sprintf(c.words(" At %s B's throughput was %s of A's, %s to %s pairs/s."), pair.Config, figure.Fixed(d.Ratio, 3), readable(d.A), readable(d.B))
			}
		}
		p.Table.Rows = append(p.Table.Rows, page.Row{ID: row.ID, Cells: append(row.Cells, page.Cell{Text: "in its ratios", To: ratiosID(i)})})
	}
	if len(c.Pairs) == 0 {
		p.Verdict = "**Not comparable:** no configuration is in both reports."
		if c.Apart != "" {
			p.Verdict = "**Not comparable:** " + c.Apart + "."
		}
		p.Bad = true
	}
	for i := range p.Sections {
		for _, pair := range c.Pairs {
			p.Sections[i].Folded = p.Sections[i].Folded || p.Sections[i].ID == page.ID(c.words(pair.Config.String())) && len(c.Pairs) > 1
		}
	}
	return p.Write(w)
}

func ratiosID(i int) string { return "plot-ratios-" + strconv.Itoa(i+1) }

// difference is that of a measure, by the name that gates have for it; nothing where one of
// the sides has none.
func (p *Pair) difference(measure string) (d Difference) {
	title := map[string]string{"throughput": "Throughput Average, all pairs over all time (pairs/s)", "p95": "Latency P95 (ms)"}[measure]
	for i := range p.Differences {
		if p.Differences[i].Metric == title {
			return p.Differences[i]
		}
	}
	return d
}

// drawnMetrics are what the ratios of two runs are drawn of: the first of each kind.
var drawnMetrics = []string{"Throughput Average", "Latency Mean", "Latency P50", "Latency P95", "Latency P99", "Latency Max", "Tokenization Mean", "Inference Mean", "Queue Wait Mean", "Tokens/s", "FLOP/s"}

// ratios draws B over A of what a reader looks for.
func (p *Pair) ratios(i int, words func(string) string) plot.Plot {
	var list []report.Ratio
	for _, name := range drawnMetrics {
		for _, d := range p.Differences {
			if strings.HasPrefix(d.Metric, name) && d.Ratio != nil && *d.Ratio > 0 {
				list = append(list, report.Ratio{Name: name, Ratio: *d.Ratio})
				break
			}
		}
	}
	return report.PlotRatios(ratiosID(i), words(p.Config.String()), "By how much did these two runs differ? B over A, logarithmic; how much of it is chance, one run each cannot tell.", list)
}
