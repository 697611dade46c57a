package report

import (
	"cmp"
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
		if f.Samples == nil || len(f.Samples.Start) == 0 || f.Latency == nil || len(f.Samples.Start) != len(f.Samples.Latency) {
			continue
		}
		c := course{style: plot.Style(i), name: f.Config.String(), Summary: *f.Latency}
		for j, start := range f.Samples.Start {
			c.at = append(c.at, plot.Point{X: start / 1000, Y: f.Samples.Latency[j]})
		}
		slices.SortStableFunc(c.at, func(a, b plot.Point) int { return cmp.Compare(a.X, b.X) })
		list = append(list, c)
	}
	return list
}

func (r *Report) timePlot() plot.Plot {
	p := plot.Plot{ID: timeID, Title: "Latency over time", Question: "Does it drift, stall, or jump between two speeds? Every batch (ms) by when it started (s)."}
	list := r.courses()
	if len(list) == 0 {
		p.Missing = cmp.Or(r.withheldPlot(), "the report does not tell when each batch started (a recording does).")
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
		said = append(said, c.finding())
	}
	p.Finding = strings.Join(said, " ")
	if len(list) > 2 {
		p.Finding = timeFinding(list)
	}
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
	slices.SortStableFunc(sorted, func(a, b plot.Point) int { return cmp.Compare(b.Y, a.Y) })
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
	panel.Dots(c.at, c.style, most, fmt.Sprintf("%s: %s; the line is at P50, %s ms", c.name, figure.Count(len(c.at), "batch"), figure.Fixed(&c.P50, 2)))
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

// timeFinding says of several configurations together what finding says of one.
func timeFinding(list []course) string {
	text := "All have too few batches to tell a drift"
	drift := func(c *course) float64 {
		first, last, _ := c.quarters()
		return 100 * (last/first - 1)
	}
	told := slices.DeleteFunc(slices.Clone(list), func(c course) bool { _, _, ok := c.quarters(); return !ok })
	if len(told) > 0 {
		down, up := extremes(told, drift)
		text = fmt.Sprintf("From its first quarter to its last the median went by %+.1f %% (%s) to %+.1f %% (%s)", drift(down), down.name, drift(up), up.name)
		if n := len(list) - len(told); n > 0 {
			text += fmt.Sprintf(", where there are batches enough to tell (not in %d)", n)
		}
	}
	over, all := 0, 0
	for i := range list {
		over, all = over+list[i].stalls(), all+len(list[i].at)
	}
	if over == 0 {
		return text + fmt.Sprintf("; none of %d batches took twice the median of its like.", all)
	}
	_, far := extremes(list, func(c *course) float64 { return c.Max / c.P50 })
	worst := far.worst()
	return text + fmt.Sprintf("; %d of %d batches took more than twice the median of their like, the farthest %s ms at %s s (%s).", over, all, figure.Fixed(&worst.Y, 1), figure.Fixed(&worst.X, 1), far.name)
}

// stalls counts the batches that something held up.
func (c *course) stalls() (n int) {
	for _, at := range c.at {
		if at.Y > stalled*c.P50 {
			n++
		}
	}
	return n
}

// worst is the slowest batch.
func (c *course) worst() plot.Point {
	return slices.MaxFunc(c.at, func(a, b plot.Point) int { return cmp.Compare(a.Y, b.Y) })
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
	over := c.stalls()
	if over == 0 {
		return text + ", and none took twice the median."
	}
	worst := c.worst()
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
