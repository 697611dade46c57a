package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

// classification is one run of classify.
type classification struct {
	answering
	top    int
	logits bool
}

func (p *program) classify() *cobra.Command {
	r := &classification{answering: answering{program: p, engineFlags: engineFlags{encoder: true}}}
	c := &cobra.Command{
		Use:   "classify",
		Short: "Give texts, or pairs of them, the probabilities of a model's labels, a line each",
		Long: `Sort texts, or pairs of texts, into the classes that a model was trained for, such as
sentiments, topics, or whether one sentence entails another. Probabilities are those of
transformers' text-classification pipeline: of all labels together (softmax), or of each by
itself (sigmoid) where several may be right or there is only one; a regression's values stay
as they are. "info" lists the labels.

Each line of the input is a text. With --jsonl it is a JSON object: {"text": "..."} is a text,
and {"text": "...", "text_pair": "..."} a pair, or {"query": "...", "passage": "..."} as for
"score"; an "id" is carried along, and blank lines are skipped.

Each line gets a line of output, in the same order, the likeliest label first:
{"labels": [{"label": "POSITIVE", "score": 0.99}, ...]}, with the "id" before it; or
{"error": "..."} where the line has none, which stops nothing.

Memory does not grow with the input. The exit code is 1 if any line was in error.`,
		Example: `  minilm-metal classify --model ./sentiment < texts.txt
  minilm-metal classify --model ./nli --jsonl --top 1 --input premises.jsonl`,
		Args: arguments(textsFile),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := r.check(); err != nil {
				return err
			}
			if r.top < 0 {
				return usageError("--top %d: want at least 1, or 0 for all", r.top)
			}
			var opts []engine.Option
			if r.logits {
				opts = append(opts, engine.Logits())
			}
			return r.classify(c.Context(), append(opts, engine.Classifier())...)
		},
	}
	r.register(c)
	c.Flags().IntVar(&r.top, "top", 0, "write only the so many likeliest labels of a line (default: all)")
	c.Flags().BoolVar(&r.logits, "logits", false, "raw logits in place of probabilities")
	return c
}

// textOrPair reads the JSON of a line with one text or two.
func textOrPair(line []byte) (a asked, err error) {
	a.text, a.second, a.pair, a.id, err = jsonl.ParseTextOrPair(line)
	return a, err
}

func (r *classification) classify(ctx context.Context, opts ...engine.Option) (err error) {
	file, e, err := r.open(opts...)
	if err != nil {
		return err
	}
	defer file.Close()
	defer func() { err = errors.Join(err, e.Close()) }()
	ask := newAsking(ctx, e.ClassifyStream, e.ClassifyPairsStream, r.prompt.options())
	return r.run(ctx, file, textOrPair, ask, r.writer(e.Info()))
}

// writer returns what writes a line's answer. Nothing is kept back.
func (r *classification) writer(info engine.Info) func(*answer) error {
	order := make([]int, len(info.Labels))
	names := make([][]byte, len(info.Labels))
	for i, label := range info.Labels {
		names[i], _ = json.Marshal(label) // a string's cannot fail
	}
	most := len(order)
	if r.top > 0 {
		most = min(most, r.top)
	}
	var out []byte
	return func(a *answer) error {
		var whole bool
		if out, whole = a.begin(out[:0]); !whole {
			for i := range order {
				order[i] = i
			}
			// Labels with equal values keep their order.
			slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(a.values[j], a.values[i]) })
			out = append(out, `"labels":[`...)
			for n, i := range order[:most] {
				if n > 0 {
					out = append(out, ',')
				}
				out = append(append(append(out, `{"label":`...), names[i]...), `,"score":`...)
				out = append(appendFloat(out, a.values[i]), '}')
			}
			out = append(out, "]}\n"...)
		}
		_, err := r.stdout.Write(out)
		return err
	}
}
