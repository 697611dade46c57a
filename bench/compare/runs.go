package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/bench/stats"
)

// place is a configuration, and which one if several are equal.
type place struct {
	report.Config
	nth int // from 0
}

// in returns the place's figures in a report, or nil if there are none.
func (p place) in(r *report.Report) *report.Figures {
	n := p.nth
	for i := range r.Configs {
		if r.Configs[i].Config != p.Config {
			continue
		}
		if n == 0 {
			return &r.Configs[i]
		}
		n--
	}
	return nil
}

// places lists the configurations of a report.
func places(r *report.Report) (out []place) {
	for i := range r.Configs {
		p := place{Config: r.Configs[i].Config}
		for slices.Contains(out, p) {
			p.nth++
		}
		out = append(out, p)
	}
	return out
}

// common returns the configurations that all runs have, in the order of the first run.
func common(runs []*report.Report) (out []place) {
	if len(runs) == 0 {
		return nil
	}
	for _, p := range places(runs[0]) {
		if !slices.ContainsFunc(runs, func(r *report.Report) bool { return p.in(r) == nil }) {
			out = append(out, p)
		}
	}
	return out
}

func medianOf(runs []*report.Report, value func(*report.Report) *float64) float64 {
	var all []float64
	for _, r := range runs {
		all = append(all, *value(r))
	}
	return stats.Median(all)
}

// fewestBatches returns the smallest number of batches that a run has of a configuration.
func fewestBatches(runs []*report.Report, at place) int {
	fewest := -1
	for _, r := range runs {
		f := at.in(r)
		if f == nil || f.Latency == nil {
			return 0
		}
		if fewest < 0 || f.Latency.N < fewest {
			fewest = f.Latency.N
		}
	}
	return max(0, fewest)
}

// faults says why runs cannot be compared: different text, weights or processors, or scores
// that were too far off to be timed.
func faults(a, b []*report.Report) (out []string) {
	runs := slices.Concat(a, b)
	if len(a) == 0 || len(b) == 0 {
		return []string{fmt.Sprintf("runs: %d of A, %d of B, want at least one each", len(a), len(b))}
	}
	for _, side := range []struct {
		name string
		runs []*report.Report
	}{{"A", a}, {"B", b}} {
		for _, r := range side.runs {
			if r.Withheld != "" {
				out = append(out, fmt.Sprintf("%s has no speed figures: %s", side.name, r.Withheld))
				break
			}
		}
	}
	for _, must := range []struct {
		what string
		of   func(*report.Report) string
	}{
		{"data set", func(r *report.Report) string {
			if r.Dataset == nil {
				return ""
			}
			return short(r.Dataset.SHA256)
		}},
		{"work", workOf},
		{"weights", func(r *report.Report) string { return short(r.Model.WeightsSHA256) }},
		{"tokenizer", func(r *report.Report) string { return short(r.Model.TokenizerSHA256) }},
		{"processor", func(r *report.Report) string {
			if r.Environment == nil {
				return ""
			}
			return r.Environment.CPU
		}},
	} {
		va, vb := told(a, must.of), told(b, must.of)
		if all := told(runs, must.of); len(all) > 1 {
			out = append(out, fmt.Sprintf("%s: A has %s, B has %s", must.what, strings.Join(va, " and "), strings.Join(vb, " and ")))
		}
	}
	if len(out) == 0 && len(common(runs)) == 0 {
		out = append(out, "no configuration is in every run")
	}
	return out
}

// workOf says what became of a pair. Embeddings are other work, whatever the model's name.
func workOf(r *report.Report) string {
	if r.Task == recording.TaskEmbed {
		return "embeddings of texts"
	}
	if r.Server.Embeds() {
		return "embeddings"
	}
	return "scores of pairs"
}

// apart says why reports cannot be laid side by side: they are of different work. "" is no reason.
func apart(reports []*report.Report) string {
	works := told(reports, workOf)
	if len(works) < 2 {
		return ""
	}
	return fmt.Sprintf("a report is of %s, another of %s: how long the one takes says nothing about the other", works[0], works[1])
}

// told returns the different values that the runs report.
func told(runs []*report.Report, of func(*report.Report) string) (out []string) {
	for _, r := range runs {
		if v := of(r); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// groupWarnings returns what differs between the sides, each thing once, and the runs that
// did not score all that they should have.
func groupWarnings(a, b []*report.Report) (out []string) {
	add := func(text string) {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if len(a) > 0 && len(b) > 0 {
		for _, w := range warnings("A", a[0], "B", b[0]) {
			if !strings.HasPrefix(w, "noise: ") { // it concerns one run of many
				add(w)
			}
		}
	}
	for _, side := range []struct {
		name string
		runs []*report.Report
	}{{"A", a}, {"B", b}} {
		for _, what := range []struct {
			name string
			of   func(*report.Report) string
		}{
			{"precision", func(r *report.Report) string { return r.Precision }},
			{"device", func(r *report.Report) string { return r.Device }},
		} {
			if all := told(side.runs, what.of); len(all) > 1 {
				add(fmt.Sprintf("%s: %s ran with %s", what.name, side.name, strings.Join(all, " and ")))
			}
		}
		for _, r := range side.runs {
			for i := range r.Configs {
				if f := &r.Configs[i]; f.TimeBounded {
					add(fmt.Sprintf("%s: a run of %s was stopped by its time bound, so that not all runs scored the same pairs", f.Config, side.name))
				}
			}
		}
	}
	return out
}
