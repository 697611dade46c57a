package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/modules"
	"github.com/minilm-metal/minilm-metal/testdata"
)

func (p *program) verify() *cobra.Command {
	var (
		flags engineFlags
		file  string
	)
	c := &cobra.Command{
		Use:   "verify",
		Short: "Score the published pairs and say how far off each is",
		Long: `Score pairs whose scores others have published for
cross-encoder/ms-marco-MiniLM-L-6-v2, and say how far off ours are. The exit code
is 1 if any is off by more than the arithmetic explains, or if two passages of a
query are in the wrong order whose scores are farther apart than that.

Scores are computed on the GPU, if there is one, in f16, and else on the cpu in f32,
unless --device or --precision says otherwise.

--model may be any cross-encoder; without it, that one must be in the local cache.
--scores has others to compare with: JSON Lines of "query", "passage" and "score",
which is a logit.

An embedder is held to the similarities that sentence-transformers' manual has of
sentence-transformers/all-MiniLM-L6-v2, if it has those weights, and any other to
those of --scores: there "score" is the cosine of two texts.`,
		Example: `  minilm-metal pull cross-encoder/ms-marco-MiniLM-L-6-v2
  minilm-metal verify
  minilm-metal verify --device metal
  minilm-metal verify --model ./checkpoint --scores pytorch.jsonl`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			if flags.model == "" {
				flags.model = hub.MiniLM().ID // made-up weights have no published scores
			}
			if file != "" { // before a model is opened for nothing
				if _, err := readPublished(file, nil); err != nil {
					return err
				}
			}
			e, found, without, err := p.openToVerify(&flags, c.Flags().Changed("precision"))
			if err != nil {
				return err
			}
			return errors.Join(p.verifyOpened(c.Context(), e, found, without, file), e.Close())
		},
	}
	flags.register(c.Flags())
	c.Flags().StringVar(&file, "scores", "", "file of pairs and their scores (default: the published ones)")
	precision := c.Flags().Lookup("precision")
	precision.Usage, precision.DefValue = precision.Usage+" (default: f16 on metal, f32 on the cpu)", ""
	c.Flags().Lookup("model").Usage = "directory or Hugging Face id in the local cache (default: " + hub.MiniLM().ID + ")"
	return c
}

// openToVerify opens the GPU, with its only precision, or else the CPU in float32, and
// returns why there is no GPU. If the user asked for something else, it opens that.
func (p *program) openToVerify(flags *engineFlags, asked bool) (e *engine.Engine, found checkpoint, without string, err error) {
	if !asked && flags.device == "auto" && flags.isa == "auto" {
		flags.device = "metal"
		e, found, err = flags.openAny(p)
		if !errors.Is(err, engine.ErrDevice) {
			return e, found, "", err
		}
		without, flags.device = err.Error(), "cpu"
	}
	if !asked && (flags.device == "auto" || flags.device == "cpu") { // other devices have only one precision
		flags.precision = "f32"
	}
	e, found, err = flags.openAny(p)
	return e, found, without, err
}

// readPublished reads the scores to compare with: the published ones if file is "".
func readPublished(file string, published func() ([]testdata.PublishedScore, error)) ([]testdata.PublishedScore, error) {
	if file == "" {
		return published()
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := testdata.ReadScores(f)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	case len(all) == 0:
		return nil, fmt.Errorf("%s: no scores", file)
	}
	return all, nil
}

// verifyOpened compares what an engine makes with the published facts about that, or with those
// in a file.
func (p *program) verifyOpened(ctx context.Context, e *engine.Engine, found checkpoint, without, file string) error {
	info := e.Info()
	switch {
	case info.Labels != nil:
		return fmt.Errorf("%s sorts texts into %d classes, and of no such model results are known here that somebody published: verify is for cross-encoders with one label, and embedders", found.name, len(info.Labels))
	case info.Dimensions > 0:
		return p.verifyEmbedder(ctx, e, found, without, file)
	}
	published, err := readPublished(file, testdata.PublishedScores)
	if err != nil {
		return err
	}
	return p.verifyModel(ctx, e, found, without, published)
}

func (p *program) verifyModel(ctx context.Context, e *engine.Engine, found checkpoint, without string, published []testdata.PublishedScore) error {
	pairs := make([]engine.Pair, len(published))
	for i, s := range published {
		pairs[i] = engine.Pair{Query: s.Query, Passage: s.Passage}
	}
	logits, err := e.Score(ctx, nil, pairs)
	if len(logits) != len(pairs) { // a score that is NaN is no failure here: it counts as far off
		return err
	}
	weights, err := describeWeights(found.files, hub.MiniLM())
	if err != nil {
		return err
	}
	p.tellVerified(e, found, without, weights)
	return p.tellVerdict(judge(published, logits, scoreDistance(published, e.Info().Precision)), found)
}

// tellVerified says what is verified, and on what.
func (p *program) tellVerified(e *engine.Engine, found checkpoint, without, weights string) {
	info := e.Info()
	fmt.Fprintf(p.stdout, "model    %s\nweights  %s\ndevice   %s, %s\n", found.name, weights, info.Device, info.Precision)
	if name := e.GPUName(); name != "" {
		fmt.Fprintf(p.stdout, "gpu      %s\n", name)
	} else if without != "" {
		fmt.Fprintf(p.stdout, "gpu      none: %s\n", without)
	}
	fmt.Fprintln(p.stdout)
}

// tellVerdict writes a verdict. It returns an error if it is a bad one.
func (p *program) tellVerdict(v *verdict, found checkpoint) error {
	if err := v.write(p.stdout, "published"); err != nil {
		return err
	}
	if v.off > 0 || v.wrong > 0 {
		return fmt.Errorf("%s: %d of %d scores are not the published ones, and %d orders of a query's passages are others",
			found.name, v.off, len(v.published), v.wrong)
	}
	return nil
}

// describeWeights says whether the weights are the pinned file.
func describeWeights(files fs.FS, pin hub.Pin) (string, error) {
	f, err := files.Open(path.Join(modules.Root(files), hub.WeightsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "in several files; the pinned ones are in one", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("%s: %w", hub.WeightsFile, err)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	if sum == pin.SHA256 {
		return "sha256 " + sum + " is the pinned one, of revision " + pin.Revision, nil
	}
	return "sha256 " + sum + " is not the pinned one, " + pin.SHA256, nil
}

// shorten cuts s to at most n characters, on one line.
func shorten(s string, n int) string {
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}
