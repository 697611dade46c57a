package report

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// lookBack is how far a dashboard row looks back from its end.
const lookBack = time.Second

// dashboard returns the rows, one for each sample, and their spreads. If speed is false,
// only the machine's columns are filled.
func dashboard(run *recording.Run, speed bool) Dashboard {
	ends := newTimeline(run.Batches)
	d := Dashboard{}
	for _, s := range run.Samples {
		row := DashboardRow{
			At:        s.At.Seconds(),
			GPUMemory: s.GPUMemory,
			GPUBusy:   s.GPUBusy,
			CPU:       s.CPU,
			Memory:    s.RSS,
		}
		if speed {
			ends.fill(&row, s.At)
		}
		d.Rows = append(d.Rows, row)
	}
	d.Metrics = DashboardMetrics(d.Rows)
	return d
}

// timeline is batches in order of completion with running sums, so that a row takes two
// searches, however long the run.
type timeline struct {
	batches []recording.BatchSample
	pairs   []int           // pairs[i] is the sum over the first i batches
	latency []time.Duration // latency[i] is the sum over the first i batches
}

func end(b recording.BatchSample) time.Duration { return b.Start + b.Latency }

func newTimeline(batches []recording.BatchSample) *timeline {
	t := &timeline{
		batches: slices.Clone(batches),
		pairs:   make([]int, len(batches)+1),
		latency: make([]time.Duration, len(batches)+1),
	}
	slices.SortStableFunc(t.batches, func(a, b recording.BatchSample) int { return cmp.Compare(end(a), end(b)) })
	for i, b := range t.batches {
		t.pairs[i+1] = t.pairs[i] + b.Pairs
		t.latency[i+1] = t.latency[i] + b.Latency
	}
	return t
}

// fill sets row's figures of the batches that ended in the last second before at.
func (t *timeline) fill(row *DashboardRow, at time.Duration) {
	window := min(lookBack, at)
	if window <= 0 {
		return
	}
	completedBy := func(at time.Duration) int {
		return sort.Search(len(t.batches), func(i int) bool { return end(t.batches[i]) > at })
	}
	lo, hi := completedBy(at-window), completedBy(at)
	throughput := float64(t.pairs[hi]-t.pairs[lo]) / window.Seconds()
	row.Throughput = &throughput
	if lo == hi {
		return
	}
	latency := milliseconds(t.latency[hi]-t.latency[lo]) / float64(hi-lo)
	row.Latency = &latency

	last := t.batches[hi-1]
	tokenize, infer, queue := milliseconds(last.Tokenize), milliseconds(last.Infer), milliseconds(last.Queue-last.Late)
	row.Tokenize, row.Infer, row.Queue = &tokenize, &infer, &queue
	row.PaddingWaste = waste(last.Tokens, last.Padded)
	row.PaddingActual = waste(last.Tokens, last.Computed)
}

// dashboardColumn is one metric of the dashboard.
type dashboardColumn struct {
	name   string // in the summary table
	column string // name of its mean in the CSV, after "dashboard_"
	better Direction
	value  func(*DashboardRow) *float64
}

// dashboardColumns are the rows of the summary table, in its order. The first
// seven are the format's own.
var dashboardColumns = []dashboardColumn{
	{"GPU Memory (MB)", "gpu_memory_mean_mb", Lower, func(r *DashboardRow) *float64 { return r.GPUMemory }},
	{"GPU Utilization (%)", "gpu_utilization_mean_percent", Neither, func(r *DashboardRow) *float64 { return r.GPUBusy }},
	{"CPU Usage (%)", "cpu_mean_percent", Neither, func(r *DashboardRow) *float64 { return r.CPU }},
	{"Tokenization (ms)", "tokenize_mean_ms", Lower, func(r *DashboardRow) *float64 { return r.Tokenize }},
	{"Inference (ms)", "inference_mean_ms", Lower, func(r *DashboardRow) *float64 { return r.Infer }},
	{"Queue Wait (ms)", "queue_mean_ms", Lower, func(r *DashboardRow) *float64 { return r.Queue }},
	{"Padding Waste (%)", "padding_waste_mean_percent", Neither, func(r *DashboardRow) *float64 { return r.PaddingWaste }},
	{"Padding Avoided (%)", "padding_avoided_mean_percent", Neither, func(r *DashboardRow) *float64 { return difference(r.PaddingWaste, r.PaddingActual) }},
	{"Padding Actual (%)", "padding_actual_mean_percent", Lower, func(r *DashboardRow) *float64 { return r.PaddingActual }},
	{"Process Memory (MB)", "process_memory_mean_mb", Lower, func(r *DashboardRow) *float64 { return r.Memory }},
}

// TimeSeries are the columns of the time series behind its index, as the format
// has them.
var TimeSeries = []struct {
	Title  string
	digits int
	Figure func(*DashboardRow) **float64
}{
	{"GPU Mem (MB)", 1, func(d *DashboardRow) **float64 { return &d.GPUMemory }},
	{"GPU Util (%)", 1, func(d *DashboardRow) **float64 { return &d.GPUBusy }},
	{"CPU (%)", 1, func(d *DashboardRow) **float64 { return &d.CPU }},
	{"Latency (ms)", 1, func(d *DashboardRow) **float64 { return &d.Latency }},
	{"Throughput", 0, func(d *DashboardRow) **float64 { return &d.Throughput }},
	{"Tokenize (ms)", 1, func(d *DashboardRow) **float64 { return &d.Tokenize }},
	{"Inference (ms)", 1, func(d *DashboardRow) **float64 { return &d.Infer }},
	{"Queue (ms)", 1, func(d *DashboardRow) **float64 { return &d.Queue }},
	{"Padding (%)", 1, func(d *DashboardRow) **float64 { return &d.PaddingWaste }},
}

// DashboardMetrics is the spread of each column over the rows that have it.
func DashboardMetrics(rows []DashboardRow) []DashboardMetric {
	var metrics []DashboardMetric
	for _, c := range dashboardColumns {
		metrics = append(metrics, DashboardMetric{c.name, spread(column(rows, c.value))})
	}
	return metrics
}

// column is the values that the rows have in one column.
func column(rows []DashboardRow, value func(*DashboardRow) *float64) []float64 {
	var x []float64
	for i := range rows {
		if v := value(&rows[i]); v != nil {
			x = append(x, *v)
		}
	}
	return x
}

func spread(x []float64) *Spread {
	if len(x) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(x))
	return &Spread{
		Mean: stats.Mean(x),
		Min:  sorted[0],
		Max:  sorted[len(sorted)-1],
		P50:  stats.Percentile(sorted, 50),
		P95:  stats.Percentile(sorted, 95),
	}
}
