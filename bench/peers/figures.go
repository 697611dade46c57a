package peers

import (
	"math"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Interval is a median, with its bootstrap interval of 95 % if there are values enough.
type Interval struct {
	Median float64  `json:"median"`
	Low    *float64 `json:"low"` // nil: too few
	High   *float64 `json:"high"`
	N      int      `json:"n"`
}

// Figures are what follows from an entry. A figure that was not measured is nil.
type Figures struct {
	Name      string `json:"name"`
	Library   string `json:"library"`
	Precision string `json:"precision"`
	Ours      bool   `json:"ours"`
	About
	PairsPerSecond *Interval           `json:"pairs_per_second"`
	Same           *Interval           `json:"ratio_same_precision"` // our rate over theirs, round by round
	Best           *Interval           `json:"ratio_our_best"`       // the fastest of ours over it
	P50            *float64            `json:"p50_ms"`               // of a unit
	P95            *float64            `json:"p95_ms"`               // nil of less than 59, which give it no bound
	FirstScore     *float64            `json:"first_score_s"`
	PrepareSeconds *float64            `json:"prepare_s"`
	PeakMB         *float64            `json:"peak_memory_mb"`
	Accuracy       *recording.Accuracy `json:"accuracy"`
	Failure        string              `json:"failure,omitempty"`
}

// Derive derives the figures of all entries. It is a pure function of the recording.
func Derive(r *Recording) []Figures {
	best := fastest(r)
	out := []Figures{}
	for i := range r.Entries {
		e := &r.Entries[i]
		f := Figures{
			Name: e.Name, Library: e.Library, Precision: e.Precision, Ours: e.Ours, About: e.About,
			FirstScore: positive(e.FirstScore), PrepareSeconds: positive(e.Prepare),
			PeakMB: e.PeakMB, Accuracy: e.Accuracy, Failure: e.Failure,
		}
		if timed(e) {
			var rates, latencies []float64
			for _, t := range e.Turns {
				rates = append(rates, float64(r.Pairs)/t.Elapsed.Seconds())
				for _, l := range t.Latencies {
					latencies = append(latencies, 1e3*l.Seconds())
				}
			}
			f.PairsPerSecond = interval(rates)
			slices.Sort(latencies)
			if len(latencies) > 0 {
				p := stats.Percentile(latencies, 50)
				f.P50 = &p
			}
			if len(latencies) >= stats.SamplesNeeded(0.95, stats.Confidence) {
				p := stats.Percentile(latencies, 95)
				f.P95 = &p
			}
			if !e.Ours {
				f.Same = ratio(ours(r, e.Precision), e)
			}
			if e != best {
				f.Best = ratio(best, e)
			}
		}
		out = append(out, f)
	}
	return out
}

// timed reports whether an entry has figures of speed: not one whose scores are wrong, nor
// one that did not come to its end.
func timed(e *Entry) bool {
	return e != nil && e.Failure == "" && e.Accuracy != nil && e.Accuracy.Passed && len(e.Turns) > 0
}

// ours returns our own entry of a precision; nil if there is none.
func ours(r *Recording, precision string) *Entry {
	for i := range r.Entries {
		if e := &r.Entries[i]; e.Ours && e.Precision == precision {
			return e
		}
	}
	return nil
}

// fastest returns our entry with the highest median rate; nil if none is timed.
func fastest(r *Recording) (best *Entry) {
	least := math.Inf(1)
	for i := range r.Entries {
		e := &r.Entries[i]
		if !e.Ours || !timed(e) {
			continue
		}
		var took []float64
		for _, t := range e.Turns {
			took = append(took, t.Elapsed.Seconds())
		}
		if m := stats.Median(took); m < least {
			best, least = e, m
		}
	}
	return best
}

// ratio compares two entries round by round: how many times as fast as b is a? The median and
// its interval are of logs, so that the ratio of b to a is their inverse.
func ratio(a, b *Entry) *Interval {
	if !timed(a) || !timed(b) {
		return nil
	}
	var logs []float64
	for _, x := range a.Turns {
		for _, y := range b.Turns {
			if x.Round == y.Round {
				logs = append(logs, math.Log(y.Elapsed.Seconds()/x.Elapsed.Seconds()))
			}
		}
	}
	i := interval(logs)
	if i == nil {
		return nil
	}
	i.Median = math.Exp(i.Median)
	if i.Low != nil {
		*i.Low, *i.High = math.Exp(*i.Low), math.Exp(*i.High)
	}
	return i
}

// interval returns the median of x and its interval; nil of nothing.
func interval(x []float64) *Interval {
	if len(x) == 0 {
		return nil
	}
	i := &Interval{Median: stats.Median(x), N: len(x)}
	if len(x) >= stats.FewestForMedian {
		low, high := stats.MedianInterval(x)
		i.Low, i.High = &low, &high
	}
	return i
}

// positive returns d in seconds; nil if there is none.
func positive(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}
