package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

// LoadPoint is one load that a system was put under. Rates are pairs/s, latencies ms; nil is
// a figure that there is none of.
type LoadPoint struct {
	Name     string
	Row      string // the id of its row in the page; "": none
	Label    string // beside its mark; "": nothing
	Series   string // what it has in common with the loads that a line joins it to
	Says     string // of it, behind its figures; "": nothing
	Offered  float64
	Attained float64
	Good     *float64 // attained within the bound
	P50      *float64
	P95      *float64
	P95Upper *float64
}

// LoadCurve is loads of one system, the lightest first.
type LoadCurve struct {
	Points []LoadPoint
	Open   bool     // some of them were offered, and not what waiting callers attained
	SLO    *float64 // the bound of P95, ms; nil: none
	Knee   *float64 // the largest load that holds, pairs/s; nil: not known
	Row    string   // the id of the section that has its numbers; "": each point has a row
}

const (
	loadID    = "plot-load"
	goodputID = "plot-goodput"
)

// offered says whether some configuration is an open loop.
func (r *Report) offered() bool {
	return slices.ContainsFunc(r.Configs, func(f Figures) bool { return f.Loop == "open" })
}

// loadCurve is the loads of the report. A closed loop offers what it attains: its callers
// wait.
func (r *Report) loadCurve() (c LoadCurve) {
	if l := r.Load; l != nil {
		c.Open, c.SLO, c.Row = true, l.SLO, page.ID(LoadTitle)
		if l.Knee != nil {
			c.Knee = &l.Knee.Rate
		}
		for _, q := range l.Points {
			p := LoadPoint{Name: fmt.Sprintf("%s, %s pairs/s, seed %d", q.Purpose, figure.Fixed(&q.Rate, 1), q.Seed), Says: "it holds",
				Offered: q.Offered, Attained: q.Attained, Good: q.Good, P50: q.P50, P95: q.P95, P95Upper: q.P95Upper}
			if !q.Holds {
				p.Says = "it does not hold: " + q.Why
			}
			c.Points = append(c.Points, p)
		}
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		if f.Throughput == nil || f.Latency == nil {
			continue
		}
		p := LoadPoint{Name: f.Config.String(), Row: rowID(i), Label: strconv.Itoa(i + 1), Offered: f.Throughput.Average, Attained: f.Throughput.Average,
			P50: &f.Latency.P50, P95: &f.Latency.P95, P95Upper: f.upper(95)}
		if f.Loop == "open" {
			p.Offered, c.Open = f.Rate, true
		}
		of := f.Config // but for what is swept along a line
		of.Concurrency, of.Rate = 0, 0
		p.Series = of.String()
		c.Points = append(c.Points, p)
	}
	slices.SortStableFunc(c.Points, func(a, b LoadPoint) int { return cmp.Compare(a.Offered, b.Offered) })
	return c
}

func (r *Report) loadPlot() plot.Plot {
	c := r.loadCurve()
	return c.latencies(r.withheldPlot())
}

func (r *Report) goodputPlot() plot.Plot {
	c := r.loadCurve()
	return c.goodput(r.withheldPlot())
}

// latencies draws latency against load.
func (c *LoadCurve) latencies(withheld string) plot.Plot {
	p := plot.Plot{ID: loadID, Title: "Load", Question: "How much load holds, and at what latency? P50 and P95 (ms, logarithmic) against pairs/s."}
	// A load whose P95 is that of requests without scores has no place in the plot.
	list := slices.DeleteFunc(slices.Clone(c.Points), func(l LoadPoint) bool { return l.P50 == nil || l.P95 == nil })
	if len(list) < 2 {
		p.Missing = cmp.Or(withheld, "it takes two loads at least; several of --batch, --concurrency or --rate make them, and so does --slo.")
		return p
	}
	label := "attained pairs/s (closed loop: callers wait)"
	if c.Open {
		label = "offered pairs/s (closed loops: attained)"
	}
	if c.Row != "" {
		label = "offered pairs/s"
	}
	p.Legend = []plot.Entry{{Style: 0, Name: "P50", Line: true, Mark: true, Row: c.Row}, {Style: 1, Name: "P95, and its upper bound", Line: true, Mark: true, Row: c.Row}}
	p.Table.Titles = []string{"Load", "Offered (pairs/s)", "Attained (pairs/s)", "P50 (ms)", "P95 (ms)", "at most (ms)"}
	for _, l := range c.Points {
		p.Table.Rows = append(p.Table.Rows, []string{l.Name, figure.Fixed(&l.Offered, 1), figure.Fixed(&l.Attained, 1), figure.Fixed(l.P50, 2), figure.Fixed(l.P95, 2), figure.Fixed(l.P95Upper, 2)})
	}
	lo, hi, right := math.Inf(1), 0.0, 0.0
	for _, l := range list {
		lo, hi, right = min(lo, *l.P50), max(hi, *l.P95), max(right, l.Offered)
		if l.P95Upper != nil {
			hi = max(hi, *l.P95Upper)
		}
	}
	if c.SLO != nil {
		lo, hi = min(lo, *c.SLO), max(hi, *c.SLO)
	}
	first, last := list[0], list[len(list)-1]
	p.Finding = fmt.Sprintf("From %s pairs/s (%s) to %s (%s), P95 goes from %s to %s ms.", figure.Fixed(&first.Offered, 1), first.Name,
		figure.Fixed(&last.Offered, 1), last.Name, figure.Fixed(first.P95, 1), figure.Fixed(last.P95, 1))
	if first.Label != "" {
		p.Finding += " The numbers are of the rows above; lines join those that differ in load alone."
	}
	p.Finding += c.held()
	p.Draw = func(canvas *plot.Canvas) {
		panel := canvas.Panel(plot.Linear(label, 0, right), plot.Log("latency of a batch, ms", lo, hi), plot.Ground{Height: 250})
		c.rules(panel, true)
		for style, of := range []func(LoadPoint) float64{func(l LoadPoint) float64 { return *l.P50 }, func(l LoadPoint) float64 { return *l.P95 }} {
			name := []string{"P50", "P95"}[style]
			points := drawSeries(panel, list, plot.Style(style), p.Legend[style].Name, of)
			for i, at := range points {
				l := list[i]
				title := fmt.Sprintf("%s: %s %s ms at %s pairs/s", l.Name, name, figure.Fixed(&at.Y, 2), figure.Fixed(&at.X, 1))
				if style == 1 && l.P95Upper != nil {
					title += fmt.Sprintf(", at most %s ms", figure.Fixed(l.P95Upper, 2))
					panel.Beam(at, plot.Point{X: at.X, Y: *l.P95Upper}, 1, title)
				}
				panel.Marker(at, plot.Style(style), title+l.says())
				if style == 1 && l.Label != "" {
					panel.Note(at, l.Label)
				}
			}
		}
	}
	return p
}

func (l *LoadPoint) says() string {
	if l.Says == "" {
		return ""
	}
	return "; " + l.Says
}

// rules draws the bound of latency, where the panel has it, and the knee.
func (c *LoadCurve) rules(panel *plot.Panel, latency bool) {
	if c.SLO != nil && latency {
		panel.Across(*c.SLO, fmt.Sprintf("bound %s ms", plot.Short(*c.SLO)))
	}
	if c.Knee != nil {
		panel.Upright(*c.Knee, "")
	}
}

// drawSeries draws lines through the loads of each series, and returns where all of them are.
func drawSeries(panel *plot.Panel, list []LoadPoint, style plot.Style, name string, of func(LoadPoint) float64) (points []plot.Point) {
	for _, l := range list {
		points = append(points, plot.Point{X: l.Offered, Y: of(l)})
	}
	for _, series := range inSeries(list, points) {
		panel.Line(series, style, false, name)
	}
	return points
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

// held says which load holds; "" where no bound was asked for.
func (c *LoadCurve) held() string {
	switch {
	case c.SLO == nil:
		return ""
	case c.Knee == nil:
		return fmt.Sprintf(" That a load holds with its P95 within %s ms was not confirmed.", plot.Short(*c.SLO))
	}
	return fmt.Sprintf(" The largest load that holds, with its P95 within %s ms, is %s pairs/s: the upright line.", plot.Short(*c.SLO), figure.Fixed(c.Knee, 1))
}

// goodput draws what of an offered load is served, and what in time.
func (c *LoadCurve) goodput(withheld string) plot.Plot {
	p := plot.Plot{ID: goodputID, Title: "Goodput", Question: "Where is the knee? Pairs/s attained, and attained in time, against pairs/s offered; on the slanted line all that is offered is served."}
	list := slices.DeleteFunc(slices.Clone(c.Points), func(l LoadPoint) bool { return l.Good == nil })
	if len(list) < 2 {
		p.Missing = cmp.Or(withheld, "it takes offered loads and a bound on latency: --slo.")
		return p
	}
	p.Legend = []plot.Entry{{Style: 0, Name: "attained", Line: true, Mark: true, Row: c.Row}, {Style: 1, Name: "good: attained within the bound", Line: true, Mark: true, Row: c.Row}}
	p.Table.Titles = []string{"Load", "Offered (pairs/s)", "Attained (pairs/s)", "Good (pairs/s)", "Good of offered (%)"}
	most, best := 0.0, list[0]
	for _, l := range list {
		most = max(most, l.Offered, l.Attained)
		if *l.Good > *best.Good {
			best = l
		}
		p.Table.Rows = append(p.Table.Rows, []string{l.Name, figure.Fixed(&l.Offered, 1), figure.Fixed(&l.Attained, 1), figure.Fixed(l.Good, 1), figure.Fixed(figure.Scaled(quotient(*l.Good, l.Offered), 100), 1)})
	}
	p.Finding = fmt.Sprintf("The most goodput is %s pairs/s, at %s offered.", figure.Fixed(best.Good, 1), figure.Fixed(&best.Offered, 1)) + c.held()
	p.Draw = func(canvas *plot.Canvas) {
		panel := canvas.Panel(plot.Linear("offered pairs/s", 0, most), plot.Linear("pairs/s", 0, most), plot.Ground{Height: 250})
		panel.Rule(plot.Point{}, plot.Point{X: most, Y: most}, "all that is offered")
		c.rules(panel, false)
		for style, of := range []func(LoadPoint) float64{func(l LoadPoint) float64 { return l.Attained }, func(l LoadPoint) float64 { return *l.Good }} {
			name := p.Legend[style].Name
			for i, at := range drawSeries(panel, list, plot.Style(style), name, of) {
				panel.Marker(at, plot.Style(style), fmt.Sprintf("%s: %s %s of %s pairs/s%s", list[i].Name, name, figure.Fixed(&at.Y, 1), figure.Fixed(&at.X, 1), list[i].says()))
			}
		}
	}
	return p
}
