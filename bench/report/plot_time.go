package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

const timeID = "plot-time"

// course is the batches of a configuration by their start.
type course struct {
	style plot.Style
	name  string
	at    []plot.Point // s, ms; in order of start
	stats.Summary
}

func (r *Report) courses() (list []course) {
	for i := range r.Configs {
		f := &r.Configs[i]
		if f.Samples == nil || f.Latency == nil || len(f.Samples.Start) != len(f.Samples.Latency) {
			continue
		}
		c := course{style: plot.Style(i), name: f.Config.String(), Summary: *f.Latency}
		for j, start := range f.Samples.Start {
			c.at = append(c.at, plot.Point{X: start / 1000, Y: f.Samples.Latency[j]})
		}
		slices.SortStableFunc(c.at, func(a, b plot.Point) int {
			switch {
			case a.X < b.X:
				return -1
			case a.X > b.X:
				return 1
			}
			return 0
		})
		list = append(list, c)
	}
	return list
}

func (r *Report) timePlot() plot.Plot {
	p := plot.Plot{ID: timeID, Title: "Latency over time", Question: "Does it drift, stall, or jump between two speeds? Every batch (ms) by when it started (s)."}
	list := r.courses()
	if len(list) == 0 {
		p.Missing = cmpOr(r.withheldPlot(), "the report does not tell when each batch started (a recording does).")
		return p
	}
	p.Legend = r.configLegend(false, true, func(f *Figures) bool { return f.Samples != nil && len(f.Samples.Start) > 0 })
	p.Table.Titles = []string{"Load", "From (s)", "To (s)", "Batches", "P50 (ms)", "Max (ms)"}
	var said []string
	for i := range list {
		c := &list[i]
		for _, slice := range c.slices() {
			p.Table.Rows = append(p.Table.Rows, append([]string{c.name}, slice...))
		}
		if len(list) <= 4 || i == 0 || i == len(list)-1 {
			said = append(said, c.finding())
		}
	}
	p.Finding = strings.Join(said, " ")
	p.Draw = func(c *plot.Canvas) {
		height := min(250, max(70, 330/float64(len(list))))
		axes := make([]plot.Axis, len(list))
		room, last := 0.0, 0.0
		for i := range list {
			axes[i] = plot.Linear("latency of a batch, ms", 0, list[i].Max)
			room = max(room, plot.RoomOf(axes[i], height))
			last = max(last, list[i].at[len(list[i].at)-1].X)
		}
		for i := range list {
			g := plot.Ground{Height: height, Left: room, NoX: i < len(list)-1}
			if len(list) > 1 {
				g.Heading = list[i].name + ", ms"
			}
			panel := c.Panel(plot.Exact("start of the batch, s since the run's", 0, last*1.02), axes[i], g)
			list[i].draw(panel, plot.MostDots/len(list))
		}
	}
	return p
}

// slow are the batches that one looks for: at most three, and none that is not far out.
func (c *course) slow() []plot.Point {
	sorted := slices.Clone(c.at)
	slices.SortStableFunc(sorted, func(a, b plot.Point) int {
		switch {
		case a.Y > b.Y:
			return -1
		case a.Y < b.Y:
			return 1
		}
		return 0
	})
	var list []plot.Point
	for _, at := range sorted[:min(3, len(sorted))] {
		if at.Y > 1.5*c.P50 {
			list = append(list, at)
		}
	}
	return list
}

func (c *course) draw(panel *plot.Panel, most int) {
	panel.Across(c.P50, "")
	panel.Dots(c.at, c.style, most, fmt.Sprintf("%s: %d batches; the line is at P50, %s ms", c.name, len(c.at), figure.Fixed(&c.P50, 2)))
	for _, at := range c.slow() {
		panel.Marker(at, c.style, fmt.Sprintf("%s: the batch that started at %s s took %s ms", c.name, figure.Fixed(&at.X, 2), figure.Fixed(&at.Y, 1)))
	}
}

// quarters are the medians of the first and the last quarter of the batches; false: there are
// too few to tell.
func (c *course) quarters() (first, last float64, ok bool) {
	n := len(c.at) / 4
	if n < 5 {
		return 0, 0, false
	}
	of := func(part []plot.Point) float64 {
		var ms []float64
		for _, at := range part {
			ms = append(ms, at.Y)
		}
		return stats.Percentile(slices.Sorted(slices.Values(ms)), 50)
	}
	return of(c.at[:n]), of(c.at[len(c.at)-n:]), true
}

// stalled is a latency over the median that a batch reaches which something held up.
const stalled = 2

func (c *course) finding() string {
	text := c.name + ": "
	if first, last, ok := c.quarters(); ok {
		text += fmt.Sprintf("the last quarter's median is %+.1f %% from the first's", 100*(last/first-1))
	} else {
		text += "too few batches to tell a drift"
	}
	over := 0
	for _, at := range c.at {
		if at.Y > stalled*c.P50 {
			over++
		}
	}
	if over == 0 {
		return text + ", and none took twice the median."
	}
	worst := slices.MaxFunc(c.at, func(a, b plot.Point) int {
		if a.Y < b.Y {
			return -1
		}
		return 1
	})
	return text + fmt.Sprintf(", and %d of %d took more than twice the median, the slowest %s ms at %s s.", over, len(c.at), figure.Fixed(&worst.Y, 1), figure.Fixed(&worst.X, 1))
}

// slices are the batches by the tenth of the time that they started in.
func (c *course) slices() (rows [][]string) {
	end := c.at[len(c.at)-1].X
	const parts = 10
	for i := range parts {
		from, to := end*float64(i)/parts, end*float64(i+1)/parts
		var ms []float64
		for _, at := range c.at {
			if at.X >= from && (at.X < to || i == parts-1) {
				ms = append(ms, at.Y)
			}
		}
		if s := stats.Summarize(ms); s != nil {
			rows = append(rows, []string{figure.Fixed(&from, 1), figure.Fixed(&to, 1), strconv.Itoa(s.N), figure.Fixed(&s.P50, 2), figure.Fixed(&s.Max, 2)})
		}
	}
	return rows
}
