package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/model/synth"
)

func (p *program) synth() *cobra.Command {
	// The flags start with the defaults, so that a 0 was typed by the user.
	shape, defaultErr := synth.Shape{}.Resolve()
	var (
		out           string
		seed          uint64
		kind          string
		dtype, layout string
		force         bool
	)
	sizes := []struct {
		name, what string
		size       *int
	}{
		{"layers", "encoder layers", &shape.Layers},
		{"hidden", "channels", &shape.Hidden},
		{"heads", "attention heads, a divisor of --hidden", &shape.Heads},
		{"intermediate", "channels between a feed-forward's two products", &shape.Intermediate},
		{"vocab", "vocabulary entries", &shape.Vocab},
		{"positions", "most tokens in a pair", &shape.Positions},
		{"types", "token types", &shape.Types},
		{"labels", "logits; to be scored with, a checkpoint has 1 (default of --kind labels: 3)", &shape.Labels},
	}
	c := &cobra.Command{
		Use:   "synth --out DIR",
		Short: "Make a checkpoint from a seed",
		Long: `Write a checkpoint that other engines can read too: config.json,
model.safetensors and the tokenizer's files, with weights made from a seed. Its
timings hold and its results mean nothing. The same flags give the same bytes on
every machine. --kind embedder adds the modules that sentence-transformers
writes, mean pooling and unit length; --kind labels makes a classifier.`,
		Example: `  minilm-metal synth --out ./synthetic --seed 1
  minilm-metal synth --out ./tiny --layers 2 --hidden 32 --heads 2 --intermediate 64
  minilm-metal synth --out ./half --dtype f16
  minilm-metal synth --out ./embedder --kind embedder`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			if defaultErr != nil {
				return defaultErr
			}
			if out == "" {
				return usageError("--out DIR is missing")
			}
			for _, s := range sizes {
				if *s.size < 1 {
					return usageError("--%s %d: want at least 1", s.name, *s.size)
				}
			}
			if !c.Flags().Changed("labels") {
				shape.Labels = 0 // as many as the kind has
			}
			checkpoint := synth.Checkpoint{Seed: seed, Shape: shape}
			var err error
			if checkpoint.Kind, err = synth.ParseKind(kind); err != nil {
				return usageError("--kind: %w", err)
			}
			if checkpoint.DType, err = synth.ParseDType(dtype); err != nil {
				return usageError("--dtype: %w", err)
			}
			switch layout {
			case "plain":
				checkpoint.Layout = synth.Plain
			case "published":
				checkpoint.Layout = synth.Published
			default:
				return usageError("--layout %q: want plain or published", layout)
			}
			err = checkpoint.WriteDir(out, force)
			if errors.Is(err, synth.ErrShape) {
				return usageError("%w", err)
			}
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%w; --force writes over it", err)
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVarP(&out, "out", "o", "", "directory to write, made if need be")
	f.StringVar(&kind, "kind", "ranker", "what the checkpoint is for: ranker, embedder or labels")
	f.Uint64Var(&seed, "seed", syntheticSeed, "what the weights are made from")
	for _, s := range sizes {
		f.IntVar(s.size, s.name, *s.size, s.what)
	}
	f.StringVar(&dtype, "dtype", "f32", "type of the weights: f32, f16 or bf16")
	f.StringVar(&layout, "layout", "plain", "layout of model.safetensors: plain, or published (that of ms-marco-MiniLM-L-6-v2, with position_ids and data that start unaligned)")
	f.BoolVar(&force, "force", false, "write over files that are there")
	return c
}
