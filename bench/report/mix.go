package report

import (
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// MixFigures is what small calls wait beside the bulk, and what the bulk loses to them.
// Latencies are of all rounds together.
type MixFigures struct {
	BulkCallers int      `json:"bulk_callers"`
	BulkPairs   int      `json:"bulk_pairs"` // in each of their calls
	Background  bool     `json:"background"`
	Rate        *float64 `json:"small_calls_per_second"` // that arrive
	Rounds      int      `json:"rounds"`

	Alone       *stats.Summary `json:"small_alone_ms"`
	Beside      *stats.Summary `json:"small_beside_bulk_ms"`       // the same arrivals
	ClosedAlone *stats.Summary `json:"small_closed_loop_alone_ms"` // one caller, each call right after the last
	Closed      *stats.Summary `json:"small_closed_loop_ms"`       // the same beside the bulk
	BesideRatio *Ratios        `json:"small_beside_bulk_over_alone"`
	ClosedRatio *Ratios        `json:"small_closed_loop_over_closed_loop_alone"`
	Late        *stats.Summary `json:"small_late_ms"` // of the arrivals: how late the bench made the calls

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

// mixFigures derives the figures of a mix; nil: there is none. Unless speed is true, only what
// was asked for is told.
func mixFigures(m *recording.Mix, speed bool) *MixFigures {
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
	f.Alone, f.Beside, f.Closed = mixLatency(m, recording.LoadSmall, everyRound), mixLatency(m, recording.LoadBoth, everyRound), mixLatency(m, recording.LoadClosed, everyRound)
	f.ClosedAlone = mixLatency(m, recording.LoadAlone, everyRound)
	f.BesideRatio, f.ClosedRatio = ratios(f.Beside, f.Alone), ratios(f.Closed, f.ClosedAlone)
	f.BulkAlone, f.BulkBeside, f.BulkClosed = mixRates(m, recording.LoadBulk, everyRound), mixRates(m, recording.LoadBoth, everyRound), mixRates(m, recording.LoadClosed, everyRound)
	f.BulkBesideRatio, f.BulkClosedRatio = ratio(f.BulkBeside.tokens(), f.BulkAlone.tokens()), ratio(f.BulkClosed.tokens(), f.BulkAlone.tokens())
	f.AloneStages, f.BesideStages, f.ClosedStages = mixStages(m, recording.LoadSmall), mixStages(m, recording.LoadBoth), mixStages(m, recording.LoadClosed)
	f.ClosedAloneStages = mixStages(m, recording.LoadAlone)
	var late []float64
	for _, p := range m.Phases {
		if p.Load == recording.LoadSmall || p.Load == recording.LoadBoth {
			late = append(late, lateness(p.Small)...)
		}
	}
	f.Late = stats.Summarize(late)
	for r := range f.Rounds {
		round := MixRound{Alone: median(mixLatency(m, recording.LoadSmall, r)), Beside: median(mixLatency(m, recording.LoadBoth, r)),
			BulkAlone: mixRates(m, recording.LoadBulk, r).tokens(), BulkBeside: mixRates(m, recording.LoadBoth, r).tokens()}
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
		*to = median(stats.Summarize(values))
	}
	return m
}

// mixLatency sums up the small calls of a load in ms, in one round or in all.
func mixLatency(m *recording.Mix, load string, round int) *stats.Summary {
	var ms []float64
	for _, p := range m.Phases {
		if p.Load == load && (round == everyRound || p.Round == round) {
			ms = append(ms, latencies(p.Small)...)
		}
	}
	return stats.Summarize(ms)
}

// mixStages is where the small calls of a load, in all rounds, spend their time; nil: there
// were none.
func mixStages(m *recording.Mix, load string) *MixStages {
	n := 0
	var latency time.Duration
	var sum recording.BatchSample
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

// mixRates is what was computed in a load, in one round or in all; nil: there was none.
func mixRates(m *recording.Mix, load string, round int) *MixRates {
	var seconds float64
	var bulk, tokens, small int64
	for _, p := range m.Phases {
		if p.Load == load && (round == everyRound || p.Round == round) {
			seconds += p.Length.Seconds()
			bulk += p.BulkPairs
			tokens += p.BulkTokens
			small += int64(len(p.Small))
		}
	}
	if seconds == 0 {
		return nil
	}
	return &MixRates{seconds, float64(bulk) / seconds, float64(small) / seconds,
		float64(bulk+small) / seconds, float64(tokens) / seconds}
}

func (r *MixRates) tokens() *float64 {
	if r == nil {
		return nil
	}
	return &r.Tokens
}

func median(s *stats.Summary) *float64 {
	if s == nil {
		return nil
	}
	return &s.P50
}
