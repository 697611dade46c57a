package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// embedding is one run of embed.
type embedding struct {
	answering
	shape                 shapeFlags
	format, quantize, out string
	of                    vectors.Type // quantize's
	rangeFlags            rangeFlags
	ranges                vectors.Ranges
}

// formats are the values of --format.
const (
	formatJSONL = "jsonl"
	formatNPY   = "npy"
	formatF32   = "f32"
	formatRaw   = "raw"
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
Values are float32, in the shortest form that reads back equal.

--format f32 writes the values alone, as little-endian float32, without ids or ends of
lines, and --format npy a file for numpy.load: an array with a row for each line. Its
header has the number of rows, which is only known at the end, so it needs --out FILE. In
both, a line without an embedding is a row of NaN, and its error is on standard error.
Without --format, a file of --out whose name ends in .npy is such an array, too.

--quantize stores embeddings in fewer bytes, the same as quantize_embeddings of
sentence-transformers: int8 and uint8 are a byte for each value, binary and ubinary a bit
(whether it is above 0), eight to a byte. int8 and uint8 divide the range of each dimension,
from its smallest to its largest value, into 256 steps. --calibrate FILE finds the ranges:
it has texts in the form of the input, some thousands like those that will be compared.
Bytes can be compared only if their ranges are the same: --save-ranges FILE keeps the
ranges, as an array for numpy.load with a row of the smallest values and one of the largest,
and --ranges FILE reads them again. JSON has the bytes as whole numbers, npy has them as int8
or uint8, and --format raw is the bytes alone; outside JSON a line without an embedding is a
row of zeros. All this is about what is stored: --precision is what the model computes in.

Memory does not grow with the input. The exit code is 1 if any line was in error.`,
		Example: `  minilm-metal embed --model sentence-transformers/all-MiniLM-L6-v2 < texts.txt
  minilm-metal embed --model ./e5-small --prompt "query: " --jsonl --input queries.jsonl
  minilm-metal embed --model ./e5-small --format npy --out vectors.npy --input texts.txt
  minilm-metal embed --model ./matryoshka --dim 64 --normalize < texts.txt
  minilm-metal embed --model ./e5-small --quantize int8 --calibrate sample.txt --save-ranges ranges.npy < texts.txt
  minilm-metal embed --model ./e5-small --quantize int8 --ranges ranges.npy < more.txt`,
		Args: arguments(textsFile),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := r.check(c.Flags()); err != nil {
				return err
			}
			return r.embed(c.Context())
		},
	}
	r.register(c)
	r.shape.register(c.Flags())
	c.Flags().StringVar(&r.format, "format", formatJSONL, "what is written: jsonl, npy, f32 (little-endian float32), or raw (the bytes of --quantize)")
	c.Flags().StringVarP(&r.out, "out", "o", "", "file to write (default: standard output)")
	c.Flags().StringVar(&r.quantize, "quantize", string(vectors.Float32), "what each value is stored as: float32, int8, uint8, binary or ubinary")
	r.rangeFlags.register(c.Flags())
	return c
}

// shapeFlags hold the flags that change embeddings after the model's modules.
type shapeFlags struct {
	flags     *pflag.FlagSet
	dim       int
	normalize bool
}

func (f *shapeFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.IntVar(&f.dim, "dim", 0, "keep only the first so many values of what the model's modules make; they are not of unit length, unless with --normalize (default: as its files say)")
	flags.BoolVar(&f.normalize, "normalize", false, "make embeddings of unit length, after --dim")
}

func (f *shapeFlags) check() error {
	if f.flags.Changed("dim") && f.dim < 1 {
		return usageError("--dim %d: want at least 1", f.dim)
	}
	return nil
}

// opened makes the engine's error about --dim one of the flag.
func (f *shapeFlags) opened(err error) error {
	if wrong, ok := errors.AsType[*engine.DimensionsError](err); ok {
		return usageError("--dim %d: the model's embeddings have %d values", f.dim, wrong.Most)
	}
	return err
}

// apply changes an embedding.
func (f *shapeFlags) apply(v []float32) {
	if f.normalize {
		vectors.Normalize(v)
	}
}

func (r *embedding) check(flags *pflag.FlagSet) (err error) {
	if err := r.answering.check(); err != nil {
		return err
	}
	if err := oneOf("format", r.format, []string{formatJSONL, formatNPY, formatF32, formatRaw}); err != nil {
		return err
	}
	if !flags.Changed("format") && strings.EqualFold(filepath.Ext(r.out), "."+formatNPY) {
		r.format = formatNPY
	}
	if r.of, err = vectors.ParseType(r.quantize); err != nil {
		return usageError("--quantize %q: want float32, int8, uint8, binary or ubinary", r.quantize)
	}
	if err := r.shape.check(); err != nil {
		return err
	}
	switch {
	case r.format == formatF32 && r.of != vectors.Float32:
		return usageError("--format f32 with --quantize %s: want --format raw", r.of)
	case r.format == formatNPY && r.out == "":
		return usageError("--format npy: want --out FILE: its header has the number of rows, which is only known at the end")
	}
	return r.rangeFlags.check(r.of)
}

func (r *embedding) embed(ctx context.Context) (err error) {
	file, e, err := r.open(engine.Embedder(), engine.Dimensions(r.shape.dim))
	if err != nil {
		return r.shape.opened(err)
	}
	defer file.Close()
	defer func() { err = errors.Join(err, e.Close()) }()
	width := e.Info().Dimensions
	if err = r.checkFiles(file); err == nil && r.of.Ranged() {
		r.ranges, err = r.findRanges(ctx, e, width)
	}
	if err != nil {
		return err
	}
	w, err := r.writer(width)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return r.run(ctx, file, text, newAsking(ctx, e.EmbedStream, nil, r.prompt.options()), w.write)
}

// text reads the JSON of a line with one text.
func text(line []byte) (a asked, err error) {
	a.text, a.id, err = jsonl.ParseText(line)
	return a, err
}
