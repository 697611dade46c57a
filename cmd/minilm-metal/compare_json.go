package main

import (
	"encoding/json"
	"io"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// writeTrend is the schema of compare --json for more than two reports.
func writeTrend(w io.Writer, t *compare.Trend) error {
	out := struct {
		Reports  []side             `json:"reports"`
		Warnings []string           `json:"warnings"`
		Rows     []compare.TrendRow `json:"rows"`
	}{Warnings: append([]string{}, t.Warnings...), Rows: append([]compare.TrendRow{}, t.Rows...)}
	for _, r := range t.Reports {
		out.Reports = append(out.Reports, sideOf(r))
	}
	return writeIndented(w, out)
}

func sideOf(r *report.Report) side {
	return side{r.Name, r.Model.ID, r.Backend, r.Device, r.Precision}
}

// writeIndented writes JSON for people who look at it.
func writeIndented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// comparison is the schema of compare --json.
type comparison struct {
	A        side               `json:"a"`
	B        side               `json:"b"`
	Warnings []string           `json:"warnings"` // what differs that the figures depend on
	Configs  []configComparison `json:"configs"`  // those that both have
	OnlyA    []report.Config    `json:"only_a"`
	OnlyB    []report.Config    `json:"only_b"`
}

type side struct {
	Name      string `json:"name"`
	Model     string `json:"model"`
	Backend   string `json:"backend"`
	Device    string `json:"device"`
	Precision string `json:"precision"`
}

type configComparison struct {
	report.Config
	Warnings []string           `json:"warnings"`
	Metrics  []metricComparison `json:"metrics"`
}

type metricComparison struct {
	Metric  string   `json:"metric"` // with its unit
	A       *float64 `json:"a"`      // null: n/a
	B       *float64 `json:"b"`
	Ratio   *float64 `json:"ratio"`   // b/a
	Verdict string   `json:"verdict"` // about b: "better", "worse", "same" or ""
}

func writeComparison(w io.Writer, c compare.Comparison) error {
	// JSON's readers would rather have [] than null.
	list := func(s []string) []string { return append([]string{}, s...) }
	configs := func(s []report.Config) []report.Config { return append([]report.Config{}, s...) }
	out := comparison{A: sideOf(c.A), B: sideOf(c.B), Warnings: list(c.Warnings), Configs: []configComparison{}, OnlyA: configs(c.OnlyA), OnlyB: configs(c.OnlyB)}
	for _, pair := range c.Pairs {
		config := configComparison{Config: pair.Config, Warnings: list(pair.Warnings)}
		for _, d := range pair.Differences {
			m := metricComparison{Metric: d.Metric, A: d.A, B: d.B, Ratio: d.Ratio, Verdict: d.Verdict}
			config.Metrics = append(config.Metrics, m)
		}
		out.Configs = append(out.Configs, config)
	}
	return writeIndented(w, out)
}
