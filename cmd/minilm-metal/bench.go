package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// outFolder is where reports go by default.
const outFolder = "bench-report"

func (p *program) bench() *cobra.Command {
	var (
		flags    engineFlags
		profiles profiles
		o        bench.Options
		out      string
		force    bool
		asJSON   bool
		show     bool
		kernels  string
		scenario scenario
		server   server
		ablated  ablation
	)
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure, and write the report",
		Long: `Measure throughput and latency and every stage of them, and write the report.

Without arguments it needs nothing but itself: the checkpoint if it is in the
local cache, else synthetic weights of its shape (timings hold, scores mean
nothing, and the report says so), on built-in text with the lengths of MS MARCO.

Several of --batch, --concurrency, --precision or --length are swept, each with each;
a precision has an engine of its own, and its own accuracy in the report.

A model that makes embeddings is measured by single texts: the passages of the same
text, or those of --dataset ({"text": "..."} a line), and whatever counts pairs here
counts texts.

Before anything is timed, scores are compared with a float64 reference; scores
that are too far off are not timed, and the exit code is 1. When --time-bound is
over, the run ends and the report says how many pairs were run. An interrupted
run writes the report of what it measured until then, or says that this was nothing.

--out gets recording.json (every sample), report.html, report.md, report.json and
report.csv. Those that are there already are written over only with --force. --open
shows the page, report.html, when the run is over. With --json, standard output
gets what is in report.json, and nothing else.
--profile gets what each kernel of each layer cost, for "minilm-metal pprof".
--stages puts into the report what each kernel costs a batch, from more batches
that are run after the measurement, which it leaves as it is.

--accuracy compares, in each precision, the scores of pairs with exact logits and with
people's judgements, which you give: {"query", "documents": [...], "logits": [...],
"judgements": [...]} a line, with "other_judgements" of passages that are not
among these. The report tells errors, orders swapped, and nDCG@10 beside that of
the logits.

--mix and --overload take the place of batches and concurrencies; their loads take
turns until the time bound. --mix measures calls of one pair, as they arrive, alone
and beside callers of very many pairs: what do the small ones wait, what does the
bulk lose? --overload sends more calls than can be served to an engine that lets
--max-queue pairs wait: how many are refused, how fast, and what do the others wait?

--slo finds how much load holds: requests that arrive as a Poisson process, at rates
from 30 to 95 % of what a closed loop reaches, until the largest is found whose P95
keeps the bound and three other seeds confirm it. --ramp measures a row of rising
loads. Both take the place of batches and concurrencies, and write load.csv too.

--ablate tells where the speed comes from: runs without one idea at a time (packing,
tokenizer, tokenizing beside computing, instructions, precision, threads), and runs from
a plain one, with none of them, to the full one, take turns in random order. Ideas that
cannot be switched off are measured by their own kernels, and marked as computed.

--url measures a server that speaks text-embeddings-inference's /rerank or Cohere's
(as Infinity, vLLM and others do), in the engine's place: the same loops, page and
accuracy gate, for which --model names the model that it serves. A request has one
query and --batch passages. Errors are counted by kind, and are in no figure of
speed. MINILM_URL_KEY is sent as the bearer token, and is in no recording.
A server of OpenAI's /v1/embeddings embeds the query and the passages of a request,
and the score of a pair is the cosine of the two. That is other work than a
cross-encoder's, with other scores, so there is no accuracy gate, and --model, whose
tokenizer counts the tokens, need only have the same tokenizer.`,
		Example: `  minilm-metal bench
  minilm-metal bench --batch 16,32,64 --concurrency 1,2 --pairs 1600 --time-bound 10m
  minilm-metal bench --precision f32,bf16,int8 --length 32,128,512 --time-bound 10m
  minilm-metal bench --dataset pairs.jsonl --name mine --out ./report
  minilm-metal bench --model DIR --precision f32,bf16,int8 --accuracy judged.jsonl
  minilm-metal bench --profile kernels.pprof && minilm-metal pprof kernels.pprof
  minilm-metal bench --stages --time-bound 5m
  minilm-metal bench --json | jq .summary.pairs_per_second
  minilm-metal bench --rate 50 --batch 1          # an open loop: 50 pairs/s arrive, ready or not
  minilm-metal bench --scenario single-stream     # one pair at a time: LoadGen's P90
  minilm-metal bench --slo 100ms --time-bound 5m  # how much load holds with that latency?
  minilm-metal bench --mix --mix-bulk 8 --time-bound 5m
  minilm-metal bench --model ./all-MiniLM-L6-v2 --precision f32,bf16,int8   # an embedder, in a folder
  minilm-metal bench --ablate --precision int8 --time-bound 5m   # where does the speed come from?
  minilm-metal bench --url http://localhost:8080 --model DIR --concurrency 1,4
  minilm-metal bench --overload --overload-factor 3 --max-queue 64`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			precisions := strings.Split(flags.precision, ",")
			if err := errors.Join(flags.checkEach(precisions), checkBench(&o)); err != nil {
				return err
			}
			if err := scenario.apply(c.Flags(), &o); err != nil {
				return err
			}
			if err := errors.Join(server.apply(c.Flags(), &o), ablated.apply(c.Flags(), &o)); err != nil {
				return err
			}
			if out != "" && !force { // the default folder is always new
				if name := reportIn(out); name != "" {
					return fmt.Errorf("%s: is there already; --force writes over it", name)
				}
			}
			if o.Rate > 0 && !c.Flags().Changed("concurrency") {
				o.Concurrencies = nil // callers that never run out
			}
			o.Device, o.InstructionSet, o.Precision, o.Workers = flags.device, flags.isa, flags.precision, flags.workers
			if len(precisions) > 1 {
				o.Precision, o.Precisions = "", precisions
			}
			o.CalibrationFile = p.calibrationFile()
			found, err := p.checkpoint(flags.model, hub.Complete)
			if err != nil {
				return err
			}
			o.Model = bench.Checkpoint{Files: found.files, ID: modelID(flags.model, found), Synthetic: found.synthetic}
			o.Args = p.args
			o.Progress, o.Live = p.bar.Count, live(p.bar)
			if out == "" {
				out = freshFolder(filepath.Join(outFolder, time.Now().Format("20060102-150405-")+fileName(cmp.Or(o.Name, "minilm-metal"))))
			}
			if err := errors.Join(profileable("profile", kernels), profiles.check()); err != nil {
				return err
			}
			stop, err := profiles.start()
			if err != nil {
				return err
			}
			begun := time.Now()
			err = errors.Join(p.measure(c.Context(), o, out, kernels, asJSON), stop())
			page := filepath.Join(out, report.HTMLFile)
			// Not one that lay there before a run of which there is none.
			if info, missing := os.Stat(page); show && c.Context().Err() == nil && missing == nil && !info.ModTime().Before(begun.Truncate(time.Second)) {
				p.open(page)
			}
			return err
		},
	}
	flags.register(c.Flags())
	f := c.Flags()
	f.StringVar(&o.Dataset, "dataset", "", `JSON Lines file of pairs, as "score" reads them, or of texts, as "embed" does (default: built in)`)
	f.BoolVar(&o.Embed, "embed", false, "measure embeddings of texts, also of a model that makes scores (one that makes none is measured so anyway)")
	f.StringVar(&o.Judged, "accuracy", "", "JSON Lines file of pairs with exact logits, and judgements, to compare the scores with")
	f.IntSliceVar(&o.Batches, "batch", []int{bench.DefaultBatch}, "pairs in a batch; several with commas")
	f.IntSliceVar(&o.Concurrencies, "concurrency", []int{bench.DefaultCallers}, "callers at once; several with commas (with --rate: as many as it takes)")
	f.IntSliceVar(&o.Lengths, "length", nil, "tokens of each pair, several with commas; text is cut or lengthened (default: as it is)")
	f.Lookup("precision").Usage += "; several with commas"
	f.IntVar(&o.Pairs, "pairs", bench.DefaultPairs, "pairs to score, or texts to embed, in each configuration")
	f.Float64Var(&o.Rate, "rate", 0, "open loop: pairs that arrive in a second (default: closed loop)")
	f.DurationVar(&o.TimeBound, "time-bound", bench.DefaultTimeBound, "longest time for all of the run; 0 is none")
	f.StringVar(&o.Name, "name", "", "title of the report (default: the model, the device and the precision)")
	f.StringVar(&o.Description, "description", "", "line below the title")
	f.StringVarP(&out, "out", "o", "", "folder for the report (default: a new one in "+outFolder+")")
	f.BoolVar(&force, "force", false, "write over a report that is in the folder of --out")
	f.BoolVar(&asJSON, "json", false, "write report.json to standard output too, in place of the summary")
	f.BoolVar(&show, "open", false, "show the report's page on the desktop when the run is over")
	f.StringVar(&kernels, "profile", "", "write what each kernel cost to this file, as a profile of google/pprof, over what is there")
	f.BoolVar(&o.Stages, "stages", false, "tell what each kernel costs, in up to 5 s of batches after each configuration")
	f.IntVar(&o.MaxQueue, "max-queue", 0, fmt.Sprintf("pairs that may wait in the engine; 0 is any number (--overload: %d)", bench.DefaultMaxQueue))
	scenario.register(f)
	server.register(f)
	ablated.register(f)
	profiles.register(f)
	c.AddCommand(p.ab(), p.benchVerify(), p.benchPeers())
	return c
}

// checkBench refuses values that package bench would replace by its defaults.
func checkBench(o *bench.Options) error {
	if o.Pairs < 1 {
		return usageError("--pairs %d: want at least 1", o.Pairs)
	}
	if len(o.Batches) == 0 || len(o.Concurrencies) == 0 {
		return usageError("--batch and --concurrency: want at least one number each")
	}
	switch {
	case o.TimeBound < 0:
		return usageError("--time-bound %v: want a time, or 0 for none", o.TimeBound)
	case o.TimeBound == 0:
		o.TimeBound = -1
	}
	return nil
}

// measure runs the bench and writes its report to the folder out. If kernels is not "", it
// writes the profile of the kernels to that file. It shows the report's summary, or all of
// the report as JSON.
func (p *program) measure(ctx context.Context, o bench.Options, out, kernels string, asJSON bool) error {
	// Better now than after the run.
	if err := writable(out); err != nil {
		return err
	}
	o.Profile = kernels != ""
	rec, runErr := bench.Measure(ctx, o)
	p.bar.Close()
	if rec == nil {
		// Remove the folder if it is empty.
		os.Remove(out)
		if parent := filepath.Dir(out); parent == outFolder {
			os.Remove(parent)
		}
		p.undone = "nothing was measured yet, and nothing is written"
		if errors.Is(runErr, bench.ErrOptions) {
			return usageError("%w", runErr)
		}
		return runErr
	}
	figures, err := writeRun(out, rec)
	if err != nil {
		return errors.Join(runErr, err)
	}
	if o.Profile {
		if err := report.WriteProfileFile(kernels, rec); err != nil {
			return errors.Join(runErr, err)
		}
	}
	p.undone = "what was measured until then is in " + filepath.Join(out, report.MarkdownFile)
	if asJSON {
		p.warn("report: %s", filepath.Join(out, report.MarkdownFile))
		return errors.Join(runErr, figures.WriteJSON(p.stdout))
	}
	return errors.Join(runErr, p.summarize(figures, out, kernels))
}

// summarize shows the beginning of a report, its notes and where its files are.
func (p *program) summarize(r *report.Report, out, kernels string) error {
	if err := r.WriteSummary(p.stdout); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout)
	for _, note := range r.Notes {
		fmt.Fprintf(p.stdout, "Note: %s\n", note)
	}
	_, err := fmt.Fprintf(p.stdout, "\nReport: %s\nPage: %s\n", filepath.Join(out, report.MarkdownFile), filepath.Join(out, report.HTMLFile))
	if kernels != "" && err == nil {
		_, err = fmt.Fprintf(p.stdout, "Profile: %s, see \"minilm-metal pprof\"\n", kernels)
	}
	return err
}

// writeRun writes what was measured into a folder, and its reports, which it returns. The
// recording comes first, and is written even if no report can be made of it: the reports can
// be made again, it cannot.
func writeRun(dir string, rec *recording.Recording) (*report.Report, error) {
	if err := recording.Write(dir, rec); err != nil {
		return nil, err
	}
	if err := rec.Validate(); err != nil {
		return nil, err
	}
	r := report.Derive(rec)
	return r, report.Write(dir, r)
}

// reportIn returns the first file of a report in the folder, or "" if there is none.
func reportIn(dir string) string {
	for _, name := range []string{recording.File, report.MarkdownFile, report.JSONFile, report.CSVFile, report.LoadCSVFile, report.HTMLFile} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return ""
}

// freshFolder returns the name of a folder that does not exist: two runs may begin in the
// same second.
func freshFolder(name string) string {
	fresh := name
	for n := 2; ; n++ {
		if _, err := os.Lstat(fresh); err != nil {
			return fresh
		}
		fresh = fmt.Sprintf("%s-%d", name, n)
	}
}

// profileable returns an error, before the run, if the file of a flag cannot be written
// after it. path may be "", which means no file.
func profileable(flag, path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usageError("--%s %s: is a folder, want a file", flag, path)
	} else if err == nil && !info.Mode().IsRegular() {
		return nil // a pipe or a device can be written
	}
	err := probe(filepath.Dir(path))
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		err = of.Err // without the name of the temporary file, which the user does not know
	}
	if err != nil {
		return fmt.Errorf("--%s %s: %w", flag, path, err)
	}
	return nil
}

// writable makes the folder, and returns an error if files cannot be created in it.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return probe(dir)
}

// probe creates a file in the folder and removes it again.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".writable.*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// modelID is the model's name in the report: the name that the user gave, if any. The
// sha256 of the weights says which commit it was.
func modelID(name string, found checkpoint) string {
	switch {
	case found.dir == "":
		return found.name
	case name == "":
		return hub.MiniLM().ID
	}
	return name
}

// fileName converts a title to a part of a folder's name.
func fileName(title string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, title)
}
