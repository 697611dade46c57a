package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// benchFlags are the flags of "bench".
type benchFlags struct {
	engine       engineFlags
	profiles     profiles
	scenario     scenario
	server       server
	ablated      ablation
	options      bench.Options
	out, kernels string
	force        bool
	asJSON, show bool
}

func (p *program) bench() *cobra.Command {
	var flags benchFlags
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
		RunE: func(c *cobra.Command, _ []string) error { return p.runBench(c, &flags) },
	}
	flags.register(c.Flags())
	c.AddCommand(p.ab(), p.benchVerify(), p.benchPeers())
	return c
}

func (b *benchFlags) register(f *pflag.FlagSet) {
	o := &b.options
	b.engine.register(f)
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
	f.StringVarP(&b.out, "out", "o", "", "folder for the report (default: a new one in "+outFolder+")")
	f.BoolVar(&b.force, "force", false, "write over a report that is in the folder of --out")
	f.BoolVar(&b.asJSON, "json", false, "write report.json to standard output too, in place of the summary")
	f.BoolVar(&b.show, "open", false, "show the report's page on the desktop when the run is over")
	f.StringVar(&b.kernels, "profile", "", "write what each kernel cost to this file, as a profile of google/pprof, over what is there")
	f.BoolVar(&o.Stages, "stages", false, "tell what each kernel costs, in up to 5 s of batches after each configuration")
	f.IntVar(&o.MaxQueue, "max-queue", 0, fmt.Sprintf("pairs that may wait in the engine; 0 is any number (--overload: %d)", bench.DefaultMaxQueue))
	b.scenario.register(f)
	b.server.register(f)
	b.ablated.register(f)
	b.profiles.register(f)
}

// set makes options of the flags, or returns an error about them.
func (b *benchFlags) set(f *pflag.FlagSet) error {
	o, precisions := &b.options, strings.Split(b.engine.precision, ",")
	if err := errors.Join(b.engine.checkEach(precisions), checkBench(o)); err != nil {
		return err
	}
	if err := b.scenario.apply(f, o); err != nil {
		return err
	}
	if err := errors.Join(b.server.apply(f, o), b.ablated.apply(f, o)); err != nil {
		return err
	}
	if b.out != "" && !b.force { // the default folder is always new
		if name := reportIn(b.out); name != "" {
			return fmt.Errorf("%s: is there already; --force writes over it", name)
		}
	}
	if o.Rate > 0 && !f.Changed("concurrency") {
		o.Concurrencies = nil // callers that never run out
	}
	o.Device, o.InstructionSet, o.Precision, o.Workers = b.engine.device, b.engine.isa, b.engine.precision, b.engine.workers
	if len(precisions) > 1 {
		o.Precision, o.Precisions = "", precisions
	}
	return nil
}

func (p *program) runBench(c *cobra.Command, b *benchFlags) error {
	if err := b.set(c.Flags()); err != nil {
		return err
	}
	found, err := p.checkpoint(b.engine.model, hub.Complete)
	if err != nil {
		return err
	}
	o := &b.options
	o.Model = bench.Checkpoint{Files: found.files, ID: modelID(b.engine.model, found), Synthetic: found.synthetic}
	o.CalibrationFile, o.Args = p.calibrationFile(), p.args
	o.Progress, o.Live = p.bar.Count, live(p.bar)
	if b.out == "" {
		b.out = newFolder(cmp.Or(o.Name, "minilm-metal"))
	}
	if err := errors.Join(profileable("profile", b.kernels), b.profiles.check()); err != nil {
		return err
	}
	stop, err := b.profiles.start()
	if err != nil {
		return err
	}
	begun := time.Now()
	err = errors.Join(p.measure(c.Context(), *o, b.out, b.kernels, b.asJSON), stop())
	page := filepath.Join(b.out, report.HTMLFile)
	// Not one that lay there before a run of which there is none.
	if info, missing := os.Stat(page); b.show && c.Context().Err() == nil && missing == nil && !info.ModTime().Before(begun.Truncate(time.Second)) {
		p.open(page)
	}
	return err
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
		removeEmpty(out)
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
