package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

const stageID = "plot-stages"

// step is one stage of an average batch.
type step struct {
	name string
	ms   float64
}

// steps are the stages of an average batch in their order, what is in none of them last;
// they sum up to its latency. nil: the report does not tell.
func (f *Figures) steps() (list []step) {
	if f.Path != nil {
		for _, s := range f.Path.Stages {
			list = append(list, step{strings.ToLower(s.Name), s.MS.Mean})
		}
		return list
	}
	if f.Latency == nil || f.Tokenize == nil || f.Queue == nil || f.Infer == nil {
		return nil
	}
	tokenize := f.Tokenize.Mean
	if f.Overlapped != nil {
		tokenize -= f.Overlapped.Mean
	}
	if f.Late != nil {
		list = append(list, step{"client lateness", f.Late.Mean})
	}
	list = append(list, step{"queue wait", f.Queue.Mean}, step{"tokenization", tokenize}, step{"inference", f.Infer.Mean})
	rest := f.Latency.Mean
	for _, s := range list {
		rest -= s.ms
	}
	return append(list, step{"unaccounted", rest})
}

// fall is the steps of a configuration.
type fall struct {
	style plot.Style
	name  string
	steps []step
	total float64
	of    string // what the time is of
}

// mostFalls are drawn; the table has them all.
const mostFalls = 6

func (r *Report) falls() (list []fall) {
	add := func(style int, name string, steps []step) {
		if steps == nil {
			return
		}
		total := 0.0
		for _, s := range steps {
			total += s.ms
		}
		list = append(list, fall{plot.Style(style), name, steps, total, "ms of an average batch"})
	}
	for i := range r.Configs {
		add(i, r.Configs[i].Config.String(), r.Configs[i].steps())
	}
	if m := r.Mix; m != nil {
		for i, load := range []struct {
			name string
			of   *MixStages
		}{{"small calls alone", m.AloneStages}, {"the same beside the bulk", m.BesideStages}, {"one small caller alone", m.ClosedAloneStages}, {"the same beside the bulk, closed loop", m.ClosedStages}} {
			if s := load.of; s != nil {
				add(i, load.name, []step{{"client lateness", s.Late}, {"queue wait", s.Queue}, {"tokenization", s.Tokenize}, {"inference", s.Infer}, {"unaccounted", s.Unaccounted}})
			}
		}
	}
	// A time that is not above 0 is of a report that somebody wrote by hand.
	return slices.DeleteFunc(list, func(f fall) bool { return !(f.total > 0) })
}

func (r *Report) stagePlot() plot.Plot {
	p := plot.Plot{ID: stageID, Title: "Where the time goes", Question: "Which stage of an average batch takes how long (ms), one after the other, and what is left over?"}
	if r.Ablation != nil {
		return r.ablationPlot(p)
	}
	list := r.falls()
	if len(list) == 0 {
		p.Missing = cmp.Or(r.withheldPlot(), "the report does not tell the stages of its batches.")
		return p
	}
	p.Table.Titles = []string{"Load", "Stage", "Average (ms)", "Share of latency (%)"}
	for _, f := range list {
		for _, s := range f.steps {
			p.Table.Rows = append(p.Table.Rows, []string{f.name, s.name, figure.Fixed(&s.ms, 3), figure.Fixed(figure.Scaled(&s.ms, 100/f.total), 2)})
		}
		p.Table.Rows = append(p.Table.Rows, []string{f.name, "latency", figure.Fixed(&f.total, 3), "100.00"})
	}
	p.Finding = fallFinding(list)
	if len(list) > mostFalls {
		p.Finding += fmt.Sprintf(" Drawn are the first %d of %d.", mostFalls, len(list))
		list = list[:mostFalls]
	}
	for i := range list {
		e := plot.Entry{Style: list[i].style, Name: list[i].name, Mark: true}
		if e.Row = page.ID(MixTitle); len(r.Configs) > 0 {
			e.Row = rowID(int(list[i].style))
		}
		p.Legend = append(p.Legend, e)
	}
	p.Draw = func(c *plot.Canvas) {
		for i := range list {
			list[i].draw(c, len(list))
		}
	}
	return p
}

// draw draws the steps from where the last one ended.
func (f *fall) draw(c *plot.Canvas, among int) {
	var names, texts []string
	longest := ""
	for _, s := range f.steps {
		text := fmt.Sprintf("%s ms, %.1f %%", figure.Fixed(&s.ms, 2), 100*s.ms/f.total)
		if len(text) > len(longest) {
			longest = text
		}
		names, texts = append(names, s.name), append(texts, text)
	}
	rows := plot.Rows(names)
	height := max(22*float64(len(names)), 150/float64(among))
	x := plot.Exact(f.of, 0, c.Behind(f.total, plot.RoomOf(rows, height), longest))
	panel := c.Panel(x, rows, plot.Ground{Height: height, Heading: f.name})
	from := 0.0
	for i, s := range f.steps {
		to := from + s.ms
		style := f.style
		if i == len(f.steps)-1 {
			style = plot.Plain
		}
		panel.Bar(plot.Point{X: from, Y: float64(i) - 0.36}, plot.Point{X: to, Y: float64(i) + 0.36}, style, f.name+", "+s.name+": "+texts[i])
		panel.Beside(min(from, to), max(from, to), float64(i), texts[i])
		from = to
	}
}

func fallFinding(list []fall) string {
	if len(list) > 2 {
		rest := func(f *fall) float64 { return 100 * f.steps[len(f.steps)-1].ms / f.total }
		most := func(f *fall) float64 { return 100 * f.longest().ms / f.total }
		low, high := extremes(list, most)
		_, left := extremes(list, rest)
		return fmt.Sprintf("The longest stage is %s with %.1f %% (%s) to %s with %.1f %% (%s); unaccounted for is %.2f %% at most (%s).",
			low.longest().name, most(low), low.name, high.longest().name, most(high), high.name, rest(left), left.name)
	}
	var said []string
	for _, f := range list {
		said = append(said, fmt.Sprintf("%s: %s is %.1f %% of %s ms, and %.2f %% is unaccounted for", f.name, f.longest().name, 100*f.longest().ms/f.total, figure.Fixed(&f.total, 1), 100*f.steps[len(f.steps)-1].ms/f.total))
	}
	return strings.Join(said, "; ") + "."
}

// longest is the stage that takes most.
func (f *fall) longest() step {
	return slices.MaxFunc(f.steps, func(a, b step) int { return cmp.Compare(a.ms, b.ms) })
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
