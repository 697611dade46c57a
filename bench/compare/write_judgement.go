package compare

import (
	"fmt"
	"io"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
)

// Side is one line or more about what A and B are, for people.
type Side struct{ What, A, B string }

// WriteText writes the judgement as markdown: the verdict, what the sides are, one row for
// each measure, and the ratio of each round.
func (j *Judgement) WriteText(w io.Writer, title string, sides []Side) error {
	p := markdown.NewPage(w)
	p.Para("# %s", title)
	p.Para("**Verdict:** %s", j.Summary())
	var rows [][]string
	for _, s := range sides {
		rows = append(rows, []string{s.What, figure.OrNone(s.A), figure.OrNone(s.B)})
	}
	rows = append(rows, []string{"Runs", strconv.Itoa(j.RunsA), strconv.Itoa(j.RunsB)})
	p.Block()
	p.Table([]string{"", "A", "B"}, rows)
	for _, fault := range j.Faults {
		p.Para("**Not comparable:** %s", fault)
	}
	for _, warning := range j.Warnings {
		p.Para("**Differs:** %s", warning)
	}
	for _, why := range j.Ungated {
		p.Para("**Not gated:** %s", why)
	}
	j.writeRows(p)
	j.writeRatios(p)
	return p.Flush()
}

func (j *Judgement) writeRows(p *markdown.Page) {
	if len(j.Rows) == 0 {
		return
	}
	var rows [][]string
	for i := range j.Rows {
		r := &j.Rows[i]
		gate := "no"
		if r.Gated {
			gate = "yes"
		}
		rows = append(rows, []string{r.Title, readable(&r.A), readable(&r.B), Change(r.Ratio), r.Interval(), r.p(), r.spread(),
			fmt.Sprintf("%.3g %%", 100*r.Threshold), gate, r.String()})
	}
	p.Block()
	p.AlignedTable([]string{"Metric", "A", "B", "B/A - 1", "95 % interval (%)", "p", "A/A", "Threshold", "Gate", "B is"}, rows)
	how := "A and B are medians over rounds, B/A - 1 is the median over rounds of each round's, its interval a bootstrap over them, and p the sign-flip test's. A/A is how far the interval of as many rounds without a difference would reach, by what each side was against its own run of the round before."
	if !j.Paired {
		how = "A and B are medians over runs, B/A - 1 is the ratio of them, its interval a bootstrap over runs, and p Mann and Whitney's. What A is against itself is not known of runs that were not made in turns."
	}
	p.Para("_%s Faster or slower: the whole interval is beyond the threshold, and p below %v, of gates after Holm's adjustment. The same: the whole interval is within it, or within the gate's own threshold (25 %% where nobody named one) if that is less._", how, significance)
}

// p returns the row's p, adjusted if the row is gated.
func (r *Row) p() string {
	if r.Few != "" {
		return figure.NotMeasured
	}
	text := figure.Fixed(&r.Adjusted, 3)
	if r.Adjusted < 0.001 {
		text = "<0.001"
	}
	if !r.Exact {
		text += " (sampled)"
	}
	return text
}

// spread returns how much the sides differ from themselves.
func (r *Row) spread() string {
	if r.Spread == nil {
		return figure.NotMeasured
	}
	return fmt.Sprintf("%.1f %%", 100*(*r.Spread))
}

// writeRatios writes B/A of each round.
func (j *Judgement) writeRatios(p *markdown.Page) {
	if !j.Paired || len(j.Rows) == 0 {
		return
	}
	titles := []string{"Round"}
	for i := range j.Rows {
		titles = append(titles, j.Rows[i].Title)
	}
	p.Para("## B/A of each round")
	var rows [][]string
	for round := range j.RunsB {
		row := []string{strconv.Itoa(round + 1)}
		for i := range j.Rows {
			row = append(row, figure.Fixed(&j.Rows[i].Ratios[round], 3))
		}
		rows = append(rows, row)
	}
	p.Block()
	p.AlignedTable(titles, rows)
}
