package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

func (p *program) tune() *cobra.Command {
	var (
		name   string
		dryRun bool
	)
	c := &cobra.Command{
		Use:   "tune",
		Short: "Measure which tiles are fastest on this Mac's GPU, and remember",
		Long: `Measure how fast this Mac's GPU computes the model's products with each shape of
tile that the shaders have, and keep the fastest ones' names in the user's cache
directory, for this GPU, operating system and version of the shaders. From then on
every command takes them. Scores stay the same: tiles differ in speed alone.

Without a tuning, the first command measures the largest product alone, for half a
second, and keeps that; "info" says which tiles are taken, and which the GPU cannot
use. Nothing else should use the GPU meanwhile.`,
		Example: `  minilm-metal tune
  minilm-metal tune --dry-run    # measure and print, keep nothing`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			found, err := p.checkpoint(name, hub.Complete)
			if err != nil {
				return err
			}
			config, err := model.ReadConfig(found.files)
			if err != nil {
				return err
			}
			p.undone = "nothing is kept"
			t, err := metal.Tune(c.Context(), *config, metal.Effort{}, func(done, total int) { p.bar.Count("tune", done, total) })
			p.bar.Close()
			if err != nil {
				return err
			}
			if err := writeTuning(p.stdout, t); err != nil || dryRun {
				return err
			}
			if err := t.Store(); err != nil {
				return err
			}
			path, err := metal.TuningPath()
			if err == nil {
				_, err = fmt.Fprintf(p.stdout, "kept in %s\n", path)
			}
			return err
		},
	}
	modelFlag(c.Flags(), &name)
	c.Flags().BoolVar(&dryRun, "dry-run", false, "keep nothing")
	return c
}

func writeTuning(w io.Writer, t *metal.Tuning) error {
	fmt.Fprintf(w, "%s, %s: products of %d tokens, median (lowest to highest) by the GPU's clock\n\n", t.GPU, t.System, t.Rows)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "product\tin x out\ttile\tms\t\tGFLOP/s\n")
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	for i := range t.Measurements {
		m := &t.Measurements[i]
		fmt.Fprintf(table, "%s\t%dx%d\t%v\t%.3f\t(%.3f to %.3f)\t%.0f\n", m.Product, m.In, m.Out, m.Tile, ms(m.Median), ms(m.Low), ms(m.High), m.GFLOPS(t.Rows))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i, why := range t.Without {
		fmt.Fprintf(w, "%swithout %s\n", map[bool]string{true: "\n"}[i == 0], why)
	}
	_, err := fmt.Fprintf(w, "\nfastest: %v\n", t.Tiling)
	return err
}
