package load

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

const (
	// RampShare is the share of the arrivals that comes before the window.
	RampShare = 0.1
	// LeastAttained is the smallest share of the offered load that a load must attain to
	// hold.
	LeastAttained = 0.98
	// quantile is the one that must be within the bound.
	quantile = 0.95
	// looks is how many times in a window the requests under way are counted.
	looks = 50
	// A window is cut into at most mostBlocks blocks of at least fewestInBlock requests.
	mostBlocks, fewestInBlock = 20, 5
)

// Point is one load and the judgement on it. Rates are in pairs/s and times in ms; a figure
// that does not exist is nil.
type Point struct {
	Purpose  string  `json:"purpose"`
	Rate     float64 `json:"rate_pairs_per_second"` // the rate of arrivals that was asked for
	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"window_seconds"`
	Requests int     `json:"requests"` // due in the window

	Offered  float64  `json:"offered_pairs_per_second"`
	Attained float64  `json:"attained_pairs_per_second"`
	Good     *float64 `json:"good_pairs_per_second"` // nil: no bound was asked for
	Slow     int      `json:"slow"`                  // requests answered after the bound
	Missed   int      `json:"missed"`                // requests without scores

	P50        *float64 `json:"p50_ms"` // of all that were due, with misses as the slowest; nil: it falls on a miss
	P95        *float64 `json:"p95_ms"`
	P95Upper   *float64 `json:"p95_upper_95_ms"` // nil: too few requests, or it falls on a miss
	P99        *float64 `json:"p99_ms"`          // as P95, without a bound
	Dependence float64  `json:"dependence"`      // how many requests tell as much as one independent one
	LateP99    *float64 `json:"late_p99_ms"`     // how late the client was
	Waited     int      `json:"waited"`          // requests that found all callers busy

	UnderWay  float64 `json:"under_way"`        // mean number of requests
	Growth    float64 `json:"under_way_growth"` // its growth over the window
	Saturated bool    `json:"saturated"`
	Holds     bool    `json:"holds"`
	Why       string  `json:"why"` // why it does not hold; empty: it holds
}

// request is one that was offered. A missed one has an infinite end and latency.
type request struct {
	due, done, latency float64 // seconds
	pairs              int
	late               float64
}

// Judge judges a point whose requests have batch pairs each. If slo is 0 there is no bound,
// and a load holds unless it is saturated.
func Judge(p *recording.LoadPoint, batch int, slo time.Duration) Point {
	out := Point{Purpose: p.Purpose, Rate: p.Rate, Seed: p.Seed, Waited: p.Waited, Dependence: 1}
	all := requests(p, batch)
	to := p.Length.Seconds()
	from := float64(RampShare * to)
	out.Seconds = to - from
	var window []request
	offered, attained, good := 0, 0, 0
	for _, r := range all {
		if r.done >= from && r.done < to {
			attained += r.pairs
		}
		if r.due < from || r.due >= to {
			continue
		}
		window = append(window, r)
		offered += r.pairs
		switch {
		case math.IsInf(r.latency, 1):
			out.Missed++
		case slo > 0 && r.latency > slo.Seconds():
			out.Slow++
		default:
			good += r.pairs
		}
	}
	out.Requests = len(window)
	out.Offered, out.Attained = float64(offered)/out.Seconds, float64(attained)/out.Seconds
	if slo > 0 {
		g := float64(good) / out.Seconds
		out.Good = &g
	}
	out.latencies(window)
	steep := out.underWay(all, from, to)
	out.judge(float64(offered)/float64(batch), float64(attained)/float64(batch), steep, slo)
	return out
}

// requests returns the requests of the point in the order in which they were due.
func requests(p *recording.LoadPoint, batch int) (list []request) {
	for _, b := range p.Answered {
		list = append(list, request{b.Start.Seconds(), (b.Start + b.Latency).Seconds(), b.Latency.Seconds(), b.Pairs, b.Late.Seconds()})
	}
	never := math.Inf(1)
	for _, m := range p.Missed {
		list = append(list, request{m.Due.Seconds(), never, never, batch, math.NaN()})
	}
	slices.SortStableFunc(list, func(a, b request) int { return cmp.Compare(a.due, b.due) })
	return list
}

// latencies fills in the percentiles.
func (p *Point) latencies(window []request) {
	if len(window) == 0 {
		return
	}
	var sorted, late []float64
	for _, r := range window {
		sorted = append(sorted, 1000*r.latency)
		if !math.IsNaN(r.late) {
			late = append(late, 1000*r.late)
		}
	}
	slices.Sort(sorted)
	slices.Sort(late)
	p.P50, p.P95, p.P99 = finite(stats.Percentile(sorted, 50)), finite(stats.Percentile(sorted, 100*quantile)), finite(stats.Percentile(sorted, 99))
	if len(late) > 0 {
		p.LateP99 = finite(stats.Percentile(late, 99))
	}
	p.Dependence = dependence(window, sorted)
	n := int(float64(len(window)) / p.Dependence)
	if n < 1 {
		return
	}
	if k := stats.UpperOrder(n, quantile, stats.Confidence); k <= n {
		at := int(math.Ceil(float64(k) / float64(n) * float64(len(sorted))))
		p.P95Upper = finite(sorted[min(at, len(sorted))-1])
	}
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

// dependence returns the design effect of the requests that are slower than P95: 1 if they
// are independent, and more if they come in clumps.
func dependence(window []request, sorted []float64) float64 {
	n := len(window)
	blocks := min(mostBlocks, n/fewestInBlock)
	if blocks < 2 {
		return 1
	}
	bound := sorted[int(quantile*float64(n-1))]
	slow := 0
	for _, ms := range sorted {
		if ms > bound {
			slow++
		}
	}
	p := float64(slow) / float64(n)
	if p == 0 || p == 1 {
		return 1
	}
	variance := 0.0
	for i := range blocks {
		lo, hi := i*n/blocks, (i+1)*n/blocks
		in := 0
		for _, r := range window[lo:hi] {
			if 1000*r.latency > bound {
				in++
			}
		}
		d := float64(in)/float64(hi-lo) - p
		variance += d * d / float64(blocks-1)
	}
	return max(1, variance*float64(n)/float64(blocks)/(p*(1-p)))
}

// underWay counts the requests under way at evenly spaced times of the window and fits a
// line to the counts. It returns whether the line rises by more than chance explains (95 %,
// one-sided).
func (p *Point) underWay(all []request, from, to float64) (steep bool) {
	counts := make([]float64, looks)
	for i := range counts {
		at := from + float64((float64(i)+0.5)/looks*(to-from))
		for _, r := range all {
			if r.due <= at && at < r.done {
				counts[i]++
			}
		}
	}
	p.UnderWay = stats.Mean(counts)
	slope, _ := line(counts)
	p.Growth = slope * looks
	// Neighbouring counts see the same requests, so the scatter is taken from the means of
	// blocks.
	const blocks = 10
	means := make([]float64, blocks)
	for i := range means {
		means[i] = stats.Mean(counts[i*looks/blocks : (i+1)*looks/blocks])
	}
	slope, scatter := line(means)
	const student = 1.86 // t with 8 degrees of freedom at 95 %
	return slope > student*scatter
}

// line fits y = a + slope*i by least squares, and returns the slope and its standard error.
func line(y []float64) (slope, scatter float64) {
	n := float64(len(y))
	mx, my := float64((n-1)/2), stats.Mean(y)
	var xx, xy, yy float64
	for i, v := range y {
		x := float64(i) - mx
		xx += float64(x * x)
		xy += float64(x * (v - my))
		yy += float64((v - my) * (v - my))
	}
	slope = xy / xx
	rest := max(0, yy-float64(slope*xy))
	return slope, math.Sqrt(rest / (n - 2) / xx)
}

// tooFew is why a load does not hold of which it is not known whether it does.
const tooFew = "too few requests to bound P95"

// TooFew reports whether more requests would tell whether the load holds: nothing speaks against
// it, but they hang together so much that their P95 has no bound.
func (p *Point) TooFew() bool { return p.Why == tooFew }

// judge says whether the load holds.
func (p *Point) judge(offered, attained float64, steep bool, slo time.Duration) {
	chance := 2 * math.Sqrt(2*(p.UnderWay+1)) // with few requests, 2 % is within what chance does
	allowed := max((1-LeastAttained)*offered, chance)
	lacks := offered-attained > allowed
	grows := steep && p.Growth > allowed
	p.Saturated = lacks || grows
	ms := 1000 * slo.Seconds()
	switch {
	case p.Requests == 0:
		p.Why = "no request was due"
	case grows:
		p.Why = "saturated: what is under way grows"
	case lacks:
		p.Why = "saturated: less is attained than arrives"
	case slo == 0:
	case p.P95 == nil || *p.P95 > ms:
		p.Why = "P95 is above the bound"
	case p.P95Upper == nil:
		p.Why = tooFew
	case *p.P95Upper > ms:
		p.Why = "P95 may be above the bound"
	}
	p.Holds = p.Why == ""
}
