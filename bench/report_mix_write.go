package bench

import (
	"fmt"
	"strconv"
)

// mixTitle is the section's. Parse skips it.
const mixTitle = "Small Calls Beside Bulk"

// write writes the section; none without a mix.
func (f *MixFigures) write(p *page) {
	if f == nil {
		return
	}
	p.para("## %s", mixTitle)
	ground := ""
	if f.Background {
		ground = ", in the background"
	}
	p.para("**Bulk:** calls of %d pairs, callers: %d%s", f.BulkPairs, f.BulkCallers, ground)
	p.para("**Small calls:** one pair each, %s arriving in a second; rounds: %d", fixed(f.Rate, 2), f.Rounds)

	p.para("### Small Calls (ms)")
	p.table(append([]string{"Load"}, tailTitles...), [][]string{
		tailRow("alone", f.Alone),
		tailRow("beside the bulk, the same arrivals", f.Beside),
		ratioRow("beside the bulk over alone", f.BesideRatio),
		tailRow("one caller in a closed loop, alone", f.ClosedAlone),
		tailRow("one caller in a closed loop, beside the bulk", f.Closed),
		ratioRow("closed loop beside the bulk over alone", f.ClosedRatio),
	})
	for _, s := range []struct {
		name    string
		summary *Summary
	}{{" alone", f.Alone}, {" beside the bulk", f.Beside}, {" of the closed loop alone", f.ClosedAlone}, {" of the closed loop beside the bulk", f.Closed}} {
		writeTailMark(p, s.summary, s.name, "calls")
	}
	p.para("_Arrivals are a Poisson process, and latency counts from the intended start; each call has a goroutine of its own. In the closed loop a caller makes the next call when the last is scored. Calls that arrive at an idle machine find cold caches and cores asleep, which those beside the bulk and those of a closed loop do not: a ratio below 1 is of that._")
	if f.Late != nil {
		p.para("_Calls were made late by %s ms at P50 and %s ms at P99, which is part of their latency._", fixed(&f.Late.P50, 3), fixed(&f.Late.P99, 3))
	}

	p.para("### Where a Small Call's Time Goes (ms)")
	p.table([]string{"Load", "Late", "Queue Wait", "Tokenization", "Inference", "Unaccounted"}, [][]string{
		f.AloneStages.row("alone"), f.BesideStages.row("beside the bulk"), f.ClosedAloneStages.row("closed loop alone"), f.ClosedStages.row("closed loop beside the bulk"),
	})
	p.para("_Averages, which sum up to that of the latency. Late is until the bench made the call, inference from the pass's beginning to its end._")

	p.para("### Bulk (pairs/s)")
	rows := [][]string{f.BulkAlone.row("alone"), f.BulkBeside.row("beside small calls as they arrive")}
	rows = append(rows, []string{"over alone", "", overRates(f.BulkBeside, f.BulkAlone), "", "", fixed(f.BulkBesideRatio, 3)})
	rows = append(rows, f.BulkClosed.row("beside one small caller in a closed loop"))
	rows = append(rows, []string{"over alone", "", overRates(f.BulkClosed, f.BulkAlone), "", "", fixed(f.BulkClosedRatio, 3)})
	p.table([]string{"Load", "Seconds", "Bulk", "Small", "Together", "Bulk (tokens/s)"}, rows)
	p.para("_What the bulk computed is counted by the passes that ended. Its text is not the same in each load, so that tokens/s compare better than pairs/s._")

	if len(f.ByRound) > 0 {
		p.para("### Rounds")
		rows = nil
		row := func(name string, r *MixRound) []string {
			return []string{name, fixed(r.Alone, 2), fixed(r.Beside, 2), fixed(r.Ratio, 2), fixed(r.BulkAlone, 0), fixed(r.BulkBeside, 0), fixed(r.BulkRatio, 3)}
		}
		for i := range f.ByRound {
			rows = append(rows, row(strconv.Itoa(i+1), &f.ByRound[i]))
		}
		rows = append(rows, row("median", f.Median))
		p.table([]string{"Round", "Small P50 Alone (ms)", "Beside (ms)", "Ratio", "Bulk Alone (tokens/s)", "Beside (tokens/s)", "Ratio"}, rows)
	}
}

func (s *MixStages) row(load string) []string {
	if s == nil {
		return []string{load, notMeasured, notMeasured, notMeasured, notMeasured, notMeasured}
	}
	return []string{load, fixed(&s.Late, 3), fixed(&s.Queue, 3), fixed(&s.Tokenize, 3), fixed(&s.Infer, 3), fixed(&s.Unaccounted, 3)}
}

func (r *MixRates) row(load string) []string {
	if r == nil {
		return []string{load, notMeasured, notMeasured, notMeasured, notMeasured, notMeasured}
	}
	return []string{load, fixed(&r.Seconds, 2), fixed(&r.Bulk, 1), fixed(&r.Small, 1), fixed(&r.Total, 1), fixed(&r.Tokens, 0)}
}

func overRates(a, b *MixRates) string {
	if a == nil || b == nil {
		return notMeasured
	}
	return fixed(quotient(a.Bulk, b.Bulk), 3)
}

// noneApart is where there are no configurations because a scenario took their place.
func (r *Report) noneApart() string {
	title := ""
	switch {
	case len(r.Configs) > 0:
	case r.Mix != nil:
		title = mixTitle
	case r.Overload != nil:
		title = overloadTitle
	}
	if title == "" {
		return ""
	}
	return fmt.Sprintf("_No configuration: see %q below._", title)
}
