package bench

import (
	"fmt"
	"strconv"
)

// MixFigures is what small calls wait beside the bulk, and what the bulk loses to them.
// Latencies are of all rounds together.
type MixFigures struct {
	BulkCallers int      `json:"bulk_callers"`
	BulkPairs   int      `json:"bulk_pairs"` // in each of their calls
	Background  bool     `json:"background"`
	Rate        *float64 `json:"small_calls_per_second"` // that arrive
	Rounds      int      `json:"rounds"`

	Alone       *Summary `json:"small_alone_ms"`
	Beside      *Summary `json:"small_beside_bulk_ms"` // the same arrivals
	Closed      *Summary `json:"small_closed_loop_ms"` // one caller beside the bulk
	BesideRatio *Ratios  `json:"small_beside_bulk_over_alone"`
	ClosedRatio *Ratios  `json:"small_closed_loop_over_alone"`
	Late        *Summary `json:"small_late_ms"` // of the arrivals: how late the bench made the calls

	BulkAlone       *MixRates  `json:"bulk_alone"`
	BulkBeside      *MixRates  `json:"bulk_beside_small"`
	BulkClosed      *MixRates  `json:"bulk_beside_closed_loop"`
	BulkBesideRatio *float64   `json:"bulk_beside_small_over_alone"` // of tokens/s
	BulkClosedRatio *float64   `json:"bulk_beside_closed_loop_over_alone"`
	ByRound         []MixRound `json:"by_round"`
	Median          *MixRound  `json:"median_of_rounds"` // of each column of ByRound
}

// MixRates is what was computed in a second of a load.
type MixRates struct {
	Seconds float64 `json:"seconds"`
	Bulk    float64 `json:"bulk_pairs_per_second"`
	Small   float64 `json:"small_pairs_per_second"`
	Total   float64 `json:"pairs_per_second"`
	Tokens  float64 `json:"bulk_tokens_per_second"`
}

// MixRound is what tells whether the rounds agree.
type MixRound struct {
	Alone      *float64 `json:"small_alone_p50_ms"`
	Beside     *float64 `json:"small_beside_bulk_p50_ms"`
	Ratio      *float64 `json:"small_beside_bulk_over_alone"`
	BulkAlone  *float64 `json:"bulk_alone_tokens_per_second"`
	BulkBeside *float64 `json:"bulk_beside_small_tokens_per_second"`
	BulkRatio  *float64 `json:"bulk_beside_small_over_alone"`
}

// columns are the figures of the round, in the order of the table.
func (r *MixRound) columns() []**float64 {
	return []**float64{&r.Alone, &r.Beside, &r.Ratio, &r.BulkAlone, &r.BulkBeside, &r.BulkRatio}
}

// everyRound stands for all rounds together.
const everyRound = -1

// figures derives the figures of a mix; nil: there is none. Unless speed is true, only what
// was asked for is told.
func (m *Mix) figures(speed bool) *MixFigures {
	if m == nil {
		return nil
	}
	f := &MixFigures{BulkCallers: m.BulkCallers, BulkPairs: m.BulkPairs, Background: m.Background}
	for _, p := range m.Phases {
		f.Rounds = max(f.Rounds, p.Round+1)
	}
	if !speed {
		return f
	}
	f.Rate = &m.Rate
	f.Alone, f.Beside, f.Closed = m.latency(LoadSmall, everyRound), m.latency(LoadBoth, everyRound), m.latency(LoadClosed, everyRound)
	f.BesideRatio, f.ClosedRatio = ratios(f.Beside, f.Alone), ratios(f.Closed, f.Alone)
	f.BulkAlone, f.BulkBeside, f.BulkClosed = m.rates(LoadBulk, everyRound), m.rates(LoadBoth, everyRound), m.rates(LoadClosed, everyRound)
	f.BulkBesideRatio, f.BulkClosedRatio = ratio(f.BulkBeside.tokens(), f.BulkAlone.tokens()), ratio(f.BulkClosed.tokens(), f.BulkAlone.tokens())
	var late []float64
	for _, p := range m.Phases {
		if p.Load == LoadSmall || p.Load == LoadBoth {
			late = append(late, lateness(p.Small)...)
		}
	}
	f.Late = Summarize(late)
	for r := range f.Rounds {
		round := MixRound{Alone: m.latency(LoadSmall, r).median(), Beside: m.latency(LoadBoth, r).median(),
			BulkAlone: m.rates(LoadBulk, r).tokens(), BulkBeside: m.rates(LoadBoth, r).tokens()}
		round.Ratio, round.BulkRatio = ratio(round.Beside, round.Alone), ratio(round.BulkBeside, round.BulkAlone)
		f.ByRound = append(f.ByRound, round)
	}
	f.Median = medianRound(f.ByRound)
	return f
}

// medianRound is the median of each column, of the rounds that have it; nil: no round.
func medianRound(rounds []MixRound) *MixRound {
	if len(rounds) == 0 {
		return nil
	}
	m := new(MixRound)
	for i, to := range m.columns() {
		var values []float64
		for j := range rounds {
			if v := *rounds[j].columns()[i]; v != nil {
				values = append(values, *v)
			}
		}
		*to = Summarize(values).median()
	}
	return m
}

// latency sums up the small calls of a load in ms, in one round or in all.
func (m *Mix) latency(load string, round int) *Summary {
	var ms []float64
	for _, p := range m.Phases {
		if p.Load == load && (round == everyRound || p.Round == round) {
			ms = append(ms, latencies(p.Small)...)
		}
	}
	return Summarize(ms)
}

// rates is what was computed in a load, in one round or in all; nil: there was none.
func (m *Mix) rates(load string, round int) *MixRates {
	var seconds float64
	var bulk, small amount
	for _, p := range m.Phases {
		if p.Load == load && (round == everyRound || p.Round == round) {
			seconds += p.Length.Seconds()
			bulk.pairs += p.BulkPairs
			bulk.tokens += p.BulkTokens
			small.pairs += int64(len(p.Small))
		}
	}
	if seconds == 0 {
		return nil
	}
	return &MixRates{seconds, float64(bulk.pairs) / seconds, float64(small.pairs) / seconds,
		float64(bulk.pairs+small.pairs) / seconds, float64(bulk.tokens) / seconds}
}

func (r *MixRates) tokens() *float64 {
	if r == nil {
		return nil
	}
	return &r.Tokens
}

func (s *Summary) median() *float64 {
	if s == nil {
		return nil
	}
	return &s.P50
}

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
		tailRow("beside the bulk, one caller in a closed loop", f.Closed),
		ratioRow("closed loop over alone", f.ClosedRatio),
	})
	for _, s := range []struct {
		name    string
		summary *Summary
	}{{" alone", f.Alone}, {" beside the bulk", f.Beside}, {" of the closed loop", f.Closed}} {
		writeTailMark(p, s.summary, s.name, "calls")
	}
	p.para("_Arrivals are a Poisson process, and latency counts from the intended start; each call has a goroutine of its own. In the closed loop a caller makes the next call when the last is scored._")
	if f.Late != nil {
		p.para("_Calls were made late by %s ms at P50 and %s ms at P99, which is part of their latency._", fixed(&f.Late.P50, 3), fixed(&f.Late.P99, 3))
	}

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
