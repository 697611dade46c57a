package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// Rows of the stage table that are missing in older reports.
const (
	LateRow        = "Client Lateness"
	OverlappedRow  = "Of Tokenization, Beside Inference"
	UnaccountedRow = "Unaccounted"
)

// writeExtra adds to a configuration's details what the format has no place for.
func (f *Figures) writeExtra(p *markdown.Page) {
	if len(f.Bounds) > 0 {
		p.Para("#### Latency Confidence")
		var rows [][]string
		for _, b := range f.Bounds {
			rows = append(rows, []string{fmt.Sprintf("P%d", b.Percentile), figure.Fixed(&b.Value, 2), figure.Fixed(b.Upper, 2), strconv.Itoa(b.N), strconv.Itoa(b.Needed)})
		}
		p.Table([]string{"Percentile", "Value (ms)", "95% Upper Bound (ms)", "Batches", "Batches Needed"}, rows)
	}
	if f.Tokenize != nil || f.Queue != nil || f.Infer != nil {
		p.Para("#### Stages (ms)")
		var rows [][]string
		for _, s := range []struct {
			name    string
			summary *stats.Summary
		}{{"Tokenization", f.Tokenize}, {OverlappedRow, f.Overlapped}, {LateRow, f.Late}, {"Queue Wait", f.Queue}, {"Inference", f.Infer}, {UnaccountedRow, f.Unaccounted}} {
			if s.summary == nil && (s.name == OverlappedRow || s.name == UnaccountedRow || s.name == LateRow) {
				continue // a report from before there were such rows, or a client that is never late
			}
			o := optionally(s.summary)
			row := []string{s.name}
			for _, v := range []*float64{o.mean, o.min, o.max, o.sd, o.p50, o.p90, o.p95, o.p99} {
				row = append(row, figure.Fixed(v, 3))
			}
			rows = append(rows, row)
		}
		p.Table([]string{"Stage", "Average", "Min", "Max", "Std Dev", "P50", "P90", "P95", "P99"}, rows)
		p.Para("_Over every batch._")
		if f.Unaccounted != nil {
			p.Para("_Latency is tokenization and queue wait and inference, less what of the tokenization went on beside the batch's own inference, and what is unaccounted for._")
		}
		if f.Late != nil {
			p.Para("_And the client's lateness, from when a batch was due to when the bench made the call, which is in the latency and in no wait of the engine's: P99 %s ms._", figure.Fixed(&f.Late.P99, 3))
		}
	}
	f.Path.write(p)
	f.Steady.write(p)
	if f.Stages != nil {
		f.Stages.write(p)
	}
	if f.Work != nil {
		p.Para("#### Work and Padding")
		p.Table(metricValue, f.workRows())
	}
}

func (f *Figures) workRows() [][]string {
	w := f.Work
	rows := [][]string{
		{"Tokens", strconv.Itoa(w.Tokens)},
		{"Tokens/s", figure.Fixed(w.TokensPerSecond, 1)},
		{"GFLOP/s", figure.Fixed(figure.Scaled(w.FLOPsPerSecond, 1e-9), 2)},
		{"Share of Measured Peak (%)", figure.Fixed(figure.Scaled(w.PeakShare, 100), 1)},
		{"Padding Waste, if padded (%)", figure.Fixed(w.PaddingWaste, 1)},
		{"Padding Avoided (%)", figure.Fixed(w.PaddingAvoided, 1)},
		{"Padding Actual (%)", figure.Fixed(w.PaddingActual, 1)},
	}
	if u := f.Warmup; u != nil {
		steady := "steady"
		if !u.Stable {
			steady = "not yet steady"
		}
		rows = append(rows, []string{"Warm-Up", fmt.Sprintf("%s in %.2fs, %s", figure.Count(u.Batches, "batch"), u.Time.Seconds(), steady)})
	}
	return rows
}

// writeBackground writes what makes the figures credible: the accuracy gate, the cold
// start, the configurations beside each other, the data set, the machine, and the notes. A
// report of another tool has none of this.
func (r *Report) writeBackground(p *markdown.Page) {
	r.writeAcross(p)
	r.writeVariants(p)
	if r.Accuracy != nil {
		writeAccuracy(p, r.Accuracy)
	}
	r.Judged.write(p)
	if c := r.ColdStart; c != nil {
		p.Para("## Cold Start")
		p.Block()
		p.Table(metricValue, [][]string{
			{"Load (ms)", duration(c.Load)},
			{"First score, after loading (ms)", duration(c.FirstScore)},
		})
	}
	if r.Dataset != nil {
		writeDataset(p, r.Dataset)
	}
	if r.Environment != nil {
		p.Para("## Environment")
		p.Block()
		p.Table(metricValue, r.environmentRows())
	}
	if len(r.Notes) > 0 {
		p.Para("## Notes")
		p.Block()
		for _, note := range r.Notes {
			p.Line("- %s", note)
		}
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func duration(d time.Duration) string { return fmt.Sprintf("%.1f", milliseconds(d)) }

// writeAcross compares the configurations: latency against throughput over the loads. By
// Little's law, throughput x latency is the average number of pairs under way.
func (r *Report) writeAcross(p *markdown.Page) {
	if len(r.Configs) < 2 {
		return
	}
	p.Para("## Latency and Throughput Across Configurations")
	p.Block()
	var rows [][]string
	for _, f := range r.Configs {
		latency, _, average := f.figuresOrNone()
		var underWay *float64
		if latency.mean != nil && average != nil {
			underWay = figure.Scaled(average, *latency.mean/1000/float64(max(1, f.Batch)))
		}
		rows = append(rows, []string{f.Config.String(), figure.Fixed(latency.mean, 2), figure.Fixed(latency.p95, 2), figure.Fixed(average, 2), figure.Fixed(underWay, 2)})
	}
	p.Table([]string{"Config", "Lat Avg (ms)", "Lat P95 (ms)", "TP Avg (pairs/s)", "Batches Under Way"}, rows)
	p.Para("**Correlation Across Configurations:** %s", figure.Fixed(r.LoadCorrelation, 3))
}

// writeDataset describes the data set, with a bar for each range of lengths.
func writeDataset(p *markdown.Page, d *recording.Dataset) {
	p.Para("## Data Set")
	p.Block()
	var meanLength *float64
	if d.Pairs > 0 {
		m := float64(d.Tokens) / float64(d.Pairs)
		meanLength = &m
	}
	p.Table(metricValue, [][]string{
		{"Name", d.Name},
		{"SHA-256", d.SHA256},
		{"Pairs", strconv.Itoa(d.Pairs)},
		{"Tokens", strconv.Itoa(d.Tokens)},
		{"Mean length (tokens)", figure.Fixed(meanLength, 1)},
	})
	if len(d.Histogram) == 0 {
		return
	}
	most := 1
	for _, b := range d.Histogram {
		most = max(most, b.Pairs)
	}
	const longest = 40 // characters of the longest bar
	var rows [][]string
	for _, b := range d.Histogram {
		marks := min(longest, max(0, int(float64(longest)*float64(b.Pairs)/float64(most)+0.5)))
		rows = append(rows, []string{fmt.Sprintf("%d-%d", b.Min, b.Min+b.Width-1), strconv.Itoa(b.Pairs), strings.Repeat("#", marks)})
	}
	p.Block()
	p.Table([]string{"Tokens", "Pairs", "Histogram"}, rows)
}

func (r *Report) environmentRows() [][]string {
	e, m := r.Environment, r.Model
	var memory *float64
	if e.MemoryBytes > 0 {
		gib := float64(e.MemoryBytes) / (1 << 30)
		memory = &gib
	}
	commit := e.Commit
	if commit != "" && e.Dirty {
		commit += " (dirty: the tree had changes)"
	}
	var args []string
	for _, a := range e.Args {
		if strings.ContainsAny(a, " \t\n\"'") || a == "" {
			a = strconv.Quote(a)
		}
		args = append(args, a)
	}
	rows := [][]string{
		{"CPU", figure.OrNone(e.CPU)},
		{"CPU features", figure.OrNone(strings.Join(e.CPUFeatures, " "))},
		{"GPU", figure.OrNone(e.GPU)},
		{"Cores", count(int64(e.Cores))},
		{"Workers", count(int64(e.Workers))},
		{"Memory (GiB)", figure.Fixed(memory, 1)},
		{"OS", figure.OrNone(e.OS)},
		{"Arch", figure.OrNone(e.Arch)},
		{"Go", figure.OrNone(e.Go)},
		{"GOMAXPROCS", count(int64(e.GOMAXPROCS))},
		{"Commit", figure.OrNone(commit)},
		{"Arguments", figure.OrNone(strings.Join(args, " "))},
		{"Load average before the run, 1 min", figure.Fixed(e.Load1, 2)},
		{"Noise of the machine (%)", figure.Fixed(figure.Scaled(e.Noise, 100), 1)},
		{"Device peak (GFLOP/s)", figure.Fixed(figure.Scaled(r.Peak, 1e-9), 1)},
		{"Model layers", count(int64(m.Layers))},
		{"Model hidden size", count(int64(m.Hidden))},
		{"Model parameters", count(m.Parameters)},
		{"Weights SHA-256", figure.OrNone(m.WeightsSHA256)},
		{"Tokenizer SHA-256", figure.OrNone(m.TokenizerSHA256)},
	}
	if e.InstructionSet != "" {
		rows = append(rows, []string{"Instruction set", e.InstructionSet})
	}
	return rows
}

// count formats a number that cannot be 0 if it is known.
func count(n int64) string {
	if n == 0 {
		return figure.NotMeasured
	}
	return strconv.FormatInt(n, 10)
}
