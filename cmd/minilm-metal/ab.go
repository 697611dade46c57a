package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/compare"
)

// defaultRounds are enough for three gates with p below 0.05, and for a median's interval
// that leaves out the most extreme of them.
const defaultRounds = 10

// abFlags are the flags of "bench ab".
type abFlags struct {
	sides  [2]sideFlags
	rounds int
	seed   uint64
	gates  []string
	out    string
	asJSON bool
}

func (p *program) ab() *cobra.Command {
	var flags abFlags
	c := &cobra.Command{
		Use:   "ab [-- FLAGS OF BENCH]",
		Short: "Run two sides in turns, and say whether B is slower",
		Long: `Run two sides of a bench against each other, and say whether B is slower than A,
faster, the same within a threshold, or whether these rounds cannot tell.

A side is this program with flags of its own (--a, --b), another program (--a-binary,
--b-binary) or a commit, which is built from the repository that the working directory is
in (--a-commit, --b-commit). What both have goes after --. One side at least must be
given; the same of both, as in --a "" --b "", is an A/A trial, and is called that. In each
round each side runs once, as a new process of "bench" with the same pairs, in a random
order, which the same --seed gives again.

Judged are throughput, P95 (if a run has 59 batches) and the first score, or what --gate
names, such as throughput=5%: throughput, p50, p95, p99 (from 299 batches), load, first-score.
The threshold is 3 %, or that of the gate, or how far each side differed from itself from
round to round, if that is more. B is slower if the whole 95 % interval of the ratio B/A is
beyond the threshold, and the same if all of it is within; but nothing is called the same
within more than its gate says, or, without a gate, within more than 25 %. Fewer than 6
rounds give no verdict; with two or three gates, as by default, "slower" and "faster" take 7.

The folder of --out gets what each run wrote, ab.json after each round, which "compare"
judges again, and at the end ab.html, a page of the verdict and the rounds. A trial that is
interrupted judges the rounds that it had.

` + exitCodes,
		Example: `  minilm-metal bench ab --a "--precision f32" --b "--precision bf16"
  minilm-metal bench ab --a-commit main --b-commit HEAD --gate throughput=5% -- --pairs 1920
  minilm-metal bench ab --a-binary ./before --b-binary ./after --rounds 20 -- --precision bf16
  minilm-metal bench ab --a "--workers 1" --b "--workers 2" --out ./workers -- --batch 16
  minilm-metal compare ./workers/ab.json`,
		Args: func(c *cobra.Command, args []string) error {
			if at := c.ArgsLenAtDash(); len(args) > 0 && at != 0 {
				if at > 0 {
					args = args[:at]
				}
				return usageError(`%s: flags of both sides go after --, and those of one in quotes after --a or --b`, quoted(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, shared []string) error {
			return p.runAB(c.Context(), &flags, shared, c.Flags().Changed("a") && c.Flags().Changed("b"))
		},
	}
	f := c.Flags()
	for i, name := range []string{"a", "b"} {
		s := &flags.sides[i]
		f.StringVar(&s.flags, name, "", "flags of bench for side "+strings.ToUpper(name)+", in quotes")
		f.StringVar(&s.binary, name+"-binary", "", "the program of side "+strings.ToUpper(name)+" (default: this one)")
		f.StringVar(&s.commit, name+"-commit", "", "build side "+strings.ToUpper(name)+" from this commit, branch or tag")
	}
	f.IntVar(&flags.rounds, "rounds", defaultRounds, "rounds: a run of each side")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the order of runs")
	f.StringArrayVar(&flags.gates, "gate", nil, "judge this metric, with a threshold such as throughput=5%; several times (default: throughput, p95 and first-score at 3%)")
	f.StringVarP(&flags.out, "out", "o", "", "folder for ab.json and the runs (default: a new one in "+outFolder+")")
	f.BoolVar(&flags.asJSON, "json", false, "write the judgement as JSON to standard output")
	return c
}

// runAB runs a trial and judges it. both says that the flags of both sides were given, of
// which there may be none.
func (p *program) runAB(ctx context.Context, flags *abFlags, shared []string, both bool) (err error) {
	gates, err := parseGates(flags.gates)
	if err != nil {
		return err
	}
	if flags.rounds < 1 || flags.rounds > ab.MostRounds {
		return usageError("--rounds %d: want 1 to %d", flags.rounds, ab.MostRounds)
	}
	var given [2][]string
	for i := range flags.sides {
		if given[i], err = flags.sides[i].check([]string{"a", "b"}[i]); err != nil {
			return err
		}
	}
	if err := passable(shared); err != nil {
		return usageError("after --: %w", err)
	}
	if flags.sides[0] == (sideFlags{}) && flags.sides[1] == (sideFlags{}) && !both {
		return usageError(`no side is given: A and B would be the same. --a and --b have the flags of each, as --b "--precision bf16"; --a-commit, --b-commit, --a-binary and --b-binary another program; an A/A trial is asked for by --a "" --b ""`)
	}
	out := cmp.Or(flags.out, newFolder("ab"))
	if name := firstIn(out, ab.File, abPage, runsFolder); name != "" {
		return fmt.Errorf("%s: is there already; --out wants another folder", name)
	}
	if err := writable(out); err != nil {
		return err
	}
	defer removeEmpty(out) // if nothing came of it
	workshop, err := os.MkdirTemp("", "minilm-metal-ab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(workshop)
	var programs [2]string
	var sides [2]ab.Side
	for i := range flags.sides {
		if programs[i], sides[i], err = p.prepare(ctx, &flags.sides[i], filepath.Join(workshop, []string{"a", "b"}[i])); err != nil {
			return err
		}
		sides[i].Flags = given[i]
	}
	t := ab.New(sides[0], sides[1], flags.rounds, flags.seed)
	t.Args, t.Shared = p.args, append([]string{}, shared...)
	p.warn("rounds: %d, each of a run of A and a run of B in random order (seed %d); what is measured goes to %s", flags.rounds, flags.seed, out)
	if t.OfOne() {
		p.warn("%s", ofOne)
	}
	runErr := t.Run(ctx, p.runner(t, programs, out), func(t *ab.Trial) error {
		p.bar.Count("rounds", len(t.Rounds), t.Planned)
		return t.Write(out)
	})
	p.bar.Close()
	if len(t.Rounds) > 0 {
		p.undone = "the runs until then are in " + filepath.Join(out, ab.File)
	}
	if runErr != nil && !slices.ContainsFunc(t.Rounds, func(r ab.Round) bool { return len(r.Runs) == 2 }) {
		return runErr // there is nothing to judge
	}
	return p.showTrial(t, gates, filepath.Join(out, abPage), flags.asJSON, runErr)
}

// ofOne is what must be known of a trial of one program with the same flags.
const ofOne = "A/A trial: A and B are one program with the same flags, so that any difference is chance, or the machine's"

// abPage is what the page of a trial is called in its folder.
const abPage = "ab.html"

// showTrial writes what a trial says, also to the file page unless that is "", and returns its
// verdict; or failure, if there is one.
func (p *program) showTrial(t *ab.Trial, gates []compare.Gate, page string, asJSON bool, failure error) error {
	j := t.Judge(gates)
	if t.OfOne() {
		j.Warnings = append(j.Warnings, ofOne)
	}
	if t.CutShort != "" {
		j.Warnings = append(j.Warnings, fmt.Sprintf("rounds: %d of %d, cut short: %s", j.RunsB, t.Planned, t.CutShort))
	}
	if err := p.showJudgement(j, "A and B in turns", trialSides(t), page, asJSON); err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	return outcomeError(j)
}

func (p *program) showJudgement(j *compare.Judgement, title string, sides []compare.Side, page string, asJSON bool) error {
	if err := writePage(page, func(w io.Writer) error { return j.WriteHTML(w, title, sides) }); err != nil {
		return err
	}
	if asJSON {
		return writeJudgement(p.stdout, j)
	}
	return j.WriteText(p.stdout, title, sides)
}

// trialSides are the lines that say what the sides of a trial are.
func trialSides(t *ab.Trial) []compare.Side {
	of := func(s ab.Side) (program string) {
		switch {
		case s.Commit != "":
			return "commit " + shortHash(s.Commit)
		case s.Binary != "":
			return s.Binary
		}
		return "this program"
	}
	flags := func(s ab.Side) string { return strings.Join(slices.Concat(s.Flags, t.Shared), " ") }
	return []compare.Side{
		{What: "Program", A: of(t.A), B: of(t.B)},
		{What: "sha256", A: shortHash(t.A.SHA256), B: shortHash(t.B.SHA256)},
		{What: "Flags", A: flags(t.A), B: flags(t.B)},
		{What: "Order of", A: fmt.Sprintf("seed %d", t.Seed), B: fmt.Sprintf("seed %d", t.Seed)},
	}
}

func shortHash(hash string) string { return hash[:min(len(hash), 12)] }

// parseGates reads the gates of a command line.
func parseGates(texts []string) (gates []compare.Gate, err error) {
	for _, text := range texts {
		g, err := compare.ParseGate(text)
		if err != nil {
			return nil, usageError("--gate %w", err)
		}
		if slices.ContainsFunc(gates, func(o compare.Gate) bool { return o.Measure == g.Measure }) {
			return nil, usageError("--gate %s: is there twice", g.Measure)
		}
		gates = append(gates, g)
	}
	return gates, nil
}

// writeJudgement is the schema of --json: the judgement, and what it comes to.
func writeJudgement(w io.Writer, j *compare.Judgement) error {
	return writeIndented(w, struct {
		Outcome compare.Outcome `json:"outcome"`
		Summary string          `json:"summary"`
		*compare.Judgement
	}{j.Outcome(), j.Summary(), j})
}
