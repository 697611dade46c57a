package report

import (
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

const machineID = "plot-machine"

// gauge is one figure of the dashboard over the time of all configurations, one behind the
// other.
type gauge struct {
	heading string
	value   func(*DashboardRow) *float64
	runs    [][]plot.Point
	Spread
}

// gauges are those that were read at all; starts are where each configuration begins, and
// the last is where all end.
func (r *Report) gauges() (list []gauge, starts []float64) {
	list = []gauge{
		{heading: "throughput of the last second, pairs/s", value: func(d *DashboardRow) *float64 { return d.Throughput }},
		{heading: "CPU, % of all cores", value: func(d *DashboardRow) *float64 { return d.CPU }},
		{heading: "memory of the process, MB", value: func(d *DashboardRow) *float64 { return d.Memory }},
		{heading: "GPU, %", value: func(d *DashboardRow) *float64 { return d.GPUBusy }},
		{heading: "memory of the GPU, MB", value: func(d *DashboardRow) *float64 { return d.GPUMemory }},
	}
	all := make([][]float64, len(list))
	begin := 0.0
	for i := range r.Configs {
		rows := r.Configs[i].Dashboard.Rows
		starts = append(starts, begin)
		for g := range list {
			var points []plot.Point
			for j := range rows {
				if v := list[g].value(&rows[j]); v != nil {
					points = append(points, plot.Point{X: begin + r.at(i, j), Y: *v})
					all[g] = append(all[g], *v)
				}
			}
			list[g].runs = append(list[g].runs, points)
		}
		if n := len(rows); n > 0 {
			begin += r.at(i, n-1)
		}
	}
	starts = append(starts, begin)
	var kept []gauge
	for g := range list {
		if s := spread(all[g]); s != nil {
			list[g].Spread = *s
			kept = append(kept, list[g])
		}
	}
	return kept, starts
}

// at is when a row of the dashboard was written, in s. The earlier report, which does not
// tell, wrote one each half second.
func (r *Report) at(config, row int) float64 {
	if at := r.Configs[config].Dashboard.Rows[row].At; at > 0 {
		return at
	}
	return 0.5 * float64(row+1)
}

func (r *Report) machinePlot() plot.Plot {
	p := plot.Plot{ID: machineID, Title: "The machine meanwhile", Question: "Did the machine disturb the run? What it showed each half second, the configurations one behind the other (s)."}
	list, starts := r.gauges()
	if len(list) == 0 {
		p.Missing = "no half second of the machine was recorded."
		return p
	}
	if len(r.Configs) > 1 {
		p.Legend = r.configLegend(true, false, func(f *Figures) bool { return len(f.Dashboard.Rows) > 0 })
	}
	p.Table.Titles = []string{"Figure", "Average", "Min", "Max", "P50", "P95"}
	var said []string
	for i := range list {
		g := &list[i]
		p.Table.Rows = append(p.Table.Rows, []string{g.heading, figure.Fixed(&g.Mean, 1), figure.Fixed(&g.Min, 1), figure.Fixed(&g.Max, 1), figure.Fixed(&g.P50, 1), figure.Fixed(&g.P95, 1)})
		name, unit, _ := strings.Cut(g.heading, ", ")
		said = append(said, fmt.Sprintf("%s from %s to %s (%s)", name, figure.Fixed(&g.Min, 0), figure.Fixed(&g.Max, 0), unit))
	}
	p.Finding = upperFirst(strings.Join(said, "; ")) + "."
	p.Draw = func(c *plot.Canvas) {
		height := max(56, 250/float64(len(list)))
		axes := make([]plot.Axis, len(list))
		room := 0.0
		for i := range list {
			lo := 0.0
			if i > 0 && list[i].Min > 0.5*list[i].Max && list[i].Max > 120 { // memory moves far above 0
				lo = list[i].Min
			}
			axes[i] = plot.Linear("", lo, list[i].Max)
			room = max(room, plot.RoomOf(axes[i], height))
		}
		most := 0
		for _, f := range r.Configs {
			most += len(f.Dashboard.Rows)
		}
		for i := range list {
			panel := c.Panel(plot.Exact("s, without warm-up", 0, starts[len(starts)-1]), axes[i], plot.Ground{Height: height, Left: room, NoX: i < len(list)-1, Heading: list[i].heading})
			for run, points := range list[i].runs {
				if run > 0 {
					panel.Upright(starts[run], "")
				}
				title := fmt.Sprintf("%s, %s", r.Configs[run].Config, list[i].heading)
				panel.Line(points, plot.Style(run), false, title)
				if most < 30 { // or the marks would hide the line
					panel.Dots(points, plot.Style(run), plot.MostDots, title)
				}
			}
		}
	}
	return p
}
