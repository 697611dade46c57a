package bench

import "time"

// MixFigures is what small calls wait beside the bulk, and what the bulk loses to them.
// Latencies are of all rounds together.
type MixFigures struct {
	BulkCallers int      `json:"bulk_callers"`
	BulkPairs   int      `json:"bulk_pairs"` // in each of their calls
	Background  bool     `json:"background"`
	Rate        *float64 `json:"small_calls_per_second"` // that arrive
	Rounds      int      `json:"rounds"`

	Alone       *Summary `json:"small_alone_ms"`
	Beside      *Summary `json:"small_beside_bulk_ms"`       // the same arrivals
	ClosedAlone *Summary `json:"small_closed_loop_alone_ms"` // one caller, each call right after the last
	Closed      *Summary `json:"small_closed_loop_ms"`       // the same beside the bulk
	BesideRatio *Ratios  `json:"small_beside_bulk_over_alone"`
	ClosedRatio *Ratios  `json:"small_closed_loop_over_closed_loop_alone"`
	Late        *Summary `json:"small_late_ms"` // of the arrivals: how late the bench made the calls

	AloneStages       *MixStages `json:"small_alone_stages"`
	BesideStages      *MixStages `json:"small_beside_bulk_stages"`
	ClosedAloneStages *MixStages `json:"small_closed_loop_alone_stages"`
	ClosedStages      *MixStages `json:"small_closed_loop_stages"`

	BulkAlone       *MixRates  `json:"bulk_alone"`
	BulkBeside      *MixRates  `json:"bulk_beside_small"`
	BulkClosed      *MixRates  `json:"bulk_beside_closed_loop"`
	BulkBesideRatio *float64   `json:"bulk_beside_small_over_alone"` // of tokens/s
	BulkClosedRatio *float64   `json:"bulk_beside_closed_loop_over_alone"`
	ByRound         []MixRound `json:"by_round"`
	Median          *MixRound  `json:"median_of_rounds"` // of each column of ByRound
}

// MixStages is where the average latency of a small call goes, in ms. The fields sum up to
// it.
type MixStages struct {
	Late        float64 `json:"late_ms"`  // until the bench made the call
	Queue       float64 `json:"queue_ms"` // from then to its pass
	Tokenize    float64 `json:"tokenize_ms"`
	Infer       float64 `json:"infer_ms"`
	Unaccounted float64 `json:"unaccounted_ms"` // to the end of the call
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
	f.ClosedAlone = m.latency(LoadAlone, everyRound)
	f.BesideRatio, f.ClosedRatio = ratios(f.Beside, f.Alone), ratios(f.Closed, f.ClosedAlone)
	f.BulkAlone, f.BulkBeside, f.BulkClosed = m.rates(LoadBulk, everyRound), m.rates(LoadBoth, everyRound), m.rates(LoadClosed, everyRound)
	f.BulkBesideRatio, f.BulkClosedRatio = ratio(f.BulkBeside.tokens(), f.BulkAlone.tokens()), ratio(f.BulkClosed.tokens(), f.BulkAlone.tokens())
	f.AloneStages, f.BesideStages, f.ClosedStages = m.stages(LoadSmall), m.stages(LoadBoth), m.stages(LoadClosed)
	f.ClosedAloneStages = m.stages(LoadAlone)
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

// stages is where the small calls of a load, in all rounds, spend their time; nil: there
// were none.
func (m *Mix) stages(load string) *MixStages {
	n := 0
	var latency time.Duration
	var sum BatchSample
	for _, p := range m.Phases {
		if p.Load != load {
			continue
		}
		for _, b := range p.Small {
			n++
			latency += b.Latency
			sum.Late += b.Late
			sum.Queue += b.Queue - b.Late
			sum.Tokenize += b.Tokenize - b.Overlapped
			sum.Infer += b.Infer
		}
	}
	if n == 0 {
		return nil
	}
	rest := latency - sum.Late - sum.Queue - sum.Tokenize - sum.Infer
	each := func(d time.Duration) float64 { return milliseconds(d) / float64(n) }
	return &MixStages{each(sum.Late), each(sum.Queue), each(sum.Tokenize), each(sum.Infer), each(rest)}
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
