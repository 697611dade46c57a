package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

func (p *program) compare() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare A B",
		Short: "Lay two bench reports side by side",
		Long: `Lay two bench reports side by side: every metric of each configuration that both
have, the ratio B/A, and whether the difference is larger than the noise.

A and B are report.json, recording.json, report.md, a folder that "bench" wrote,
or the markdown of another tool in the same format.`,
		Example: `  minilm-metal compare old/report.json new/report.json
  minilm-metal compare 01_backend_pytorch.md bench-report/today
  minilm-metal compare --json old new | jq '.configs[0].metrics[] | select(.beyond_noise)'`,
		Args: arguments("", "A", "B"),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := readReport(args[0])
			if err != nil {
				return err
			}
			b, err := readReport(args[1])
			if err != nil {
				return err
			}
			sides := compare.Reports(a, b)
			if asJSON {
				return writeComparison(p.stdout, sides)
			}
			return sides.WriteText(p.stdout)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// readReport reads the report at path, a file or a folder of bench's.
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
	Verdict string   `json:"verdict"` // on b: "better", "worse", "same" or ""
}

func writeComparison(w io.Writer, c compare.Comparison) error {
	// JSON's readers would rather have [] than null.
	list := func(s []string) []string { return append([]string{}, s...) }
	configs := func(s []report.Config) []report.Config { return append([]report.Config{}, s...) }
	of := func(r *report.Report) side { return side{r.Name, r.Model.ID, r.Backend, r.Device, r.Precision} }
	out := comparison{A: of(c.A), B: of(c.B), Warnings: list(c.Warnings), Configs: []configComparison{}, OnlyA: configs(c.OnlyA), OnlyB: configs(c.OnlyB)}
	for _, pair := range c.Pairs {
		config := configComparison{Config: pair.Config, Warnings: list(pair.Warnings)}
		for _, d := range pair.Differences {
			m := metricComparison{Metric: d.Metric, A: d.A, B: d.B, Ratio: d.Ratio, Verdict: d.Verdict}
			config.Metrics = append(config.Metrics, m)
		}
		out.Configs = append(out.Configs, config)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}
