package main

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
)

// embedding is one run of embed.
type embedding struct {
	answering
	format string
}

// formats are the values of --format.
const (
	formatJSONL = "jsonl"
	formatF32   = "f32"
)

func (p *program) embed() *cobra.Command {
	r := &embedding{answering: answering{program: p, engineFlags: engineFlags{encoder: true}}}
	c := &cobra.Command{
		Use:   "embed",
		Short: "Make embeddings of texts, a line each",
		Long: `Make embeddings of texts, as sentence-transformers does with the same model: what its
modules.json says is followed, or refused by name.

Each line of the input is a text. With --jsonl it is a JSON object whose "text" (or
"passage", or "p") is the text; an "id" is carried along, and blank lines are skipped.

Each line gets a line of output, in the same order: {"embedding": [x, ...]}, with the
"id" before it; or {"error": "..."} where the line has no embedding, which stops nothing.
Values are float32, in the shortest form that reads back equal. With --format f32 the
output is the values alone, as little-endian float32, without ids or ends of lines; a line
without an embedding has NaN in each value, and its error is on standard error.

Memory does not grow with the input. The exit code is 1 if any line was in error.`,
		Example: `  minilm-metal embed --model sentence-transformers/all-MiniLM-L6-v2 < texts.txt
  minilm-metal embed --model ./e5-small --prompt "query: " --jsonl --input queries.jsonl
  minilm-metal embed --model ./e5-small --format f32 < texts.txt > vectors.f32`,
		Args: arguments(textsFile),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := r.check(); err != nil {
				return err
			}
			return r.run(c.Context(), engine.Embedder(), text, embedOne, r.writer)
		},
	}
	r.register(c)
	c.Flags().StringVar(&r.format, "format", formatJSONL, "what is written: jsonl, or f32 (little-endian float32)")
	return c
}

func (r *embedding) check() error {
	if err := r.answering.check(); err != nil {
		return err
	}
	if r.format != formatJSONL && r.format != formatF32 {
		return usageError("--format %q: want %s or %s", r.format, formatJSONL, formatF32)
	}
	return nil
}

// text reads the JSON of a line with one text.
func text(line []byte) (a asked, err error) {
	a.text, a.id, err = jsonl.ParseText(line)
	return a, err
}

func embedOne(ctx context.Context, e *engine.Engine, a asked, prompt []engine.CallOption) ([]float32, error) {
	return e.Embed(ctx, nil, []string{a.text}, prompt...)
}

// writer returns what writes a line's answer, in the format that was asked for. A user may
// write a line and wait for its answer, so that nothing is kept back.
func (r *embedding) writer(info engine.Info) func(*answer) error {
	var out []byte
	if r.format == formatF32 {
		return func(v *answer) error {
			out = out[:0]
			if v.err != nil {
				r.warn("%v", v.err)
				v.values = slices.Repeat([]float32{float32(math.NaN())}, info.Dimensions)
			}
			for _, x := range v.values {
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
			}
			_, err := r.stdout.Write(out)
			return err
		}
	}
	return func(v *answer) error {
		var whole bool
		if out, whole = v.begin(out[:0]); !whole {
			out = append(out, `"embedding":[`...)
			for i, x := range v.values {
				if i > 0 {
					out = append(out, ',')
				}
				out = appendFloat(out, x)
			}
			out = append(out, "]}\n"...)
		}
		_, err := r.stdout.Write(out)
		return err
	}
}
