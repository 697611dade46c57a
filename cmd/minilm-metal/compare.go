package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/atomicfile"
)

func (p *program) compare() *cobra.Command {
	var (
		asJSON bool
		gates  []string
		page   string
	)
	c := &cobra.Command{
		Use:   "compare REPORT... [-- REPORT...]",
		Short: "Lay bench reports side by side, and judge runs of two sides",
		Long: `Lay bench reports side by side. Of two that is every metric of each configuration that
both have, and the ratio B/A; of more it is how each went on from the first. One run of each
is no verdict, however large the difference.

With -- between them, what is before it are runs of A and what is after it runs of B. Four
or more of each are judged as "bench ab" judges rounds, with Mann and Whitney's test; rounds
in turns say more. The ab.json of "bench ab", or its folder, is judged again.

A report is report.json, recording.json, report.md, a folder that "bench" wrote, or the
markdown of another tool in the same format. --gate is as in "bench ab"; with it the exit
code is that of a verdict, and without it 0 if the files could be read. --html writes a page
as well: the ratios, the rounds of a trial, or each measure over the reports.

` + exitCodes,
		Example: `  minilm-metal compare old/report.json new/report.json
  minilm-metal compare 01_backend_pytorch.md bench-report/today
  minilm-metal compare --html trend.html bench-report/*        # a trend, and its page
  minilm-metal compare --gate throughput=5% old/1 old/2 old/3 old/4 -- new/1 new/2 new/3 new/4
  minilm-metal compare --gate p95=10% bench-report/today-ab
  minilm-metal compare --json old new | jq '.configs[0].metrics[] | {metric, ratio}'`,
		Args: func(c *cobra.Command, args []string) error {
			at := c.ArgsLenAtDash()
			switch {
			case len(args) == 0:
				return usageError("want two reports, or the folder of a trial")
			case at == 0 || at > 0 && at == len(args):
				return usageError("--: want reports of A before it, and of B after it")
			case at > 0:
				for _, arg := range args[at:] { // no flag is one after --
					if strings.HasPrefix(arg, "--") {
						return usageError("%s: want flags before --, and after it the reports of B alone", arg)
					}
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			parsed, err := parseGates(gates)
			if err != nil {
				return err
			}
			if page != "" && slices.ContainsFunc(args, func(read string) bool { return filepath.Clean(read) == filepath.Clean(page) }) {
				return usageError("--html %s: is one of the reports", page)
			}
			if len(args) == 1 {
				return p.compareTrial(args[0], parsed, c.Flags().Changed("gate"), page, asJSON)
			}
			var reports []*report.Report
			for _, path := range args {
				r, err := readReport(path)
				if err != nil {
					return err
				}
				reports = append(reports, r)
			}
			at := c.ArgsLenAtDash()
			switch {
			case at < 0 && len(gates) > 0 && len(args) > 2:
				return usageError("--gate: which are A's runs, and which B's? want -- between them")
			case at > 0 || len(gates) > 0:
				if at < 0 {
					at = 1
				}
				j := compare.Groups(reports[:at], reports[at:], parsed)
				err := p.showJudgement(j, "Runs of A and B", groupSides(reports[:at], reports[at:]), page, asJSON)
				if err != nil || len(gates) == 0 {
					return err
				}
				return outcomeError(j)
			case len(args) > 2:
				trend := compare.TrendOf(reports)
				if err := writePage(page, trend.WriteHTML); err != nil {
					return err
				}
				if asJSON {
					return writeTrend(p.stdout, trend)
				}
				return trend.WriteText(p.stdout)
			}
			sides := compare.Reports(reports[0], reports[1])
			if err := writePage(page, sides.WriteHTML); err != nil {
				return err
			}
			if asJSON {
				return writeComparison(p.stdout, sides)
			}
			return sides.WriteText(p.stdout)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().StringVar(&page, "html", "", "write a page to this file, over what is there")
	c.Flags().StringArrayVar(&gates, "gate", nil, "judge this metric, with a threshold such as throughput=5%; several times")
	return c
}

// compareTrial judges the trial at path, a file or its folder, again.
func (p *program) compareTrial(path string, gates []compare.Gate, gated bool, page string, asJSON bool) error {
	file := path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file = filepath.Join(path, ab.File)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		if file != path {
			return usageError("%s: one report, and no trial in it: want two to compare", path)
		}
		return err
	}
	if !ab.IsTrial(data) {
		return usageError("%s: one report: want two to compare", path)
	}
	t, err := ab.Decode(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	err = p.showTrial(t, gates, page, asJSON, nil)
	if _, found := errors.AsType[*judged](err); found && !gated {
		return nil // it is shown, and nobody asked for more
	}
	return err
}

// writePage writes a page to the file at path, whole or not at all; "" is none.
func writePage(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	return atomicfile.Write(path, 0o644, func(f *os.File) error { return write(f) })
}

// groupSides say which programs the runs of two sides were of, as far as the first tells.
func groupSides(a, b []*report.Report) []compare.Side {
	of := func(r *report.Report) (name, commit string) {
		if r.Environment != nil {
			commit = shortHash(r.Environment.Commit)
		}
		return r.Name, commit
	}
	nameA, commitA := of(a[0])
	nameB, commitB := of(b[0])
	return []compare.Side{
		{What: "Name of the first", A: nameA, B: nameB},
		{What: "Commit", A: commitA, B: commitB},
		{What: "Device", A: a[0].Device, B: b[0].Device},
		{What: "Precision", A: a[0].Precision, B: b[0].Precision},
	}
}

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

// readReport reads a report: a file, or a folder that bench wrote.
func readReport(path string) (*report.Report, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, report.JSONFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := compare.Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
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
