package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

const tailID = "plot-tail"

// distribution is latencies of which all are known, or a summary alone.
type distribution struct {
	style   plot.Style
	name    string
	row     string    // of the table; "": none
	ms      []float64 // sorted; nil: not told
	summary *stats.Summary
	bounds  []Bound
}

// distributions are those of the configurations, or of the loads of a scenario.
func (r *Report) distributions() (list []distribution) {
	add := func(d distribution) {
		if d.summary != nil {
			d.style = plot.Style(len(list))
			list = append(list, d)
		}
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		d := distribution{name: f.Config.String(), row: rowID(i), summary: f.Latency, bounds: f.Bounds}
		if f.Samples != nil {
			d.ms = slices.Sorted(slices.Values(f.Samples.Latency))
		}
		add(d)
		if f.Latency != nil {
			list[len(list)-1].style = plot.Style(i) // that of the other plots
		}
	}
	if m := r.Mix; m != nil {
		section := page.ID(MixTitle)
		add(distribution{name: "small calls alone", row: section, summary: m.Alone})
		add(distribution{name: "the same beside the bulk", row: section, summary: m.Beside})
		add(distribution{name: "one small caller alone", row: section, summary: m.ClosedAlone})
		add(distribution{name: "the same beside the bulk, closed loop", row: section, summary: m.Closed})
	}
	if o := r.Overload; o != nil {
		section := page.ID(OverloadTitle)
		add(distribution{name: "a full queue", row: section, summary: o.Queue})
		add(distribution{name: "the flood, accepted", row: section, summary: o.Flood})
	}
	return list
}

// known are the points of the cumulative share that are known, from the fastest on. The
// i-th of n, counted from 0, stands for the share i/(n-1), which puts the report's
// percentiles on the line between the points; the slowest, which nothing bounds, for a little
// less than all.
func (d *distribution) known() (points []plot.Point) {
	n := float64(d.summary.N)
	last := 1 - 0.5/n
	if len(d.ms) > 1 {
		for i, ms := range d.ms {
			points = append(points, plot.Point{X: ms, Y: min(last, float64(i)/(n-1))})
		}
		return points
	}
	s := d.summary
	if !(n > 1) { // one batch, or a report that does not tell how many
		last = 0.995
	}
	points = append(points, plot.Point{X: s.Min, Y: 0})
	for _, p := range []plot.Point{{X: s.P50, Y: 0.5}, {X: s.P90, Y: 0.9}, {X: s.P95, Y: 0.95}, {X: s.P99, Y: 0.99}} {
		if p.Y < last {
			points = append(points, p)
		}
	}
	return append(points, plot.Point{X: s.Max, Y: last})
}

// bounded is the share up to which this many draws have an upper confidence bound.
func bounded(n int) float64 { return math.Pow(1-stats.Confidence, 1/float64(n)) }

func (r *Report) tailPlot() plot.Plot {
	p := plot.Plot{ID: tailID, Title: "Latency, its tail", Question: "How long does a batch take, and how long the slowest? Latency (ms, logarithmic) against the share of batches that take no longer; the axis stretches the tail."}
	list := r.distributions()
	if len(list) == 0 {
		p.Missing = cmp.Or(r.withheldPlot(), "no latency was measured.")
		return p
	}
	lo, hi, most := math.Inf(1), 0.0, 0.9
	marked := []int{50, 90, 95, 99}
	p.Table.Titles = []string{"Load", "Batches", "P50 (ms)", "P90 (ms)", "P95 (ms)", "at most", "P99 (ms)", "at most", "Max (ms)"}
	for i := range list {
		d := &list[i]
		known := d.known()
		lo, hi = min(lo, d.summary.Min), max(hi, d.summary.Max)
		for _, b := range d.bounds {
			if b.Upper != nil {
				hi = max(hi, *b.Upper)
			}
		}
		most = max(most, known[len(known)-1].Y, 0.95)
		p.Legend = append(p.Legend, plot.Entry{Style: d.style, Name: d.name, Row: d.row, Line: true, Mark: true})
		s := d.summary
		p.Table.Rows = append(p.Table.Rows, []string{d.name, countOrNone(s.N), figure.Fixed(&s.P50, 2), figure.Fixed(&s.P90, 2),
			figure.Fixed(&s.P95, 2), figure.Fixed(upperOf(d.bounds, 95), 2), figure.Fixed(&s.P99, 2), figure.Fixed(upperOf(d.bounds, 99), 2), figure.Fixed(&s.Max, 2)})
	}
	if !(lo > 0) {
		lo = min(hi/1000, 0.001)
	}
	p.Finding = tailFinding(list)
	p.Draw = func(c *plot.Canvas) {
		panel := c.Panel(plot.Log("latency of a batch, ms", lo, hi), plot.Tail("share of batches, the tail stretched", 1-float64((1-most)*0.8)), plot.Ground{Height: 250})
		for i := range list {
			list[i].draw(panel, marked)
		}
	}
	return p
}

// draw draws the curve, faint where no bound is known, and its percentiles with their bounds.
func (d *distribution) draw(panel *plot.Panel, marked []int) {
	known := d.known()
	limit := bounded(max(1, d.summary.N))
	cut := len(known)
	for i, point := range known {
		if point.Y > limit {
			cut = i
			break
		}
	}
	panel.Line(known[:cut], d.style, false, d.name)
	if cut < len(known) {
		panel.Line(known[max(0, cut-1):], d.style, true, d.name+": too few batches to bound this part")
	}
	for _, percentile := range marked {
		value, share := percentileOf(d.summary, percentile), float64(percentile)/100
		if share > known[len(known)-1].Y || share < known[0].Y {
			continue
		}
		title := fmt.Sprintf("%s: P%d %s ms", d.name, percentile, figure.Fixed(&value, 2))
		if upper := upperOf(d.bounds, percentile); upper != nil {
			title += fmt.Sprintf(", at most %s ms (95 %% confidence)", figure.Fixed(upper, 2))
			panel.Beam(plot.Point{X: value, Y: share}, plot.Point{X: *upper, Y: share}, d.style, title)
		}
		panel.Marker(plot.Point{X: value, Y: share}, d.style, title)
	}
}

func percentileOf(s *stats.Summary, percentile int) float64 {
	switch percentile {
	case 50:
		return s.P50
	case 90:
		return s.P90
	case 95:
		return s.P95
	}
	return s.P99
}

func upperOf(list []Bound, percentile int) *float64 {
	f := Figures{Bounds: list}
	return f.upper(percentile)
}

// areOf is the verb of so many things.
func areOf(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// tailFinding says how far the slowest are from the middle.
func tailFinding(list []distribution) string {
	text := ""
	if len(list) <= 2 {
		for i := range list {
			s := list[i].summary
			text += fmt.Sprintf("%s: P50 %s ms, P95 %s ms (%s times P50), slowest %s ms. ", list[i].name, figure.Fixed(&s.P50, 1), figure.Fixed(&s.P95, 1), timesOf(s.P95, s.P50), figure.Fixed(&s.Max, 1))
		}
	} else {
		low, high := extremes(list, func(d *distribution) float64 { return d.summary.P95 })
		near, far := extremes(list, func(d *distribution) float64 { return d.summary.P95 / d.summary.P50 })
		slow := slices.MaxFunc(list, func(a, b distribution) int { return cmp.Compare(a.summary.Max, b.summary.Max) })
		text = fmt.Sprintf("P95 is from %s ms (%s) to %s ms (%s), which is %s to %s times P50; the slowest took %s ms (%s). ", figure.Fixed(&low.summary.P95, 1), low.name, figure.Fixed(&high.summary.P95, 1), high.name,
			timesOf(near.summary.P95, near.summary.P50), timesOf(far.summary.P95, far.summary.P50), figure.Fixed(&slow.summary.Max, 1), slow.name)
	}
	text = strings.TrimSuffix(text, " ")
	few, pronoun := 0, ""
	for i := range list {
		if n := list[i].summary.N; n < stats.SamplesNeeded(0.99, stats.Confidence) {
			few++
			pronoun = figure.Count(n, "batch") + " " + areOf(n)
		}
	}
	switch {
	case few == 1 && len(list) == 1:
		text += " The dotted part has no upper bound: " + pronoun + " too few."
	case few > 0:
		text += " Where a curve is dotted, its batches are too few for an upper bound."
	}
	if len(list) > 0 && list[0].ms == nil {
		text += " Of the samples only the printed figures are known, which the lines join."
	}
	for i := range list {
		if slices.ContainsFunc(list[i].bounds, func(b Bound) bool { return b.Upper != nil }) {
			return text + " Bars from a mark reach to its 95 % upper bound."
		}
	}
	return text
}

// extremes are the ones of the least and of the greatest value.
func extremes[T any](list []T, value func(*T) float64) (least, greatest *T) {
	for i := range list {
		if least == nil || value(&list[i]) < value(least) {
			least = &list[i]
		}
		if greatest == nil || value(&list[i]) > value(greatest) {
			greatest = &list[i]
		}
	}
	return least, greatest
}

func timesOf(a, b float64) string {
	q := quotient(a, b)
	return figure.Fixed(q, 2)
}

func countOrNone(n int) string { return count(int64(n)) }
