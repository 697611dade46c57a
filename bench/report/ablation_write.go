package report

import (
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/internal/page"
	"github.com/minilm-metal/minilm-metal/bench/internal/plot"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// AblationTitle is the title of the section.
const AblationTitle = "Where the Speed Came From"

// The kinds of rows.
const (
	measuredRow = "measured"
	computedRow = "computed"
)

func (f *AblationFigures) write(p *markdown.Page) {
	if f == nil {
		return
	}
	p.Para("## %s", AblationTitle)
	p.Para("The full run: %s pairs/s (%s). %d pairs in calls of %d, one call at a time; rounds in random order: %d.", figure.Fixed(&f.Full.Pairs, 1), f.Full.Said, f.Pairs, f.Batch, f.Rounds)
	p.Para("### One Idea Off at a Time")
	p.Block()
	rows := [][]string{{"nothing", "the full run", figure.Fixed(&f.Full.Pairs, 1), "1.000", "", cpu(&f.Full), "", measuredRow}}
	for _, one := range f.Ideas {
		row := []string{one.Name, one.Without, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, "cannot go alone"}
		if one.Run != nil {
			row = []string{one.Name, one.Without, figure.Fixed(&one.Run.Pairs, 1), figure.Fixed(&one.Ratio.Ratio, 3), one.Ratio.interval(3), cpu(one.Run), figure.NotMeasured, measuredRow}
			if one.CPU != nil {
				row[6] = one.CPU.words(2)
			}
		}
		rows = append(rows, row)
	}
	for _, k := range f.Kernels {
		rate := f.Full.Pairs * k.Ratio.Ratio
		rows = append(rows, []string{k.Name, k.Without, figure.Fixed(&rate, 1), figure.Fixed(&k.Ratio.Ratio, 3), k.Ratio.interval(3), figure.NotMeasured, figure.NotMeasured, computedRow})
	}
	p.Table([]string{"Off", "Instead", "Pairs/s", "Over the Full Run", "95 % Interval", "CPU (ms a Pair)", "CPU, Times the Full Run's", "How"}, rows)
	p.Para("_Ratios are medians of the rounds' ratios, with a bootstrap over rounds%s. CPU is this process's time on all cores together, which other processes hardly make longer by having theirs._", f.few())
	if f.PaddingShare > 0 && f.has("packing") {
		p.Para("_Padded, %.1f %% of the tokens are padding. They are words behind the passage, and nothing masks them: that costs what padding with masks costs, which computes the padding too, and the scores, which are of other text, are not used._", 100*f.PaddingShare)
	}
	for _, k := range f.Kernels {
		p.Para("_%s: by its own kernel, %s: without it %s times as long, on %.1f %% of the time, so %s of the full run's speed; computed, not measured in a run._",
			upperFirst(k.Name), k.Unit, k.Times.words(3), 100*k.Share, figure.Fixed(&k.Ratio.Ratio, 3))
	}
	f.writeSteps(p)
}

func (f *AblationFigures) writeSteps(p *markdown.Page) {
	if len(f.Steps) == 0 {
		return
	}
	p.Para("### From the Plain Run to the Full One")
	p.Block()
	rows := [][]string{{"none: the plain run (" + f.Plain.Said + ")", figure.Fixed(&f.Plain.Pairs, 1), "", "", figure.Fixed(&f.Plain.MSOfPair, 3), "", cpu(f.Plain)}}
	for _, s := range f.Steps {
		rows = append(rows, []string{"+ " + s.Name, figure.Fixed(&s.Run.Pairs, 1), figure.Fixed(&s.Ratio.Ratio, 3), s.Ratio.interval(3), figure.Fixed(&s.Run.MSOfPair, 3), figure.Fixed(&s.Saved, 3), cpu(&s.Run)})
	}
	p.Table([]string{"Added", "Pairs/s", "Times the Row Before", "95 % Interval", "ms a Pair", "Saved (ms a Pair)", "CPU (ms a Pair)"}, rows)
	p.Para("_Each row is measured, with all ideas of the rows above it. What is computed above is in every run, also in the plain one._")
	text := fmt.Sprintf("_The full run is %s times as fast as the plain one", f.Whole.words(2))
	if f.Product != nil {
		text += fmt.Sprintf(". What the ideas give one at a time multiplies to %s times; the rest, a factor of %s, is that they help each other (above 1) or do the same work (below 1)",
			figure.Fixed(f.Product, 2), figure.Fixed(f.Interactions, 2))
	}
	p.Para("%s._", text)
}

func (f *AblationFigures) has(id string) bool {
	for _, one := range f.Ideas {
		if one.ID == id {
			return true
		}
	}
	return false
}

// few says why there are no intervals.
func (f *AblationFigures) few() string {
	if f.Rounds >= stats.FewestForMedian {
		return ""
	}
	return fmt.Sprintf("; fewer than %d are too few for one, and there are %d", stats.FewestForMedian, f.Rounds)
}

// cpu is the processor's time of a run.
func cpu(r *AblationRun) string { return figure.Fixed(r.CPU, 2) }

// interval is that of a ratio.
func (b *Between) interval(digits int) string {
	if b.CI == nil {
		return figure.NotMeasured
	}
	return figure.Fixed(&b.CI[0], digits) + " to " + figure.Fixed(&b.CI[1], digits)
}

// words are a ratio and its interval, if it has one.
func (b *Between) words(digits int) string {
	text := figure.Fixed(&b.Ratio, digits)
	if b.CI != nil {
		text += " (" + b.interval(digits) + ")"
	}
	return text
}

// verdict is the sentence of the page's verdict.
func (f *AblationFigures) verdict() string {
	text := fmt.Sprintf("**%s pairs/s**", figure.Fixed(&f.Full.Pairs, 1))
	if f.Whole != nil {
		text += fmt.Sprintf(", %s times the plain run's %s", f.Whole.words(1), figure.Fixed(&f.Plain.Pairs, 1))
	}
	return text + "."
}

// ablationPlot is the plot of stages of a report that has none of batches, but of ideas.
func (r *Report) ablationPlot(p plot.Plot) plot.Plot {
	f := r.Ablation
	p.Title, p.Question = "What each idea saves", "How much of a pair's time (ms) does each idea save, added to those above it, and what is left?"
	steps := f.fall()
	if steps == nil {
		p.Missing = "the runs without each idea and with all are not there."
		return p
	}
	p.Table.Titles = []string{"Idea", "Saved (ms a pair)", "Share of the plain run (%)"}
	for i, s := range steps {
		name := "left in the full run"
		if i < len(f.Steps) {
			name = f.Steps[i].Name
		}
		p.Table.Rows = append(p.Table.Rows, []string{name, figure.Fixed(&s.ms, 3), figure.Fixed(figure.Scaled(&s.ms, 100/f.Plain.MSOfPair), 1)})
	}
	largest := steps[0]
	for _, s := range steps[:len(steps)-1] {
		if s.ms > largest.ms {
			largest = s
		}
	}
	p.Finding = fmt.Sprintf("Of %s ms a pair in the plain run %s are left in the full one; %s saves most, %s ms.",
		figure.Fixed(&f.Plain.MSOfPair, 2), figure.Fixed(&f.Full.MSOfPair, 2), largest.name, figure.Fixed(&largest.ms, 2))
	p.Legend = []plot.Entry{{Style: 0, Name: "from plain to full", Row: page.ID(AblationTitle), Mark: true}}
	list := fall{plot.Style(0), strings.ToLower(p.Title), steps, f.Plain.MSOfPair, "ms a pair"}
	p.Draw = func(c *plot.Canvas) { list.draw(c, 1) }
	return p
}
