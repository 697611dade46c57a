package main

import (
	"context"
	"errors"
	"iter"
	"math"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// comparing is one run of similarity.
type comparing struct {
	ranking
	shape                       shapeFlags
	maxLength                   int
	by, queryPrompt, textPrompt string
}

func (p *program) similarity() *cobra.Command {
	r := &comparing{ranking: ranking{program: p, engineFlags: engineFlags{encoder: true}}}
	c := &cobra.Command{
		Use:   "similarity QUERY",
		Short: "Sort texts by how similar their embeddings are to a query's, most similar first",
		Long: `Sort texts by how similar their embeddings are to a query's, most similar first.

Input and output are those of "rank": each line of the input is a text, or with --jsonl
an object with one; each comes out again after its similarity and a tab, or with --json as
{"score", "index", "id", "passage"}.

The measure is the model's own, which "info" tells: cosine unless its files say otherwise.
Larger always means more similar, so that euclidean and manhattan are distances with a minus
sign. The prompts are the model's, too: the one called "query" before QUERY, and the one
called "document" (or "passage", or "corpus") before each text, if it has them.

With --top-k, memory holds only that many lines, however long the input is; without it, all
of the input until it is sorted.`,
		Example: `  minilm-metal similarity "rain in the afternoon" --model sentence-transformers/all-MiniLM-L6-v2 < texts.txt
  minilm-metal similarity "what is a cell" --model ./e5-small --top-k 3 --jsonl --json --input documents.jsonl`,
		Args: arguments("one query goes in quotes, minilm-metal similarity %s, and texts come from standard input or --input", "QUERY"),
		RunE: func(c *cobra.Command, args []string) error {
			return r.compare(c, args[0])
		},
	}
	r.engineFlags.register(c.Flags())
	maxLengthFlag(c.Flags(), &r.maxLength)
	ofTexts(c)
	c.Flags().StringVar(&r.queryPrompt, "query-prompt", "", "text to put before QUERY, as it is; '' is none (default: the model's for queries)")
	c.Flags().StringVar(&r.textPrompt, "document-prompt", "", "text to put before each text, as it is; '' is none (default: the model's for documents)")
	c.Flags().StringVar(&r.by, "by", "", "cosine, dot, euclidean or manhattan (default: the model's)")
	r.shape.register(c.Flags())
	r.register(c)
	return c
}

func (r *comparing) compare(c *cobra.Command, query string) error {
	by, err := vectors.ParseSimilarity(r.by)
	if err != nil {
		return usageError("--by %q: want cosine, dot, euclidean or manhattan", r.by)
	}
	if err := errors.Join(needsModel(&r.engineFlags), checkMaxLength(r.maxLength, leastOfText), r.shape.check()); err != nil {
		return err
	}
	ofQuery, ofText := engine.AsQuery(), engine.AsDocument()
	if c.Flags().Changed("query-prompt") {
		ofQuery = engine.Prompt(r.queryPrompt)
	}
	if c.Flags().Changed("document-prompt") {
		ofText = engine.Prompt(r.textPrompt)
	}
	return r.shape.opened(r.sort(c.Context(), query, []engine.Option{engine.Embedder(), engine.MaxLength(r.maxLength), engine.Dimensions(r.shape.dim)}, func(e *engine.Engine) (scoring, error) {
		if r.by == "" {
			by = e.Info().Similarity
		}
		to, err := e.Embed(c.Context(), nil, []string{query}, ofQuery)
		if one, ok := errors.AsType[*engine.TextError](err); ok {
			return nil, one.Err // its index says nothing
		}
		if err != nil {
			return nil, err
		}
		r.shape.apply(to)
		return r.similarities(e, by, to, ofText), nil
	}))
}

// similarities compares the passages of pairs, whose queries are not read, with an embedding.
func (r *comparing) similarities(e *engine.Engine, by vectors.Similarity, to []float32, opts ...engine.CallOption) scoring {
	return func(ctx context.Context, pairs iter.Seq[engine.Pair]) iter.Seq2[float32, error] {
		texts := func(yield func(string) bool) {
			pairs(func(p engine.Pair) bool { return yield(p.Passage) })
		}
		return func(yield func(float32, error) bool) {
			for row, err := range e.EmbedStream(ctx, texts, opts...) {
				score := float32(math.NaN())
				if err == nil {
					r.shape.apply(row)
					if score = by.Of(to, row); math.IsNaN(float64(score)) || math.IsInf(float64(score), 0) {
						err = lineError{errNotNumber} // a dot product beyond float32
					}
				}
				if !yield(score, err) {
					return
				}
			}
		}
	}
}
