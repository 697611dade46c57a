package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/workbench"
)

func (p *program) kernels() *cobra.Command {
	var (
		selection                   kernelSelection
		options                     workbench.Options
		asJSON, asBenchstat, asList bool
	)
	c := &cobra.Command{
		Use:   "kernels",
		Short: "Measure each kernel alone, against the processor's limits",
		Long: `Measure each kernel of the CPU alone: every shape that MiniLM has, on every
instruction set and in every number format that the processor runs, in one
thread, in turns. Plain Go ("generic") has its larger shapes measured only where
--isa names it.

A kernel's time is the median of the repeats, ± half of what lies between the
quartiles. GFLOP/s and GB/s count what the kernel must do and move: its products,
and its operands, each read or written once. "peak" is the share of what the
instruction set reaches in this run on multiply-adds without memory; "roofline"
the share of what is attainable: the lesser of that peak ("bound" says peak) and
of FLOP/B times the read bandwidth of the nearest memory that holds the operands
("bound" says which).

--json writes everything, every repeat included. "schema" is its version, which
changes when a field's name or meaning does. Times are in nanoseconds, rates per
second; what was not measured is null.

--benchstat writes Go's benchmark format, a line for each repeat.

An interrupted run writes what it measured.`,
		Example: `  minilm-metal kernels
  minilm-metal kernels --focus 'qkv.*rows=128' --count 20
  minilm-metal kernels --shape 64x768x3072 --shape 1x768x768 --isa avx512,avx2
  minilm-metal kernels --benchstat > new.txt      # benchstat old.txt new.txt, or benchstat -col /isa new.txt
  minilm-metal kernels --json | jq '.results[] | {name, peak_share}'`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			cases, err := selection.cases()
			if err != nil {
				return err
			}
			switch {
			case options.Count < 1:
				return usageError("--count %d: want at least 1", options.Count)
			case options.Time <= 0:
				return usageError("--time %v: want more than 0", options.Time)
			case asJSON && asBenchstat || asJSON && asList || asBenchstat && asList:
				return usageError("--json, --benchstat, --list: want one of them")
			}
			if asList {
				return listKernels(p.stdout, cases)
			}
			options.Progress = p.bar.Count
			environment := bench.NewEnvironment(p.args)
			report, runErr := workbench.Measure(c.Context(), cases, options)
			p.bar.Close()
			if len(report.Measured()) == 0 {
				p.undone = "nothing was measured yet"
				return runErr
			}
			p.undone = "only what was measured until then is written"
			switch {
			case asJSON:
				err = writeKernelsJSON(p.stdout, report, &environment)
			case asBenchstat:
				err = writeKernelsBenchstat(p.stdout, report, &environment)
			default:
				err = writeKernelsTable(p.stdout, report, &environment)
			}
			if err != nil {
				return err
			}
			return runErr
		},
	}
	f := c.Flags()
	f.StringVar(&selection.focus, "focus", "", "only the kernels whose name, as --list prints it, matches this regular expression")
	f.Var(&selection.shapes, "shape", "measure products of this shape instead: rows x inputs x outputs, such as 128x384x1536; may be repeated")
	f.StringSliceVar(&selection.isas, "isa", nil, "instruction sets; several with commas (default: all)")
	f.StringSliceVar(&selection.formats, "format", nil, "number formats; several with commas (default: all)")
	f.IntVar(&options.Count, "count", workbench.DefaultCount, "repeats of each kernel")
	f.DurationVar(&options.Time, "time", workbench.DefaultTime, "of a repeat, about")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	f.BoolVar(&asBenchstat, "benchstat", false, "write Go's benchmark format, for benchstat")
	f.BoolVar(&asList, "list", false, "print the names, and measure nothing")
	return c
}

// kernelSelection holds the flags that select kernels.
type kernelSelection struct {
	focus         string
	shapes        shapesFlag
	isas, formats []string
}

func (s *kernelSelection) cases() ([]*workbench.Case, error) {
	focus, err := regexp.Compile(s.focus)
	if err != nil {
		return nil, usageError("--focus %q: %w", s.focus, err)
	}
	variants, err := s.variants()
	if err != nil {
		return nil, err
	}
	slow := slices.Contains(s.isas, kernels.Generic.String())
	cases := workbench.Cases(workbench.Selection{Variants: variants, Shapes: s.shapes, Focus: focus, Slow: slow})
	if len(cases) == 0 {
		return nil, usageError("--focus %q: no kernel's name matches; --list without --focus prints the names", s.focus)
	}
	return cases, nil
}

// variants returns the variants of the instruction sets and formats asked for.
func (s *kernelSelection) variants() ([]kernels.Variant, error) {
	all := kernels.Variants()
	has := func(flag string, names []string, of func(kernels.Variant) string) error {
		var known []string
		for _, v := range all {
			if name := of(v); !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				return usageError("--%s %q: this processor or build has %s", flag, name, strings.Join(known, ", "))
			}
		}
		return nil
	}
	isa := func(v kernels.Variant) string { return v.ISA.String() }
	format := func(v kernels.Variant) string { return v.Format.String() }
	if err := has("isa", s.isas, isa); err != nil {
		return nil, err
	}
	if err := has("format", s.formats, format); err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(all, func(v kernels.Variant) bool {
		return len(s.isas) > 0 && !slices.Contains(s.isas, isa(v)) || len(s.formats) > 0 && !slices.Contains(s.formats, format(v))
	})
	if len(wanted) == 0 {
		return nil, usageError("--isa %s --format %s: there are no such kernels", strings.Join(s.isas, ","), strings.Join(s.formats, ","))
	}
	return wanted, nil
}

// shapesFlag is --shape: products of M rows, K inputs and N outputs.
type shapesFlag []workbench.Shape

// largestMatrix is the most values in one of a shape's matrices: 256 MiB.
const largestMatrix = 64 << 20

func (s *shapesFlag) Set(text string) error {
	parts := strings.Split(text, "x")
	var n [3]int
	for i, part := range parts {
		if len(parts) != len(n) {
			break
		}
		// 0, for text that is not a number, is refused below.
		n[i], _ = strconv.Atoi(part)
	}
	m, k, o := n[0], n[1], n[2]
	if min(m, k, o) < 1 {
		return fmt.Errorf("want rows x inputs x outputs, each at least 1, such as 128x384x1536")
	}
	if m > largestMatrix/k || k > largestMatrix/o || m > largestMatrix/o {
		return fmt.Errorf("a matrix would have over %d values", largestMatrix)
	}
	*s = append(*s, workbench.Shape{Rows: m, In: k, Out: o})
	return nil
}

func (s *shapesFlag) String() string {
	var all []string
	for _, shape := range *s {
		all = append(all, fmt.Sprintf("%dx%dx%d", shape.Rows, shape.In, shape.Out))
	}
	return strings.Join(all, ",")
}

func (s *shapesFlag) Type() string { return "MxKxN" }

func listKernels(w io.Writer, cases []*workbench.Case) error {
	for _, c := range cases {
		if _, err := fmt.Fprintln(w, c.Name()); err != nil {
			return err
		}
	}
	return nil
}

func writeKernelsJSON(w io.Writer, report *workbench.Report, e *recording.Environment) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(report.Document(e))
}

// writeKernelsBenchstat writes as keys only what two runs to be compared have in common,
// because benchstat makes a table for each set of values.
func writeKernelsBenchstat(w io.Writer, report *workbench.Report, e *recording.Environment) error {
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: github.com/minilm-metal/minilm-metal/kernels\ncpu: %s\n", runtime.GOOS, e.Arch, e.CPU)
	fmt.Fprintf(w, "# %s\n", aboutRun(e))
	return report.WriteBenchstat(w)
}

func writeKernelsTable(w io.Writer, report *workbench.Report, e *recording.Environment) error {
	fmt.Fprintf(w, "%s, %d cores, %s\n%s\n\n", e.CPU, e.Cores, e.OS, aboutRun(e))
	return report.WriteTable(w)
}

// aboutRun describes what is particular to one run.
func aboutRun(e *recording.Environment) string {
	changed := ""
	if e.Dirty {
		changed = " (changed)"
	}
	text := fmt.Sprintf("%s, commit %s%s", e.Go, e.Commit, changed)
	if e.Load1 != nil {
		text += fmt.Sprintf(", load average %.2f", *e.Load1)
	}
	if e.Noise != nil {
		text += fmt.Sprintf(", noise %.0f %%", 100**e.Noise)
	}
	return text
}
