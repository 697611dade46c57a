package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/load"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// LoadFigures is how much load holds.
type LoadFigures struct {
	Batch    int            `json:"batch"`   // pairs in a request
	SLO      *float64       `json:"slo_ms"`  // nil: no bound was asked for
	Callers  int            `json:"callers"` // of the closed loop that Capacity is of
	Capacity *float64       `json:"capacity_pairs_per_second"`
	Knee     *load.Knee     `json:"knee"`   // nil: none was looked for, found, or confirmed
	Points   []load.Point   `json:"points"` // as they were measured
	Misses   map[string]int `json:"misses"` // of all points, by reason; null: none
}

// loadFigures judges the points; nil: there are none. Unless speed is true, only what was
// asked for is told.
func loadFigures(l *recording.Load, speed bool) *LoadFigures {
	if l == nil {
		return nil
	}
	f := &LoadFigures{Batch: l.Batch, Callers: l.Callers}
	if l.SLO > 0 {
		f.SLO = new(milliseconds(l.SLO))
	}
	for i := range l.Points {
		p := &l.Points[i]
		for _, m := range p.Missed {
			if f.Misses == nil {
				f.Misses = map[string]int{}
			}
			f.Misses[m.Reason]++
		}
		if speed {
			f.Points = append(f.Points, load.Judge(p, l.Batch, l.SLO))
		}
	}
	if speed {
		f.Capacity = &l.Capacity
		f.Knee = load.KneeOf(f.Points)
	}
	return f
}

// LoadTitle is the section's. Package compare skips it.
const LoadTitle = "Load and Goodput"

// write writes the section; none without points.
func (f *LoadFigures) write(p *markdown.Page) {
	if f == nil {
		return
	}
	p.Para("## %s", LoadTitle)
	bound := "none was asked for"
	if f.SLO != nil {
		bound = figure.Fixed(f.SLO, 0) + " ms for 95 % of the requests"
	}
	p.Para("**Pairs in a request:** %d; requests arrive as a Poisson process; **bound of latency:** %s", f.Batch, bound)
	p.Para("**Capacity:** %s pairs/s, of %d callers in a closed loop", figure.Fixed(f.Capacity, 1), f.Callers)
	if f.SLO != nil {
		p.Para("**Knee:** %s", f.verdict())
	}
	var rows [][]string
	for _, q := range f.Points {
		holds := "holds"
		if !q.Holds {
			holds = q.Why
		}
		rows = append(rows, []string{q.Purpose, figure.Fixed(&q.Rate, 1), strconv.FormatUint(q.Seed, 10), strconv.Itoa(q.Requests),
			figure.Fixed(&q.Offered, 1), figure.Fixed(&q.Attained, 1), figure.Fixed(q.Good, 1), figure.Fixed(q.P50, 2), figure.Fixed(q.P95, 2), figure.Fixed(q.P95Upper, 2), figure.Fixed(q.P99, 2),
			strconv.Itoa(q.Slow), strconv.Itoa(q.Missed), figure.Fixed(&q.UnderWay, 1), figure.Fixed(q.LateP99, 3), holds})
	}
	p.Block()
	p.Table(loadTitles, rows)
	for _, q := range f.Points {
		if q.Waited > 0 {
			p.Para("_At %s pairs/s, seed %d, %d requests found all callers busy and were sent late: latencies are at least what is printed._", figure.Fixed(&q.Rate, 1), q.Seed, q.Waited)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(f.Misses)) {
		p.Para("**Missed:** %d with %q", f.Misses[reason], reason)
	}
	p.Para("_Arrivals were fixed before each point by its seed and rate. Figures are of the requests due in a window that leaves out the first %.0f %% of the arrivals. Attained is what ended in it; good is what was due in it and answered within the bound; a miss (an error, or given up when the point was over) is slower than any bound. P95's bound takes account of requests that come in clumps._", 100*load.RampShare)
	p.Para("_A load holds if P95's upper bound is within the bound of latency, at least %.0f %% of what arrived was attained, and what is under way did not grow, as far as chance does not explain it._", 100*load.LeastAttained)
}

var loadTitles = []string{"Purpose", "Asked (pairs/s)", "Seed", "Requests", "Offered (pairs/s)", "Attained (pairs/s)", "Good (pairs/s)",
	"P50 (ms)", "P95 (ms)", "P95 95% Upper Bound (ms)", "P99 (ms)", "Slow", "Missed", "Under Way", "Lateness P99 (ms)", "Verdict"}

// verdict says where the knee is.
func (f *LoadFigures) verdict() string {
	switch {
	case f.Knee != nil:
		least := ""
		if f.Knee.AtLeast {
			least = "at least "
		}
		share := ""
		if f.Capacity != nil && *f.Capacity > 0 {
			share = fmt.Sprintf(", %.0f %% of the capacity", 100*f.Knee.Rate / *f.Capacity)
		}
		perhaps := ""
		if f.Knee.Perhaps > 0 {
			perhaps = fmt.Sprintf("; up to %.1f pairs/s may hold, of which too few requests told", f.Knee.Perhaps)
		}
		return fmt.Sprintf("%s%.1f pairs/s%s, confirmed by %d seeds; goodput %.1f pairs/s%s", least, f.Knee.Rate, share, load.Confirmations, f.Knee.Good, perhaps)
	case f.Points == nil:
		return figure.NotMeasured
	}
	why := "not found: the time was over before it was looked for; a longer --time-bound gives more"
	for _, q := range f.Points {
		switch {
		case q.Purpose != recording.PurposeSearch:
		case q.Holds:
			return "not confirmed: no load held with every seed in the time there was; a longer --time-bound gives more"
		case q.Requests == 0:
			why = "not found: no request was due in the time there was; a longer --time-bound brings some"
		case q.P95 != nil && q.P95Upper == nil && (f.SLO == nil || *q.P95 <= *f.SLO):
			why = "not found: there were too few requests to bound their P95; a longer --time-bound brings more"
		default:
			why = fmt.Sprintf("none: even %.0f %% of the capacity does not hold", 100*load.Lowest)
		}
	}
	return why
}

// WriteCSV writes load.csv: a row for each point. Figures that there are none of are "n/a".
func (f *LoadFigures) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"purpose", "rate_pairs_per_second", "seed", "window_seconds", "requests", "offered_pairs_per_second", "attained_pairs_per_second",
		"good_pairs_per_second", "slow", "missed", "p50_ms", "p95_ms", "p95_upper_95_ms", "p99_ms", "dependence", "late_p99_ms", "waited", "under_way", "under_way_growth", "holds", "why"}); err != nil {
		return err
	}
	for _, p := range f.Points {
		if err := out.Write([]string{p.Purpose, figure.Shortest(&p.Rate), strconv.FormatUint(p.Seed, 10), figure.Shortest(&p.Seconds), strconv.Itoa(p.Requests),
			figure.Shortest(&p.Offered), figure.Shortest(&p.Attained), figure.Shortest(p.Good), strconv.Itoa(p.Slow), strconv.Itoa(p.Missed),
			figure.Shortest(p.P50), figure.Shortest(p.P95), figure.Shortest(p.P95Upper), figure.Shortest(p.P99), figure.Shortest(&p.Dependence), figure.Shortest(p.LateP99), strconv.Itoa(p.Waited),
			figure.Shortest(&p.UnderWay), figure.Shortest(&p.Growth), strconv.FormatBool(p.Holds), p.Why}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
