package main

import (
	"cmp"
	"context"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench/peers"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
)

// oursName is the command that is ours among the peers: it speaks their protocol on standard
// input and output. Nobody else has a use for it.
const oursName = "ours"

func (p *program) benchOurs() *cobra.Command {
	return &cobra.Command{
		Use:    oursName,
		Short:  `Our side of "bench peers"`,
		Hidden: true,
		Args:   arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			o := &ours{ctx: c.Context()}
			defer o.close()
			return peers.Serve(p.stdin, p.stdout, o)
		},
	}
}

// ours is our engine as one of the peers: text in, batches one after the other.
type ours struct {
	ctx    context.Context
	engine *engine.Engine
	batch  int
	pairs  []engine.Pair // memory
	texts  []string
	scores []float32
}

func (o *ours) Open(opening peers.Opening) (about peers.About, err error) {
	o.batch = max(1, opening.Batch)
	opts := []engine.Option{engine.Device("cpu"), engine.Precision(opening.Precision), engine.Workers(opening.Threads)}
	if opening.Task == recording.TaskEmbed {
		opts = append(opts, engine.Embedder())
	}
	o.engine, err = engine.Open(opening.Model, opts...)
	if err != nil {
		return about, err
	}
	info, _ := debug.ReadBuildInfo()
	b := buildOf(info)
	about = peers.About{
		Input: "text", Unit: "batch of " + strconv.Itoa(o.batch),
		How:      "batches of " + strconv.Itoa(o.batch) + " in file order, one after the other, " + o.engine.Info().InstructionSet,
		Versions: map[string]string{"minilm-metal": cmp.Or(shortHash(b.commit), b.version)},
	}
	return about, nil
}

func (o *ours) Score(rows []peers.Row) (scores []float64, took []time.Duration, err error) {
	for len(rows) > 0 {
		n := min(o.batch, len(rows))
		begun := time.Now()
		o.pairs = o.pairs[:0]
		for _, row := range rows[:n] {
			o.pairs = append(o.pairs, engine.Pair{Query: row.Query, Passage: row.Passage})
		}
		if o.scores, err = o.engine.Score(o.ctx, o.scores[:0], o.pairs); err != nil {
			return nil, nil, err
		}
		took = append(took, time.Since(begun))
		for _, s := range o.scores {
			scores = append(scores, float64(s))
		}
		rows = rows[n:]
	}
	return scores, took, nil
}

// Embed is Score for texts. The values of all rows are a slice of their own.
func (o *ours) Embed(rows []peers.Row) (values []float32, took []time.Duration, err error) {
	values = make([]float32, 0, len(rows)*o.engine.Info().Dimensions)
	for len(rows) > 0 {
		n := min(o.batch, len(rows))
		begun := time.Now()
		o.texts = o.texts[:0]
		for _, row := range rows[:n] {
			o.texts = append(o.texts, row.Text)
		}
		if values, err = o.engine.Embed(o.ctx, values, o.texts); err != nil {
			return nil, nil, err
		}
		took = append(took, time.Since(begun))
		rows = rows[n:]
	}
	return values, took, nil
}

func (o *ours) close() {
	if o.engine != nil {
		o.engine.Close()
	}
}
