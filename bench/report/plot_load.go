package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

// LoadPoint is one load that a system was put under. Rates are pairs/s, latencies ms; nil is
// what was not measured.
type LoadPoint struct {
	Name     string
	Row      string // the id of its row in the page; "": none
	Label    string // beside its mark; "": nothing
	Series   string // what it has in common with the loads that a line joins it to
	Offered  float64
	Attained float64
	Good     *float64 // attained within the SLO
	P50      float64
	P95      float64
	P95Upper *float64
	SLO      *float64 // the bound that P95 is held to
}

const (
	loadID    = "plot-load"
	goodputID = "plot-goodput"
)

// loadPoints are the loads of the report, the lightest first. A closed loop offers what it
// attains: its callers wait.
func (r *Report) loadPoints() (list []LoadPoint) {
	for i := range r.Configs {
		f := &r.Configs[i]
		if f.Throughput == nil || f.Latency == nil {
			continue
		}
		p := LoadPoint{Name: f.Config.String(), Row: rowID(i), Offered: f.Throughput.Average, Attained: f.Throughput.Average,
			P50: f.Latency.P50, P95: f.Latency.P95, P95Upper: f.upper(95)}
		if f.Loop == "open" {
			p.Offered = f.Rate
		}
		p.Label = strconv.Itoa(i + 1)
		p.Series = fmt.Sprintf("%s loop, batch=%d", f.Loop, f.Batch)
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b LoadPoint) int { return cmp.Compare(a.Offered, b.Offered) })
	return list
}

// offered says whether the loads came by themselves, ready or not.
func (r *Report) offered() bool {
	for _, f := range r.Configs {
		if f.Loop == "open" {
			return true
		}
	}
	return false
}

func (r *Report) loadPlot() plot.Plot {
	return plotLoad(r.loadPoints(), r.offered(), r.withheldPlot())
}

func (r *Report) goodputPlot() plot.Plot { return plotGoodput(r.loadPoints(), r.withheldPlot()) }

// plotLoad draws latency against load. open: some of the loads were offered, and not what
// waiting callers attained.
func plotLoad(list []LoadPoint, open bool, withheld string) plot.Plot {
	p := plot.Plot{ID: loadID, Title: "Load", Question: "How much load holds, and at what latency? P50 and P95 (ms, logarithmic) against pairs/s."}
	if len(list) < 2 {
		p.Missing = cmp.Or(withheld, "it takes two loads at least; several of --batch, --concurrency or --rate make them.")
		return p
	}
	label := "attained pairs/s (closed loop: callers wait)"
	if open {
		label = "offered pairs/s (closed loops: attained)"
	}
	p.Legend = []plot.Entry{{Style: 0, Name: "P50", Line: true, Mark: true}, {Style: 1, Name: "P95, and its upper bound", Line: true, Mark: true}}
	p.Table.Titles = []string{"Load", "Offered (pairs/s)", "Attained (pairs/s)", "P50 (ms)", "P95 (ms)", "at most (ms)"}
	lo, hi, left, right := math.Inf(1), 0.0, math.Inf(1), 0.0
	var slo *float64
	for _, l := range list {
		lo, hi = min(lo, l.P50), max(hi, l.P95)
		if l.P95Upper != nil {
			hi = max(hi, *l.P95Upper)
		}
		if l.SLO != nil {
			slo, hi, lo = l.SLO, max(hi, *l.SLO), min(lo, *l.SLO)
		}
		left, right = min(left, l.Offered), max(right, l.Offered)
		p.Table.Rows = append(p.Table.Rows, []string{l.Name, figure.Fixed(&l.Offered, 1), figure.Fixed(&l.Attained, 1), figure.Fixed(&l.P50, 2), figure.Fixed(&l.P95, 2), figure.Fixed(l.P95Upper, 2)})
	}
	first, last := list[0], list[len(list)-1]
	labels := ""
	if first.Label != "" {
		labels = " The numbers are of the rows above; lines join those of one batch."
	}
	p.Finding = fmt.Sprintf("From %s pairs/s (%s) to %s (%s), P95 goes from %s to %s ms.%s", figure.Fixed(&first.Offered, 1), first.Name,
		figure.Fixed(&last.Offered, 1), last.Name, figure.Fixed(&first.P95, 1), figure.Fixed(&last.P95, 1), labels)
	if slo != nil {
		p.Finding += " " + heldInWords(list, *slo)
	}
	p.Draw = func(c *plot.Canvas) {
		panel := c.Panel(plot.Linear(label, 0, right), plot.Log("latency of a batch, ms", lo, hi), plot.Ground{Height: 250})
		if slo != nil {
			panel.Across(*slo, fmt.Sprintf("SLO %s ms", plot.Short(*slo)))
		}
		for style, of := range []func(LoadPoint) float64{func(l LoadPoint) float64 { return l.P50 }, func(l LoadPoint) float64 { return l.P95 }} {
			var points []plot.Point
			for _, l := range list {
				points = append(points, plot.Point{X: l.Offered, Y: of(l)})
			}
			for _, series := range inSeries(list, points) {
				panel.Line(series, plot.Style(style), false, p.Legend[style].Name)
			}
			for i, at := range points {
				title := fmt.Sprintf("%s: %s %s ms at %s pairs/s", list[i].Name, []string{"P50", "P95"}[style], figure.Fixed(&at.Y, 2), figure.Fixed(&at.X, 1))
				if upper := list[i].P95Upper; style == 1 && upper != nil {
					panel.Beam(at, plot.Point{X: at.X, Y: *upper}, 1, title+fmt.Sprintf(", at most %s ms", figure.Fixed(upper, 2)))
				}
				panel.Marker(at, plot.Style(style), title)
				if style == 1 && list[i].Label != "" {
					panel.Note(at, list[i].Label)
				}
			}
		}
	}
	return p
}

// inSeries are the points of the loads, those of each series apart.
func inSeries(list []LoadPoint, points []plot.Point) (series [][]plot.Point) {
	var names []string
	for i, l := range list {
		at := slices.Index(names, l.Series)
		if at < 0 {
			at = len(names)
			names, series = append(names, l.Series), append(series, nil)
		}
		series[at] = append(series[at], points[i])
	}
	return series
}

// heldInWords says up to which load P95 is within the bound.
func heldInWords(list []LoadPoint, slo float64) string {
	held := -1.0
	for _, l := range list {
		if l.P95 <= slo {
			held = max(held, l.Offered)
		}
	}
	if held < 0 {
		return fmt.Sprintf("No load has its P95 within %s ms.", plot.Short(slo))
	}
	return fmt.Sprintf("P95 is within %s ms up to %s pairs/s.", plot.Short(slo), figure.Fixed(&held, 1))
}

// plotGoodput draws what of an offered load is served, and what in time.
func plotGoodput(list []LoadPoint, withheld string) plot.Plot {
	p := plot.Plot{ID: goodputID, Title: "Goodput", Question: "Where is the knee? Pairs/s attained, and attained in time, against pairs/s offered; the dashed line is where all that is offered is served."}
	list = slices.DeleteFunc(slices.Clone(list), func(l LoadPoint) bool { return l.Good == nil })
	if len(list) < 2 {
		p.Missing = cmp.Or(withheld, "it takes offered loads and a bound on latency, --slo.")
		return p
	}
	p.Legend = []plot.Entry{{Style: 0, Name: "attained", Line: true, Mark: true}, {Style: 1, Name: "good: attained within the bound", Line: true, Mark: true}}
	p.Table.Titles = []string{"Load", "Offered (pairs/s)", "Attained (pairs/s)", "Good (pairs/s)", "Good of offered (%)"}
	most, best := 0.0, list[0]
	for _, l := range list {
		most = max(most, l.Offered, l.Attained)
		if *l.Good > *best.Good {
			best = l
		}
		share := 100 * *l.Good / l.Offered
		p.Table.Rows = append(p.Table.Rows, []string{l.Name, figure.Fixed(&l.Offered, 1), figure.Fixed(&l.Attained, 1), figure.Fixed(l.Good, 1), figure.Fixed(&share, 1)})
	}
	p.Finding = fmt.Sprintf("The most goodput is %s pairs/s, at %s offered.", figure.Fixed(best.Good, 1), figure.Fixed(&best.Offered, 1))
	if slo := list[0].SLO; slo != nil {
		p.Finding += " " + heldInWords(list, *slo)
	}
	p.Draw = func(c *plot.Canvas) {
		panel := c.Panel(plot.Linear("offered pairs/s", 0, most), plot.Linear("pairs/s", 0, most), plot.Ground{Height: 250})
		panel.Rule(plot.Point{}, plot.Point{X: most, Y: most}, "all that is offered")
		for style, of := range []func(LoadPoint) float64{func(l LoadPoint) float64 { return l.Attained }, func(l LoadPoint) float64 { return *l.Good }} {
			var points []plot.Point
			for _, l := range list {
				points = append(points, plot.Point{X: l.Offered, Y: of(l)})
			}
			for _, series := range inSeries(list, points) {
				panel.Line(series, plot.Style(style), false, p.Legend[style].Name)
			}
			for i, at := range points {
				panel.Marker(at, plot.Style(style), fmt.Sprintf("%s: %s %s of %s pairs/s", list[i].Name, p.Legend[style].Name, figure.Fixed(&at.Y, 1), figure.Fixed(&at.X, 1)))
			}
		}
	}
	return p
}
