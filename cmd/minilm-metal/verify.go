package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/modules"
	"github.com/minilm-metal/minilm-metal/testdata"
)

func (p *program) verify() *cobra.Command {
	var flags engineFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Score the published pairs and say how far off each is",
		Long: `Score pairs whose scores others have published for
cross-encoder/ms-marco-MiniLM-L-6-v2, and say how far off ours are. The exit code
is 1 if any is off by more than float32 arithmetic explains, which is what ours
are computed in unless --precision says otherwise.

--model may be any checkpoint; without it, that one must be in the local cache.`,
		Example: `  minilm-metal pull cross-encoder/ms-marco-MiniLM-L-6-v2
  minilm-metal verify
  minilm-metal verify --model ./checkpoint`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			if flags.model == "" {
				flags.model = hub.MiniLM().ID // made-up weights have nothing to verify
			}
			if !c.Flags().Changed("precision") && (flags.device == "auto" || flags.device == "cpu") { // the others have one each
				flags.precision = "f32"
			}
			e, found, err := flags.open(p)
			if err != nil {
				return err
			}
			return errors.Join(p.verifyModel(c.Context(), e, found), e.Close())
		},
	}
	flags.register(c.Flags())
	precision := c.Flags().Lookup("precision")
	precision.Usage, precision.DefValue = precision.Usage+" (default: f32 on the cpu)", ""
	c.Flags().Lookup("model").Usage = "directory or Hugging Face id in the local cache (default: " + hub.MiniLM().ID + ")"
	return c
}

func (p *program) verifyModel(ctx context.Context, e *engine.Engine, found checkpoint) error {
	published, err := testdata.PublishedScores()
	if err != nil {
		return err
	}
	pairs := make([]engine.Pair, len(published))
	for i, s := range published {
		pairs[i] = engine.Pair{Query: s.Query, Passage: s.Passage}
	}
	logits, err := e.Score(ctx, nil, pairs)
	if len(logits) != len(pairs) { // else some are NaN, and far off
		return err
	}
	weights, err := describeWeights(found.files)
	if err != nil {
		return err
	}

	fmt.Fprintf(p.stdout, "model    %s\nweights  %s\ndevice   %s, %s\n\n", found.name, weights, e.Info().Device, e.Info().Precision)
	off, worst, err := writeDistances(p.stdout, published, logits)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "\n%d of %d published scores are met; the largest distance is %.2g.\n", len(published)-off, len(published), worst)
	if off > 0 {
		return fmt.Errorf("%s: %d of %d scores are not the published ones", found.name, off, len(published))
	}
	return nil
}

// writeDistances writes each published score beside ours. It returns how many
// are off, and by how much the worst is.
func writeDistances(w io.Writer, published []testdata.PublishedScore, logits []float32) (off int, worst float64, err error) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "published\tours\tdistance\tallowed\tverdict\t  pair")
	for i, s := range published {
		ours := float64(logits[i])
		if s.Activation == "sigmoid" {
			ours = 1 / (1 + math.Exp(-ours))
		}
		distance, verdict := math.Abs(ours-s.Score), "ok"
		if !(distance <= s.Tolerance) { // NaN is off too
			verdict = "off"
			off++
		}
		worst = max(worst, distance)
		fmt.Fprintf(t, "%.6f\t%.6f\t%.1e\t%.0e\t%s\t  %s\n", s.Score, ours, distance, s.Tolerance, verdict,
			shorten(s.Query, 28)+" | "+shorten(s.Passage, 36))
	}
	return off, worst, t.Flush()
}

// describeWeights says whether the weights are the pinned file.
func describeWeights(files fs.FS) (string, error) {
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
	sum, pin := hex.EncodeToString(hash.Sum(nil)), hub.MiniLM()
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
