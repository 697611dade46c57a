package report

import (
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Derive derives the figures of a valid recording (see [recording.Recording.Validate]).
func Derive(rec *recording.Recording) *Report {
	r := &Report{
		Schema:      recording.SchemaVersion,
		Name:        rec.Name,
		Description: rec.Description,
		Started:     rec.Started,
		Model:       rec.Model,
		Task:        rec.Task,
		Backend:     rec.Backend,
		Device:      rec.Device,
		Precision:   rec.Precision,
		Environment: &rec.Environment,
		Dataset:     &rec.Dataset,
		ColdStart:   &rec.ColdStart,
		Accuracy:    rec.Accuracy,
		Judged:      judgedFigures(rec),
		Peak:        rec.Peak,
		Variants:    rec.Variants,
		CutShort:    rec.CutShort,
		Notes:       rec.Notes,
		Server:      rec.Server,
		recording:   rec,
	}
	switch {
	case rec.Accuracy == nil && rec.Server.Embeds(): // nothing is compared, which the report says
	case rec.Accuracy == nil:
		r.Withheld = "accuracy gate not run"
	case !rec.Accuracy.Passed:
		r.Withheld = "accuracy gate not passed"
	}
	for i := range rec.Runs {
		peak, speed := rec.Peak, r.Withheld == ""
		if v := rec.VariantOf(&rec.Runs[i]); v != nil { // which has a gate of its own
			peak, speed = v.Peak, v.Accuracy != nil && v.Accuracy.Passed
		}
		f := runFigures(&rec.Runs[i], peak, speed)
		if speed && rec.Revision > 0 {
			f.Scenario, f.Steady = f.scenarioOf(), steadyOf(&rec.Runs[i])
		}
		if f.Served = servedFigures(&rec.Runs[i]); f.Served != nil {
			f.untold()
		}
		if speed {
			f.Stages = stageFigures(rec, &rec.Runs[i])
		}
		r.Configs = append(r.Configs, f)
	}
	r.Mix, r.Overload = mixFigures(rec.Mix, r.Withheld == ""), overloadFigures(rec.Overload, r.Withheld == "")
	r.Load = loadFigures(rec.Load, r.Withheld == "")
	r.Ablation = ablationFigures(rec.Ablation, r.Withheld == "")
	r.Summary, r.LoadCorrelation = overall(r.Configs)
	return r
}

// runFigures derives the figures of one configuration. If speed is false, it leaves out all
// times and everything that follows from one.
func runFigures(run *recording.Run, peak *float64, speed bool) Figures {
	f := Figures{
		Config:      Config{run.Batch, run.Concurrency, run.Loop, run.Rate, run.Precision, run.Length},
		Requested:   run.Requested,
		TimeBounded: run.TimeBound,
		Open:        run.Open,
	}
	for _, b := range run.Batches {
		f.Pairs += b.Pairs
	}
	f.Work = work(run, peak, speed)
	f.Dashboard = dashboard(run, speed)
	if !speed {
		return f
	}
	warmup := run.Warmup
	f.Warmup = &warmup
	if len(run.Batches) == 0 {
		return f
	}
	seconds := run.Elapsed.Seconds()
	f.Seconds = &seconds
	f.Samples = samples(run)
	s := f.Samples
	f.Latency = stats.Summarize(s.Latency)
	f.Throughput = &Throughput{float64(f.Pairs) / seconds, *stats.Summarize(s.Throughput)}
	f.Ranges = latencyRanges(s.Latency, s.Throughput)
	f.Correlation = stats.Correlation(s.Latency, s.Throughput)
	f.Bounds = bounds(s.Latency)
	f.Tokenize, f.Queue, f.Infer = stats.Summarize(s.Tokenize), stats.Summarize(s.Queue), stats.Summarize(s.Infer)
	f.Overlapped, f.Unaccounted = stats.Summarize(s.Overlapped), stats.Summarize(unaccounted(run))
	if late := stats.Summarize(lateness(run.Batches)); late.Max > 0 {
		f.Late = late
	}
	f.Path = pathOf(run.Batches)
	return f
}

func samples(run *recording.Run) *Samples {
	s := new(Samples)
	for _, list := range []*[]float64{&s.Start, &s.Latency, &s.Throughput, &s.Tokenize, &s.Overlapped, &s.Queue, &s.Infer} {
		*list = make([]float64, 0, len(run.Batches))
	}
	for _, b := range run.Batches {
		s.Start = append(s.Start, milliseconds(b.Start))
		s.Latency = append(s.Latency, milliseconds(b.Latency))
		s.Throughput = append(s.Throughput, float64(b.Pairs)/b.Latency.Seconds())
		s.Tokenize = append(s.Tokenize, milliseconds(b.Tokenize))
		s.Overlapped = append(s.Overlapped, milliseconds(b.Overlapped))
		s.Queue = append(s.Queue, milliseconds(b.Queue-b.Late)) // what the client was late is no wait of the engine's
		s.Infer = append(s.Infer, milliseconds(b.Infer))
	}
	return s
}

// unaccounted returns, for each batch, the part of its latency that belongs to no stage, in
// ms.
func unaccounted(run *recording.Run) []float64 {
	ms := make([]float64, 0, len(run.Batches))
	for _, b := range run.Batches {
		ms = append(ms, milliseconds(b.Latency-(b.Queue+b.Tokenize-b.Overlapped+b.Infer)))
	}
	return ms
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// latencyRanges divides the batches into the four ranges of the report.
func latencyRanges(latency, throughput []float64) []LatencyRange {
	sorted := slices.Sorted(slices.Values(latency))
	p50, p75, p90 := stats.Percentile(sorted, 50), stats.Percentile(sorted, 75), stats.Percentile(sorted, 90)
	ranges := []LatencyRange{
		{Name: "< P50", To: &p50},
		{Name: "P50-P75", From: &p50, To: &p75},
		{Name: "P75-P90", From: &p75, To: &p90},
		{Name: ">= P90", From: &p90},
	}
	for i := range ranges {
		r := &ranges[i]
		var in []float64
		for j, ms := range latency {
			if (r.From == nil || ms >= *r.From) && (r.To == nil || ms < *r.To) {
				in = append(in, throughput[j])
			}
		}
		if s := stats.Summarize(in); s != nil {
			r.Count, r.Mean, r.Min, r.Max = s.N, &s.Mean, &s.Min, &s.Max
		}
	}
	return ranges
}

// work adds up what the batches computed.
func work(run *recording.Run, peak *float64, speed bool) *Work {
	var tokens, padded, computed int
	var flops int64
	told := true // every batch says what was computed
	for _, b := range run.Batches {
		tokens += b.Tokens
		padded += b.Padded
		computed += b.Computed
		flops += b.FLOPs
		told = told && b.Computed > 0
	}
	w := &Work{Tokens: tokens, PaddingWaste: waste(tokens, padded)}
	if told {
		w.PaddingActual = waste(tokens, computed)
	}
	w.PaddingAvoided = difference(w.PaddingWaste, w.PaddingActual)
	if !speed || len(run.Batches) == 0 {
		return w
	}
	tokenRate := float64(tokens) / run.Elapsed.Seconds()
	w.TokensPerSecond = &tokenRate
	if flops > 0 {
		rate := float64(flops) / run.Elapsed.Seconds()
		w.FLOPsPerSecond = &rate
		if peak != nil && *peak > 0 {
			share := rate / *peak
			w.PeakShare = &share
		}
	}
	return w
}

// waste returns the share of all that is not tokens, in percent; nil if all is 0.
func waste(tokens, all int) *float64 {
	if all <= 0 {
		return nil
	}
	percent := 100 * float64(all-tokens) / float64(all)
	return &percent
}

// difference returns a-b, or nil if one of them is nil.
func difference(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	d := *a - *b
	return &d
}

// overall finds the best configurations. Those without figures do not count.
func overall(configs []Figures) (o Overall, across *float64) {
	var throughput, latency []float64
	for _, f := range configs {
		if f.Throughput == nil || f.Latency == nil {
			continue
		}
		tp, lat, config := f.Throughput.Average, f.Latency.Mean, f.Config
		throughput, latency = append(throughput, tp), append(latency, lat)
		if o.PairsPerSecond == nil || tp > *o.PairsPerSecond {
			o.PairsPerSecond, o.Fastest = &tp, &config
		}
		if o.LatencyMS == nil || lat < *o.LatencyMS {
			o.LatencyMS, o.Quickest = &lat, &config
		}
	}
	if len(throughput) > 0 {
		tp, lat := stats.Mean(throughput), stats.Mean(latency)
		o.AverageThroughput, o.AverageLatencyMS = &tp, &lat
	}
	if len(throughput) > 2 { // two points are always on a line
		across = stats.Correlation(latency, throughput)
	}
	return o, across
}
