package report

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
)

// Ratio is a figure of B over that of A, with an interval; one without has Low and High nil.
type Ratio struct {
	Name      string
	Ratio     float64
	Low, High *float64
	Same      float64 // the threshold within which the sides are the same; 0: none
}

// band is the ratios within a threshold, which on the logarithmic scale is as far in one
// direction as in the other.
func band(threshold float64) (low, high float64) { return 1 / (1 + threshold), 1 + threshold }

// Rounds is the ratios of rounds that were run in turns, and of all of them together.
type Rounds struct {
	Metric string // what the ratio is of, with its direction: "throughput, higher is better"
	Rounds []Ratio
	All    *Ratio  // the estimate over the rounds; nil: none was made
	Same   float64 // the threshold within which the sides are the same; 0: none
}

const roundsID = "plot-rounds"

// roundsPlot has the rounds of a mix, which are no A and B but the bulk alone and beside.
func (r *Report) roundsPlot() plot.Plot {
	rounds := Rounds{Metric: "the bulk's tokens/s beside small calls over alone"}
	if m := r.Mix; m != nil {
		for i, round := range m.ByRound {
			if round.BulkRatio != nil {
				rounds.Rounds = append(rounds.Rounds, Ratio{Name: strconv.Itoa(i + 1), Ratio: *round.BulkRatio})
			}
		}
		if m.Median != nil && m.Median.BulkRatio != nil {
			rounds.All = &Ratio{Name: "median", Ratio: *m.Median.BulkRatio}
		}
	}
	p := rounds.Plot("")
	if len(rounds.Rounds) == 0 {
		p.Missing = cmp.Or(r.withheldPlot(), "it takes rounds in turns: \"bench ab\" runs them, and so does --mix.")
	}
	return p
}

// Plot draws the rounds; row is the id of the metric's row in the page, "" is none.
func (r *Rounds) Plot(row string) plot.Plot {
	p := plot.Plot{ID: roundsID, Title: "Rounds", Question: "Do the rounds agree? " + upperFirst(r.Metric) + ", round by round; at 1 there is no difference."}
	if len(r.Rounds) == 0 {
		p.Missing = "there are no rounds."
		return p
	}
	p.Legend = []plot.Entry{{Style: 0, Name: "one round", Row: row, Mark: true}}
	lo, hi := band(r.Same)
	widen := func(q Ratio) {
		lo, hi = min(lo, q.Ratio), max(hi, q.Ratio)
		if q.Low != nil {
			lo = min(lo, *q.Low)
		}
		if q.High != nil {
			hi = max(hi, *q.High)
		}
	}
	below := 0
	p.Table.Titles = []string{"Round", "Ratio", "Low", "High"}
	line := func(q Ratio) {
		p.Table.Rows = append(p.Table.Rows, []string{q.Name, figure.Fixed(&q.Ratio, 4), figure.Fixed(q.Low, 4), figure.Fixed(q.High, 4)})
	}
	for _, q := range r.Rounds {
		widen(q)
		line(q)
		if q.Ratio < 1 {
			below++
		}
	}
	p.Finding = fmt.Sprintf("%d of %s %s below 1.", below, figure.Count(len(r.Rounds), "round"), areOf(len(r.Rounds)))
	if q := r.All; q != nil {
		widen(*q)
		line(*q)
		p.Legend = append(p.Legend, plot.Entry{Style: 1, Name: q.Name, Row: row, Line: true, Mark: true})
		p.Finding += " " + upperFirst(q.Name) + " " + figure.Fixed(&q.Ratio, 3) + q.interval() + "."
	}
	if r.Same > 0 {
		p.Finding += fmt.Sprintf(" Within the shaded band, up to a factor of %s, the sides are the same.", figure.Fixed(new(1+r.Same), 3))
	}
	p.Draw = func(c *plot.Canvas) {
		n := len(r.Rounds)
		panel := c.Panel(plot.Whole("round", 0.4, float64(n)+0.6), plot.Linear("ratio", min(lo, 1/hi), max(hi, 1/lo)), plot.Ground{Height: 250})
		if r.Same > 0 {
			low, high := band(r.Same)
			panel.Band(low, high, "the same")
		}
		panel.Rule(plot.Point{X: 0.4, Y: 1}, plot.Point{X: float64(n) + 0.6, Y: 1}, "no difference")
		if q := r.All; q != nil {
			ends := []plot.Point{{X: 0.4, Y: q.Ratio}, {X: float64(n) + 0.6, Y: q.Ratio}}
			panel.Line(ends, 1, false, q.Name+" "+figure.Fixed(&q.Ratio, 3)+q.interval())
			for _, end := range []*float64{q.Low, q.High} {
				if end != nil {
					panel.Line([]plot.Point{{X: 0.4, Y: *end}, {X: float64(n) + 0.6, Y: *end}}, 1, true, "end of its interval, "+figure.Fixed(end, 3))
				}
			}
		}
		for i, q := range r.Rounds {
			at := plot.Point{X: float64(i + 1), Y: q.Ratio}
			title := "round " + q.Name + ": " + figure.Fixed(&q.Ratio, 4) + q.interval()
			if q.Low != nil && q.High != nil {
				panel.Beam(plot.Point{X: at.X, Y: *q.Low}, plot.Point{X: at.X, Y: *q.High}, 0, title)
			}
			panel.Marker(at, 0, title)
		}
	}
	return p
}

func (q *Ratio) interval() string {
	if q.Low == nil || q.High == nil {
		return ""
	}
	return " (95 % interval " + figure.Fixed(q.Low, 3) + " to " + figure.Fixed(q.High, 3) + ")"
}

// PlotRatios draws ratios beneath each other, with their intervals, their thresholds and the
// line of no difference.
func PlotRatios(id, title, question string, list []Ratio) plot.Plot {
	p := plot.Plot{ID: id, Title: title, Question: question}
	if len(list) == 0 {
		p.Missing = "there is no figure that both sides have."
		return p
	}
	lo, hi := 1.0, 1.0
	var names []string
	p.Table.Titles = []string{"Figure", "Ratio", "Low", "High", "The same up to"}
	thresholds := false
	far := list[0]
	for _, q := range list {
		names = append(names, q.Name)
		low, high := band(q.Same)
		lo, hi = min(lo, q.Ratio, low), max(hi, q.Ratio, high)
		same := figure.NotMeasured
		if q.Same > 0 {
			thresholds, same = true, figure.Fixed(&high, 3)
		}
		if q.Low != nil && q.High != nil {
			lo, hi = min(lo, *q.Low), max(hi, *q.High)
		}
		if math.Abs(math.Log(q.Ratio)) > math.Abs(math.Log(far.Ratio)) {
			far = q
		}
		p.Table.Rows = append(p.Table.Rows, []string{q.Name, figure.Fixed(&q.Ratio, 4), figure.Fixed(q.Low, 4), figure.Fixed(q.High, 4), same})
	}
	p.Finding = fmt.Sprintf("Farthest from 1 is %s: %s%s.", far.Name, figure.Fixed(&far.Ratio, 3), far.interval())
	if thresholds {
		p.Finding += " Each is called the same where its whole interval is on its shade, and different where none of it is."
	}
	lo, hi = min(lo, 1/hi), max(hi, 1/lo)
	p.Draw = func(c *plot.Canvas) {
		x := plot.Log("B over A, logarithmic", lo, hi)
		panel := c.Panel(x, plot.Rows(names), plot.Ground{Height: 34 * float64(len(names)), Heading: "B over A"})
		for i, q := range list {
			if low, high := band(q.Same); q.Same > 0 {
				panel.Shade(plot.Point{X: low, Y: float64(i) - 0.5}, plot.Point{X: high, Y: float64(i) + 0.5}, q.Name+": the same up to "+figure.Fixed(&high, 3))
			}
		}
		panel.Upright(1, "")
		for i, q := range list {
			at := plot.Point{X: q.Ratio, Y: float64(i)}
			title := q.Name + ": " + figure.Fixed(&q.Ratio, 4) + q.interval()
			if q.Low != nil && q.High != nil {
				panel.Beam(plot.Point{X: *q.Low, Y: at.Y}, plot.Point{X: *q.High, Y: at.Y}, 0, title)
			}
			panel.Marker(at, 0, title)
		}
	}
	return p
}
