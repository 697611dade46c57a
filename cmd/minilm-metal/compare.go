package main

import (
	"cmp"
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
	w := compareRun{program: p}
	var gates []string
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
code is that of a verdict. Without it the exit code is 0 if the files could be read, or 5 if
reports have nothing in common: no configuration, or scores here and embeddings there. --html writes a page as well: the ratios, the
rounds of a trial, or each measure over the reports.

` + exitCodes,
		Example: `  minilm-metal compare old/report.json new/report.json
  minilm-metal compare 01_backend_pytorch.md bench-report/today
  minilm-metal compare --html trend.html bench-report/*        # a trend, and its page
  minilm-metal compare --gate throughput=5% old/1 old/2 old/3 old/4 -- new/1 new/2 new/3 new/4
  minilm-metal compare --gate p95=10% bench-report/today-ab
  minilm-metal compare --json old new | jq '.configs[0].metrics[] | {metric, ratio}'`,
		Args: comparedArguments,
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if w.gates, err = parseGates(gates); err != nil {
				return err
			}
			w.gated = len(gates) > 0
			if w.page != "" && slices.ContainsFunc(args, func(read string) bool { return filepath.Clean(read) == filepath.Clean(w.page) }) {
				return usageError("--html %s: is one of the reports", w.page)
			}
			at := c.ArgsLenAtDash()
			if at < 0 && w.gated && len(args) > 2 {
				return usageError("--gate: which are A's runs, and which B's? want -- between them")
			}
			if len(args) == 1 {
				return w.trial(args[0])
			}
			var reports []*report.Report
			for _, path := range args {
				r, err := readReport(path)
				if err != nil {
					return err
				}
				reports = append(reports, r)
			}
			switch {
			case at > 0:
				return w.groups(reports[:at], reports[at:])
			case w.gated:
				return w.groups(reports[:1], reports[1:])
			case len(args) > 2:
				return w.trend(reports)
			}
			return w.two(reports[0], reports[1])
		},
	}
	c.Flags().BoolVar(&w.asJSON, "json", false, "write JSON")
	c.Flags().StringVar(&w.page, "html", "", "write a page to this file, over what is there")
	c.Flags().StringArrayVar(&gates, "gate", nil, "judge this metric, with a threshold such as throughput=5%; several times")
	return c
}

// compareRun is how a comparison is wanted.
type compareRun struct {
	*program
	gates  []compare.Gate
	gated  bool // --gate was given: the exit code is a verdict's
	page   string
	asJSON bool
}

// comparedArguments refuses arguments that are not reports, or that are of one side alone.
func comparedArguments(c *cobra.Command, args []string) error {
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
}

// trial judges the trial at path, a file or its folder, again.
func (w *compareRun) trial(path string) error {
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
	err = w.showTrial(t, w.gates, w.page, w.asJSON, nil)
	if _, found := errors.AsType[*judged](err); found && !w.gated {
		return nil // it is shown, and nobody asked for more
	}
	return err
}

// groups judges runs of two sides.
func (w *compareRun) groups(a, b []*report.Report) error {
	j := compare.Groups(a, b, w.gates)
	err := w.showJudgement(j, "Runs of A and B", groupSides(a, b), w.page, w.asJSON)
	if err != nil || !w.gated {
		return err
	}
	return outcomeError(j)
}

// trend shows how reports went on from the first.
func (w *compareRun) trend(reports []*report.Report) error {
	trend := compare.TrendOf(reports)
	if err := writePage(w.page, trend.WriteHTML); err != nil {
		return err
	}
	write := trend.WriteText
	if w.asJSON {
		write = func(out io.Writer) error { return writeTrend(out, trend) }
	}
	return cmp.Or(write(w.stdout), notCompared(trend.Apart))
}

// notCompared is the error of reports of which nothing was compared; "" is no reason, and none.
func notCompared(why string) error {
	if why == "" {
		return nil
	}
	return &judged{incomparable, why + ": nothing was compared"}
}

// two lays two reports side by side.
func (w *compareRun) two(a, b *report.Report) error {
	sides := compare.Reports(a, b)
	err := writePage(w.page, sides.WriteHTML)
	switch {
	case err != nil:
	case w.asJSON:
		err = writeComparison(w.stdout, sides)
	default:
		err = sides.WriteText(w.stdout)
	}
	if err == nil && len(sides.Pairs) == 0 {
		err = notCompared(cmp.Or(sides.Apart, "no configuration is in both reports"))
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
