package report

import (
	"fmt"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// MixTitle is the section's. Package compare skips it.
const MixTitle = "Small Calls Beside Bulk"

// write writes the section; none without a mix.
func (f *MixFigures) write(p *markdown.Page) {
	if f == nil {
		return
	}
	p.Para("## %s", MixTitle)
	ground := ""
	if f.Background {
		ground = ", in the background"
	}
	p.Para("**Bulk:** calls of %d pairs, callers: %d%s", f.BulkPairs, f.BulkCallers, ground)
	p.Para("**Small calls:** one pair each, %s arriving in a second; rounds: %d", figure.Fixed(f.Rate, 2), f.Rounds)

	p.Para("### Small Calls (ms)")
	p.Table(append([]string{"Load"}, tailTitles...), [][]string{
		tailRow("alone", f.Alone),
		tailRow("beside the bulk, the same arrivals", f.Beside),
		ratioRow("beside the bulk over alone", f.BesideRatio),
		tailRow("one caller in a closed loop, alone", f.ClosedAlone),
		tailRow("one caller in a closed loop, beside the bulk", f.Closed),
		ratioRow("closed loop beside the bulk over alone", f.ClosedRatio),
	})
	for _, s := range []struct {
		name    string
		summary *stats.Summary
	}{{" alone", f.Alone}, {" beside the bulk", f.Beside}, {" of the closed loop alone", f.ClosedAlone}, {" of the closed loop beside the bulk", f.Closed}} {
		writeTailMark(p, s.summary, s.name, "calls")
	}
	p.Para("_Arrivals are a Poisson process, and latency counts from the intended start; each call has a goroutine of its own. In the closed loop a caller makes the next call when the last is scored. Calls that arrive at an idle machine find cold caches and cores asleep, which those beside the bulk and those of a closed loop do not: a ratio below 1 is of that._")
	if f.Late != nil {
		p.Para("_Calls were made late by %s ms at P50 and %s ms at P99, which is part of their latency._", figure.Fixed(&f.Late.P50, 3), figure.Fixed(&f.Late.P99, 3))
	}

	p.Para("### Where a Small Call's Time Goes (ms)")
	p.Table([]string{"Load", "Late", "Queue Wait", "Tokenization", "Inference", "Unaccounted"}, [][]string{
		f.AloneStages.row("alone"), f.BesideStages.row("beside the bulk"), f.ClosedAloneStages.row("closed loop alone"), f.ClosedStages.row("closed loop beside the bulk"),
	})
	p.Para("_Averages, which sum up to that of the latency. Late is until the bench made the call, inference from the pass's beginning to its end._")

	p.Para("### Bulk (pairs/s)")
	rows := [][]string{f.BulkAlone.row("alone"), f.BulkBeside.row("beside small calls as they arrive")}
	rows = append(rows, []string{"over alone", "", overRates(f.BulkBeside, f.BulkAlone), "", "", figure.Fixed(f.BulkBesideRatio, 3)})
	rows = append(rows, f.BulkClosed.row("beside one small caller in a closed loop"))
	rows = append(rows, []string{"over alone", "", overRates(f.BulkClosed, f.BulkAlone), "", "", figure.Fixed(f.BulkClosedRatio, 3)})
	p.Table([]string{"Load", "Seconds", "Bulk", "Small", "Together", "Bulk (tokens/s)"}, rows)
	p.Para("_What the bulk computed is counted by the passes that ended. Its text is not the same in each load, so that tokens/s compare better than pairs/s._")

	if len(f.ByRound) > 0 {
		p.Para("### Rounds")
		rows = nil
		row := func(name string, r *MixRound) []string {
			return []string{name, figure.Fixed(r.Alone, 2), figure.Fixed(r.Beside, 2), figure.Fixed(r.Ratio, 2), figure.Fixed(r.BulkAlone, 0), figure.Fixed(r.BulkBeside, 0), figure.Fixed(r.BulkRatio, 3)}
		}
		for i := range f.ByRound {
			rows = append(rows, row(strconv.Itoa(i+1), &f.ByRound[i]))
		}
		if f.Median != nil { // a report that somebody changed may have none
			rows = append(rows, row("median", f.Median))
		}
		p.Table([]string{"Round", "Small P50 Alone (ms)", "Beside (ms)", "Ratio", "Bulk Alone (tokens/s)", "Beside (tokens/s)", "Ratio"}, rows)
	}
}

func (s *MixStages) row(load string) []string {
	if s == nil {
		return []string{load, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured}
	}
	return []string{load, figure.Fixed(&s.Late, 3), figure.Fixed(&s.Queue, 3), figure.Fixed(&s.Tokenize, 3), figure.Fixed(&s.Infer, 3), figure.Fixed(&s.Unaccounted, 3)}
}

func (r *MixRates) row(load string) []string {
	if r == nil {
		return []string{load, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured, figure.NotMeasured}
	}
	return []string{load, figure.Fixed(&r.Seconds, 2), figure.Fixed(&r.Bulk, 1), figure.Fixed(&r.Small, 1), figure.Fixed(&r.Total, 1), figure.Fixed(&r.Tokens, 0)}
}

func overRates(a, b *MixRates) string {
	if a == nil || b == nil {
		return figure.NotMeasured
	}
	return figure.Fixed(quotient(a.Bulk, b.Bulk), 3)
}

// noneApart is where there are no configurations because a scenario took their place.
func (r *Report) noneApart() string {
	title := ""
	switch {
	case len(r.Configs) > 0:
	case r.Mix != nil:
		title = MixTitle
	case r.Overload != nil:
		title = OverloadTitle
	case r.Load != nil:
		title = LoadTitle
	case r.Ablation != nil:
		title = AblationTitle
	}
	if title == "" {
		return ""
	}
	return fmt.Sprintf("_No configuration: see %q below._", title)
}
