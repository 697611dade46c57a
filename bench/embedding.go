package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// textEngine is an engine of embeddings as a scorer. A pair is a text, its query, and has no
// passage; its "score" is an embedding, Info's Dimensions values in a row. So every loop and
// scenario measures embeddings as it measures scores.
type textEngine struct{ *engine.Engine }

// ScoreStats appends the embedding of each pair's query to dst.
func (e textEngine) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error) {
	texts := make([]string, len(pairs))
	for i := range pairs {
		texts[i] = pairs[i].Query
	}
	var stats engine.CallStats
	dst, err := e.Embed(ctx, dst, texts, append(opts, engine.StatsTo(&stats))...)
	return dst, stats, err
}

// valuesOf is how many values an engine makes of a pair, or of a text: one is a score.
func valuesOf(e scorer) int { return max(1, e.Info().Dimensions) }

// checkValues returns an error if an engine has not made the values of so many pairs.
func checkValues(e scorer, values, pairs int) error {
	if each := valuesOf(e); values != each*pairs {
		return fmt.Errorf("%d values for %d, want %d each", values, pairs, each)
	}
	return nil
}

// Embeds says whether a model makes embeddings and no scores. What cannot be read is for the
// engine to say, in its words.
func (c *Checkpoint) Embeds() bool {
	return c.Files != nil && errors.Is(engine.CheckKind(c.Files), model.ErrNoHead)
}

// embedderDefaults refuses what there is of pairs alone.
func (o *Options) embedderDefaults() error {
	if !o.Embed {
		return nil
	}
	what := ""
	switch {
	case o.Server != nil:
		what = "a server: its scores are of pairs, and this model makes none to compare them with"
	case o.Ablate != nil:
		what = "an ablation, which scores pairs that are tokens already"
	case o.Judged != "":
		what = "the accuracy on judged pairs"
	default:
		return nil
	}
	return fmt.Errorf("%w: the model makes embeddings of texts, and cannot be measured with %s", ErrOptions, what)
}

// task is what the recording says of it.
func (o *Options) task() string {
	if o.Embed {
		return recording.TaskEmbed
	}
	return ""
}

// noun is what is counted.
func (o *Options) noun() string {
	if o.Embed {
		return "texts"
	}
	return "pairs"
}
