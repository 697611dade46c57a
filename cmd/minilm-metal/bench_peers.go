package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/peers"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

const (
	// peerPairs take a second or so of a fast engine, and so ten rounds of all some minutes.
	peerPairs = 320
	// calibrationPairs are what nncf's documentation calls enough.
	calibrationPairs = 200
	// checkedPairs are scored in float64 first: half a minute of one core.
	checkedPairs = 96
	mostRounds   = 1000
)

// peerFlags are the flags of "bench peers".
type peerFlags struct {
	model, dataset, python, venv, cache, out string
	peers, precisions, also                  []string
	rounds, pairs, batch, threads            int
	seed                                     uint64
	limit                                    time.Duration
	asJSON                                   bool
}

func (p *program) benchPeers() *cobra.Command {
	var flags peerFlags
	c := &cobra.Command{
		Use:   "peers",
		Short: "Measure other engines beside ours, in turns",
		Long: `Measure sentence-transformers, PyTorch, ONNX Runtime, OpenVINO and CTranslate2 beside
this engine: the same weights, the same pairs, as many threads, in turns.

Of a model that makes embeddings, texts are embedded, and the others are
sentence-transformers (PyTorch, and its backends ONNX and OpenVINO), fastembed, ONNX Runtime
and OpenVINO. Give --venv another folder than for scores: sentence-transformers' backends want
other versions of the same packages.

They need Python, which nothing else does. --python names one that has them, whichever of
them it has: what is missing is named, with the line that installs it. --venv DIR makes a
virtual environment of that Python (python3 by default) and has pip install all of them
into it, once; these are some gigabytes.

Each engine has a process of its own, which stays warm. In each round each scores all
pairs once, in a random order, which the same --seed gives again. Scores are compared with
a float64 reference first, and an engine whose scores are wrong has no figure of speed.
One that fails is left out, and the table says why.

The folder of --out gets peers.json, all that was measured, and peers.md, the table.
Graphs and quantized weights that are made for the others are kept in --cache, and are in
no figure.`,
		Example: `  minilm-metal bench peers --venv ./peers-venv
  minilm-metal bench peers --python ./peers-venv/bin/python --peers openvino,onnxruntime-f32
  minilm-metal bench peers --venv ./peers-venv --dataset pairs.jsonl --model DIR --rounds 20`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error { return p.runPeers(c.Context(), &flags) },
	}
	f := c.Flags()
	modelFlag(f, &flags.model)
	f.StringVar(&flags.dataset, "dataset", "", `JSON Lines file of pairs, as "score" reads them, or of texts, as "embed" does (default: built in)`)
	f.StringVar(&flags.python, "python", "", "the Python that runs the others, or that makes the environment of --venv")
	f.StringVar(&flags.venv, "venv", "", "folder of a virtual environment with all of them, made if need be")
	f.StringVar(&flags.cache, "cache", "", "folder for what is derived from the weights (default: in the user's cache)")
	f.StringSliceVar(&flags.peers, "peers", nil, "whom to measure, such as openvino,onnxruntime-int8 (default: all)")
	f.StringArrayVar(&flags.also, "also", nil, "one more to measure: NAME:PRECISION=PROGRAM, a program that speaks the protocol of package bench/peers; may be repeated")
	f.StringSliceVar(&flags.precisions, "precision", []string{"f32", "bf16", "int8"}, "precisions of ours")
	f.IntVar(&flags.rounds, "rounds", defaultRounds, "rounds")
	f.IntVar(&flags.pairs, "pairs", peerPairs, "pairs that each scores, or texts that it embeds, in each round")
	f.IntVar(&flags.batch, "batch", bench.DefaultBatch, "pairs in a batch, for those that are called with batches")
	f.IntVar(&flags.threads, "threads", 0, "threads of each (default: all cores)")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the order of turns")
	f.DurationVar(&flags.limit, "timeout", 10*time.Minute, "the longest time for one answer, such as to open the model")
	f.StringVarP(&flags.out, "out", "o", "", "folder for peers.json and peers.md (default: a new one in "+outFolder+")")
	f.BoolVar(&flags.asJSON, "json", false, "write figures and recording as JSON to standard output, in place of the table")
	c.AddCommand(p.benchOurs())
	return c
}

// check refuses what cannot be meant, and fills in defaults.
func (f *peerFlags) check() error {
	switch {
	case f.python == "" && f.venv == "":
		return usageError("want --python PROGRAM, a Python that has the others, or --venv DIR, where one is made")
	case f.rounds < 1 || f.rounds > mostRounds:
		return usageError("--rounds %d: want 1 to %d", f.rounds, mostRounds)
	case f.pairs < 2:
		return usageError("--pairs %d: want at least 2", f.pairs)
	case f.batch < 1:
		return usageError("--batch %d: want at least 1", f.batch)
	case f.threads < 0:
		return usageError("--threads %d: want at least 1", f.threads)
	case f.limit <= 0:
		return usageError("--timeout %v: want a time above 0", f.limit)
	}
	for _, precision := range f.precisions {
		if err := oneOf("precision", precision, []string{"f32", "bf16", "int8"}); err != nil {
			return err
		}
	}
	f.batch = min(f.batch, f.pairs) // what the table calls a batch is one
	f.threads = cmp.Or(f.threads, runtime.GOMAXPROCS(0))
	return nil
}

// peerTrial is what "bench peers" measures, once its flags were found to mean something.
type peerTrial struct {
	*peerFlags
	found        checkpoint
	measured     bench.Checkpoint
	task         string
	others, more []peers.Peer
}

// trial checks all that costs nothing to check, and writes nothing.
func (p *program) trial(flags *peerFlags) (*peerTrial, error) {
	if err := flags.check(); err != nil {
		return nil, err
	}
	found, err := p.checkpoint(flags.model, hub.Complete)
	if err != nil {
		return nil, err
	}
	t := &peerTrial{peerFlags: flags, found: found}
	t.measured = bench.Checkpoint{Files: found.files, ID: modelID(flags.model, found), Synthetic: found.synthetic}
	if t.measured.Embeds() {
		t.task = recording.TaskEmbed
	}
	if t.others, err = peers.Pick(t.task, flags.peers); err != nil {
		return nil, usageError("--peers: %w", err)
	}
	if t.more, err = moreOf(flags.also); err != nil {
		return nil, err
	}
	flags.out = cmp.Or(flags.out, newFolder("peers"))
	if name := firstIn(flags.out, peers.File); name != "" {
		return nil, fmt.Errorf("%s: is there already; --out wants another folder", name)
	}
	return t, nil
}

func (p *program) runPeers(ctx context.Context, flags *peerFlags) error {
	t, err := p.trial(flags)
	if err != nil {
		return err
	}
	if err := writable(t.out); err != nil {
		return err
	}
	defer removeEmpty(t.out) // if nothing came of it
	r, err := p.measurePeers(ctx, t)
	p.bar.Close()
	if err != nil {
		return err
	}
	if t.asJSON {
		return peers.WriteJSON(p.stdout, r)
	}
	if err := peers.WriteMarkdown(p.stdout, r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "\nTable: %s\n", filepath.Join(t.out, peers.MarkdownFile))
	return err
}

// measurePeers measures, and keeps what there is in the trial's folder after each round.
func (p *program) measurePeers(ctx context.Context, t *peerTrial) (*peers.Recording, error) {
	python, err := p.peerPython(ctx, t.task, t.peerFlags)
	if err != nil {
		return nil, err
	}
	scripts, err := os.MkdirTemp("", "minilm-metal-peers-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scripts)
	if err := peers.Unpack(scripts, python, t.others); err != nil {
		return nil, err
	}
	all, err := withOurs(t.precisions, append(t.others, t.more...))
	if err != nil {
		return nil, err
	}
	ground, err := bench.NewGround(ctx, bench.Options{
		Model: t.measured, Dataset: t.dataset, Pairs: t.pairs, Workers: t.threads, Progress: p.bar.Count,
	}, calibrationPairs, checkedPairs)
	if err != nil {
		return nil, err
	}
	opening := peers.Opening{Task: t.task, Threads: t.threads, Batch: t.batch}
	if opening.Cache, opening.Model, err = p.peerFolders(t.cache, t.found, ground.Model.WeightsSHA256); err != nil {
		return nil, err
	}
	calibration := peerRows(t.task, ground.Others, &ground.OthersBatch)
	if len(calibration) == 0 {
		calibration = peerRows(t.task, ground.Pairs, &ground.Batch)[:min(len(ground.Pairs), calibrationPairs)]
		p.warn("the data set has no pairs beyond those that are measured: int8 that is calibrated is calibrated with these")
	}
	p.undone = "the rounds until then are in " + t.out
	r := &peers.Recording{Environment: bench.NewEnvironment(p.args), Model: ground.Model, Dataset: ground.Dataset}
	return r, peers.Run(ctx, r, peers.Options{
		Peers: all, Opening: opening, Rows: peerRows(t.task, ground.Pairs, &ground.Batch), Others: calibration,
		Rounds: t.rounds, Seed: t.seed, Check: ground.Check, Limit: t.limit, Load: bench.Load1,
		Install: func(module string) string {
			if pin := peers.Pin(t.task, module); pin != "" {
				return fmt.Sprintf("%s -m pip install %s", python, pin)
			}
			return ""
		},
		Progress: p.bar.Count,
		Keep: func(r *peers.Recording) error {
			return errors.Join(r.Write(t.out), peers.WriteMarkdownFile(t.out, r))
		},
	})
}

// peerPython returns the Python that runs the others, by its whole path.
func (p *program) peerPython(ctx context.Context, task string, flags *peerFlags) (string, error) {
	if flags.venv != "" {
		python, err := peers.Venv(ctx, task, flags.venv, cmp.Or(flags.python, "python3"), func(what string) { p.warn("%s", what) })
		if err != nil && flags.python == "" && errors.Is(err, exec.ErrNotFound) {
			err = fmt.Errorf("%w; --python names another Python", err)
		}
		return python, err
	}
	path, err := exec.LookPath(flags.python)
	if err != nil {
		return "", fmt.Errorf("--python: %w", err)
	}
	return filepath.Abs(path)
}

// withOurs puts ours before the others, a process of this program for each precision.
func withOurs(precisions []string, others []peers.Peer) (all []peers.Peer, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, precision := range precisions {
		all = append(all, peers.Peer{
			Name: "minilm-metal-" + precision, Library: "minilm-metal", Precision: precision, Ours: true,
			Command: []string{program, "bench", "peers", oursName},
		})
	}
	return append(all, others...), nil
}

// moreOf returns the peers that --also names.
func moreOf(also []string) (more []peers.Peer, err error) {
	for _, text := range also {
		name, program, ok := strings.Cut(text, "=")
		library, precision, named := strings.Cut(name, ":")
		if !ok || !named || library == "" || program == "" {
			return nil, usageError("--also %q: want NAME:PRECISION=PROGRAM, such as other:f32=./other-peer", text)
		}
		if err := oneOf("also "+text, precision, []string{"f32", "bf16", "int8"}); err != nil {
			return nil, err
		}
		path, err := exec.LookPath(program)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, fmt.Errorf("--also: %w", err)
		}
		more = append(more, peers.Peer{Name: library + "-" + precision, Library: library, Precision: precision, Command: []string{path}})
	}
	return more, nil
}

// peerFolders returns the folder for what is derived from the weights, and that of the
// checkpoint. The synthetic default, which is nowhere, is written into the former.
func (p *program) peerFolders(cache string, found checkpoint, weights string) (derived, model string, err error) {
	if cache == "" {
		calibration := p.calibrationFile()
		if calibration == "" {
			return "", "", usageError("--cache: the environment names no cache folder, so want one")
		}
		cache = filepath.Join(filepath.Dir(calibration), "peers")
	}
	config, err := fs.ReadFile(found.files, hub.ConfigFile)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(append([]byte(weights+peers.Edition()), config...))
	if derived, err = filepath.Abs(filepath.Join(cache, hex.EncodeToString(sum[:8]))); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(derived, 0o777); err != nil {
		return "", "", err
	}
	if found.dir != "" {
		model, err = filepath.Abs(found.dir)
		return derived, model, err
	}
	model = filepath.Join(derived, "model")
	err = synth.Checkpoint{Seed: syntheticSeed}.WriteDir(model, true)
	return derived, model, err
}

// peerRows joins pairs with their tokens.
func peerRows(task string, pairs []engine.Pair, b *model.Batch) (rows []peers.Row) {
	for i, pair := range pairs {
		lo, hi := b.Bounds(i)
		row := peers.Row{Query: pair.Query, Passage: pair.Passage, IDs: b.IDs[lo:hi], Types: b.Types[lo:hi]}
		if task == recording.TaskEmbed {
			row.Text, row.Query = pair.Query, ""
		}
		rows = append(rows, row)
	}
	return rows
}
