package report

import (
	"maps"
	"slices"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// OverloadFigures is what became of more calls than can be served. Latencies are of all
// rounds together.
type OverloadFigures struct {
	Batch    int      `json:"batch"`     // pairs in a call
	MaxQueue int      `json:"max_queue"` // pairs that may wait
	Callers  int      `json:"callers"`   // of the full queue
	Factor   float64  `json:"factor"`
	Capacity *float64 `json:"capacity_pairs_per_second"` // of the full queue, before the rounds
	Rate     *float64 `json:"offered_pairs_per_second"`
	Rounds   int      `json:"rounds"`

	// Calls of the flood. Offered is the sum of the others.
	Offered  int            `json:"offered_calls"`
	Accepted int            `json:"accepted_calls"`
	Refused  int            `json:"refused_calls"`
	Failed   int            `json:"failed_calls"`
	Unsent   int            `json:"unsent_calls"`
	Failures map[string]int `json:"failures"` // the failed ones by error; null: none

	Queue     *stats.Summary `json:"queue_ms"`    // latency of a call in the full queue
	Flood     *stats.Summary `json:"accepted_ms"` // of those of the flood that were accepted
	Ratio     *Ratios        `json:"accepted_over_queue"`
	Refusal   *stats.Summary `json:"refused_ms"` // from the call to its ErrOverloaded
	Late      *stats.Summary `json:"late_ms"`    // of the accepted: how late the bench made the calls
	QueueRate *float64       `json:"queue_pairs_per_second"`
	FloodRate *float64       `json:"accepted_pairs_per_second"`
}

// overloadFigures derives the figures of an overload; nil: there is none. Unless speed is true, only
// what was asked for and the counts are told.
func overloadFigures(o *recording.Overload, speed bool) *OverloadFigures {
	if o == nil {
		return nil
	}
	f := &OverloadFigures{Batch: o.Batch, MaxQueue: o.MaxQueue, Callers: o.Callers, Factor: o.Factor}
	var queue, flood, refusal, late []float64
	for i := range o.Phases {
		p := &o.Phases[i]
		f.Rounds = max(f.Rounds, p.Round+1)
		if p.Load == recording.LoadQueue {
			queue = append(queue, latencies(p.Accepted)...)
			continue
		}
		f.Offered += p.Offered
		f.Accepted += len(p.Accepted)
		f.Refused += len(p.Refused)
		f.Failed += p.Failures()
		f.Unsent += p.Unsent
		for reason, n := range p.Failed {
			if f.Failures == nil {
				f.Failures = map[string]int{}
			}
			f.Failures[reason] += n
		}
		flood, late = append(flood, latencies(p.Accepted)...), append(late, lateness(p.Accepted)...)
		for _, d := range p.Refused {
			refusal = append(refusal, milliseconds(d))
		}
	}
	if !speed {
		return f
	}
	f.Capacity, f.Rate = &o.Capacity, &o.Rate
	f.Queue, f.Flood, f.Refusal, f.Late = stats.Summarize(queue), stats.Summarize(flood), stats.Summarize(refusal), stats.Summarize(late)
	f.Ratio = ratios(f.Flood, f.Queue)
	f.QueueRate, f.FloodRate = served(o, recording.LoadQueue), served(o, recording.LoadFlood)
	return f
}

// served is the pairs/s of a load; nil: nothing was.
func served(o *recording.Overload, load string) *float64 {
	pairs, seconds := 0, 0.0
	for _, p := range o.Phases {
		if p.Load == load {
			for _, b := range p.Accepted {
				pairs += b.Pairs
			}
			seconds += p.Length.Seconds()
		}
	}
	return quotient(float64(pairs), seconds)
}

// shareOf is n in percent of all; nil of nothing.
func shareOf(n, all int) *float64 {
	if all == 0 {
		return nil
	}
	percent := 100 * float64(n) / float64(all)
	return &percent
}

// OverloadTitle is the section's. Package compare skips it.
const OverloadTitle = "Overload"

// write writes the section; none without an overload.
func (f *OverloadFigures) write(p *markdown.Page) {
	if f == nil {
		return
	}
	p.Para("## %s", OverloadTitle)
	p.Para("**Flood:** %s pairs/s arriving, %v times the capacity of %s pairs/s; pairs in a call: %d; rounds: %d",
		figure.Fixed(f.Rate, 1), f.Factor, figure.Fixed(f.Capacity, 1), f.Batch, f.Rounds)
	p.Para("**Queue:** at most %d pairs wait", f.MaxQueue)

	p.Para("### Calls of the Flood")
	share := func(n int) string { return figure.Fixed(shareOf(n, f.Offered), 2) }
	rows := [][]string{{"Offered", strconv.Itoa(f.Offered), share(f.Offered)}}
	for _, c := range []struct {
		name string
		n    int
	}{{"Accepted and scored", f.Accepted}, {"Refused with ErrOverloaded", f.Refused}, {"Failed otherwise", f.Failed}, {"Not sent", f.Unsent}} {
		rows = append(rows, []string{c.name, strconv.Itoa(c.n), share(c.n)})
	}
	p.Table([]string{"Calls", "Count", "Share (%)"}, rows)
	for _, reason := range slices.Sorted(maps.Keys(f.Failures)) {
		p.Para("**Failed:** %d with %q", f.Failures[reason], reason)
	}
	if f.Unsent > 0 {
		p.Para("_Not sent: %d calls were under way, and the bench keeps no more. A queue with a limit is shorter than that._", recording.MostUnderWay)
	}

	p.Para("### Latency of What Was Accepted (ms)")
	p.Table(append([]string{"Load"}, tailTitles...), [][]string{
		tailRow("the same queue without a flood", f.Queue),
		tailRow("the flood, accepted", f.Flood),
		ratioRow("flood over queue", f.Ratio),
	})
	writeTailMark(p, f.Queue, " without a flood", "calls")
	writeTailMark(p, f.Flood, " of the flood", "calls")
	p.Para("_Without a flood there are %d callers in a closed loop, as many as the queue has room for. The flood arrives as a Poisson process, each call on a goroutine of its own, and latency counts from the intended start._", f.Callers)
	if f.Late != nil {
		p.Para("_Calls were made late by %s ms at P50 and %s ms at P99, which is part of their latency._", figure.Fixed(&f.Late.P50, 3), figure.Fixed(&f.Late.P99, 3))
	}
	p.Para("**Served:** %s pairs/s without a flood, %s pairs/s in it, ratio %s; offered over served without a flood: %s",
		figure.Fixed(f.QueueRate, 1), figure.Fixed(f.FloodRate, 1), figure.Fixed(ratio(f.FloodRate, f.QueueRate), 3), figure.Fixed(ratio(f.Rate, f.QueueRate), 2))

	p.Para("### Time until ErrOverloaded (ms)")
	r := optionally(f.Refusal)
	p.Table([]string{"Calls", "Average", "P50", "P90", "P95", "P99", "Max"}, [][]string{{
		strconv.Itoa(f.Refused), figure.Fixed(r.mean, 4), figure.Fixed(r.p50, 4), figure.Fixed(r.p90, 4), figure.Fixed(r.p95, 4), figure.Fixed(r.p99, 4), figure.Fixed(r.max, 4),
	}})
	writeTailMark(p, f.Refusal, "", "refusals")
	p.Para("_From the call to its error._")
}
