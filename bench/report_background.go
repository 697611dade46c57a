package bench

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The rows of the stage table that older reports do not have.
const (
	overlappedRow  = "Of Tokenization, Beside Inference"
	unaccountedRow = "Unaccounted"
)

// writeExtra adds to a configuration's details what the format has no place
// for.
func (f *Figures) writeExtra(p *page) {
	if len(f.Bounds) > 0 {
		p.para("#### Latency Confidence")
		var rows [][]string
		for _, b := range f.Bounds {
			rows = append(rows, []string{fmt.Sprintf("P%d", b.Percentile), fixed(&b.Value, 2), fixed(b.Upper, 2), strconv.Itoa(b.N), strconv.Itoa(b.Needed)})
		}
		p.table([]string{"Percentile", "Value (ms)", "95% Upper Bound (ms)", "Batches", "Batches Needed"}, rows)
	}
	if f.Tokenize != nil || f.Queue != nil || f.Infer != nil {
		p.para("#### Stages (ms)")
		var rows [][]string
		for _, s := range []struct {
			name    string
			summary *Summary
		}{{"Tokenization", f.Tokenize}, {overlappedRow, f.Overlapped}, {"Queue Wait", f.Queue}, {"Inference", f.Infer}, {unaccountedRow, f.Unaccounted}} {
			if s.summary == nil && (s.name == overlappedRow || s.name == unaccountedRow) {
				continue // a report from before there were such rows
			}
			o := optionally(s.summary)
			row := []string{s.name}
			for _, v := range []*float64{o.mean, o.min, o.max, o.sd, o.p50, o.p90, o.p95, o.p99} {
				row = append(row, fixed(v, 3))
			}
			rows = append(rows, row)
		}
		p.table([]string{"Stage", "Average", "Min", "Max", "Std Dev", "P50", "P90", "P95", "P99"}, rows)
		p.para("_Over every batch._")
		if f.Unaccounted != nil {
			p.para("_Latency is tokenization and queue wait and inference, less what of the tokenization went on beside the batch's own inference, and what is unaccounted for._")
		}
	}
	if f.Stages != nil {
		f.Stages.write(p)
	}
	if f.Work != nil {
		p.para("#### Work and Padding")
		p.table(metricValue, f.workRows())
	}
}

func (f *Figures) workRows() [][]string {
	w := f.Work
	rows := [][]string{
		{"Tokens", strconv.Itoa(w.Tokens)},
		{"Tokens/s", fixed(w.TokensPerSecond, 1)},
		{"GFLOP/s", fixed(scaled(w.FLOPsPerSecond, 1e-9), 2)},
		{"Share of Measured Peak (%)", fixed(scaled(w.PeakShare, 100), 1)},
		{"Padding Waste, if padded (%)", fixed(w.PaddingWaste, 1)},
		{"Padding Avoided (%)", fixed(w.PaddingAvoided, 1)},
		{"Padding Actual (%)", fixed(w.PaddingActual, 1)},
	}
	if u := f.Warmup; u != nil {
		steady := "steady"
		if !u.Stable {
			steady = "not yet steady"
		}
		rows = append(rows, []string{"Warm-Up", fmt.Sprintf("%d batches in %.2fs, %s", u.Batches, u.Time.Seconds(), steady)})
	}
	return rows
}

// scaled is v times by.
func scaled(v *float64, by float64) *float64 {
	if v == nil {
		return nil
	}
	s := *v * by
	return &s
}

// writeBackground writes what makes the figures credible: the accuracy gate,
// the cold start, the configurations against each other, the data set, the
// machine and the notes. A report of another tool has none of it.
func (r *Report) writeBackground(p *page) {
	r.writeAcross(p)
	if r.Accuracy != nil {
		r.Accuracy.write(p)
	}
	if c := r.ColdStart; c != nil {
		p.para("## Cold Start")
		p.block()
		p.table(metricValue, [][]string{
			{"Load (ms)", duration(c.Load)},
			{"First score, after loading (ms)", duration(c.FirstScore)},
		})
	}
	if r.Dataset != nil {
		r.Dataset.write(p)
	}
	if r.Environment != nil {
		p.para("## Environment")
		p.block()
		p.table(metricValue, r.environmentRows())
	}
	if len(r.Notes) > 0 {
		p.para("## Notes")
		p.block()
		for _, note := range r.Notes {
			p.line("- %s", note)
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

// writeAcross lays the configurations beside each other: latency against
// throughput across loads. By Little's law throughput x latency is what is
// under way on average.
func (r *Report) writeAcross(p *page) {
	if len(r.Configs) < 2 {
		return
	}
	p.para("## Latency and Throughput Across Configurations")
	p.block()
	var rows [][]string
	for _, f := range r.Configs {
		latency, _, average := f.figuresOrNone()
		var underWay *float64
		if latency.mean != nil && average != nil {
			underWay = scaled(average, *latency.mean/1000/float64(max(1, f.Batch)))
		}
		rows = append(rows, []string{f.Config.String(), fixed(latency.mean, 2), fixed(latency.p95, 2), fixed(average, 2), fixed(underWay, 2)})
	}
	p.table([]string{"Config", "Lat Avg (ms)", "Lat P95 (ms)", "TP Avg (pairs/s)", "Batches Under Way"}, rows)
	p.para("**Correlation Across Configurations:** %s", fixed(r.LoadCorrelation, 3))
}

// write lists the data set, with a bar for each length.
func (d *Dataset) write(p *page) {
	p.para("## Data Set")
	p.block()
	var meanLength *float64
	if d.Pairs > 0 {
		m := float64(d.Tokens) / float64(d.Pairs)
		meanLength = &m
	}
	p.table(metricValue, [][]string{
		{"Name", d.Name},
		{"SHA-256", d.SHA256},
		{"Pairs", strconv.Itoa(d.Pairs)},
		{"Tokens", strconv.Itoa(d.Tokens)},
		{"Mean length (tokens)", fixed(meanLength, 1)},
	})
	if len(d.Histogram) == 0 {
		return
	}
	most := 1
	for _, b := range d.Histogram {
		most = max(most, b.Pairs)
	}
	const longest = 40 // marks of the fullest bucket's bar
	var rows [][]string
	for _, b := range d.Histogram {
		marks := min(longest, max(0, int(float64(longest)*float64(b.Pairs)/float64(most)+0.5)))
		rows = append(rows, []string{fmt.Sprintf("%d-%d", b.Min, b.Min+b.Width-1), strconv.Itoa(b.Pairs), strings.Repeat("#", marks)})
	}
	p.block()
	p.table([]string{"Tokens", "Pairs", "Histogram"}, rows)
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
		{"CPU", orNone(e.CPU)},
		{"CPU features", orNone(strings.Join(e.CPUFeatures, " "))},
		{"GPU", orNone(e.GPU)},
		{"Cores", count(int64(e.Cores))},
		{"Workers", count(int64(e.Workers))},
		{"Memory (GiB)", fixed(memory, 1)},
		{"OS", orNone(e.OS)},
		{"Arch", orNone(e.Arch)},
		{"Go", orNone(e.Go)},
		{"GOMAXPROCS", count(int64(e.GOMAXPROCS))},
		{"Commit", orNone(commit)},
		{"Arguments", orNone(strings.Join(args, " "))},
		{"Load average before the run, 1 min", fixed(e.Load1, 2)},
		{"Noise of the machine (%)", fixed(scaled(e.Noise, 100), 1)},
		{"Device peak (GFLOP/s)", fixed(scaled(r.Peak, 1e-9), 1)},
		{"Model layers", count(int64(m.Layers))},
		{"Model hidden size", count(int64(m.Hidden))},
		{"Model parameters", count(m.Parameters)},
		{"Weights SHA-256", orNone(m.WeightsSHA256)},
		{"Tokenizer SHA-256", orNone(m.TokenizerSHA256)},
	}
	if e.InstructionSet != "" {
		rows = append(rows, []string{"Instruction set", e.InstructionSet})
	}
	return rows
}

func orNone(s string) string {
	if s == "" {
		return notMeasured
	}
	return s
}

// count prints what cannot be 0 where it is known.
func count(n int64) string {
	if n == 0 {
		return notMeasured
	}
	return strconv.FormatInt(n, 10)
}
