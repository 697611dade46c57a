package report

import (
	"fmt"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

const lengthsID = "plot-lengths"

func (r *Report) lengthsPlot() plot.Plot {
	p := plot.Plot{ID: lengthsID, Title: "Lengths", Question: "What text was scored? Pairs by their length in tokens."}
	d := r.Dataset
	if d == nil || len(d.Histogram) == 0 {
		p.Missing = "the report does not tell the lengths of its text."
		return p
	}
	most, last := d.Histogram[0], 0
	p.Table.Titles = []string{"Tokens", "Pairs", "Share (%)"}
	for _, b := range d.Histogram {
		if b.Pairs > most.Pairs {
			most = b
		}
		last = max(last, b.Min+b.Width)
		p.Table.Rows = append(p.Table.Rows, []string{fmt.Sprintf("%d-%d", b.Min, b.Min+b.Width-1), strconv.Itoa(b.Pairs), figure.Fixed(shareOf(b.Pairs, d.Pairs), 1)})
	}
	p.Finding = fmt.Sprintf("%d pairs of %d tokens", d.Pairs, d.Tokens)
	if mean := quotient(float64(d.Tokens), float64(d.Pairs)); mean != nil {
		p.Finding += ", " + figure.Fixed(mean, 1) + " each on average"
	}
	p.Finding += fmt.Sprintf("; most, %d, have %d to %d.", most.Pairs, most.Min, most.Min+most.Width-1)
	p.Draw = func(c *plot.Canvas) {
		panel := c.Panel(plot.Exact("tokens of a pair", 0, float64(last)), plot.Linear("pairs", 0, float64(most.Pairs)), plot.Ground{Height: 200})
		for _, b := range d.Histogram {
			gap := float64(0.04 * float64(b.Width))
			panel.Bar(plot.Point{X: float64(b.Min) + gap}, plot.Point{X: float64(b.Min+b.Width) - gap, Y: float64(b.Pairs)}, 0, fmt.Sprintf("%d to %d tokens: %d pairs", b.Min, b.Min+b.Width-1, b.Pairs))
		}
	}
	return p
}
