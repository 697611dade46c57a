package main

import (
	"context"
	"fmt"
	"math"
	"os"

	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// rangeFlags hold the flags about the ranges of int8 and uint8.
type rangeFlags struct{ calibrate, from, to string }

func (f *rangeFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.calibrate, "calibrate", "", "file of texts to find the ranges of int8 and uint8 with")
	flags.StringVar(&f.from, "ranges", "", "file to take the ranges from")
	flags.StringVar(&f.to, "save-ranges", "", "file to keep the ranges of --calibrate in")
}

func (f *rangeFlags) check(of vectors.Type) error {
	switch {
	case !of.Ranged() && *f != rangeFlags{}:
		return usageError("--calibrate, --ranges and --save-ranges are for --quantize int8 and uint8")
	case !of.Ranged():
	case f.calibrate == "" && f.from == "":
		return usageError("--quantize %s: want --calibrate FILE, a file of texts to find each dimension's range with, or --ranges FILE", of)
	case f.calibrate != "" && f.from != "":
		return usageError("--calibrate and --ranges: want one of them")
	case f.to != "" && f.calibrate == "":
		return usageError("--save-ranges: want --calibrate too")
	}
	return nil
}

// findRanges reads the ranges of so many dimensions, or finds them in the embeddings of the
// calibration's texts.
func (r *embedding) findRanges(ctx context.Context, e *engine.Engine, width int) (vectors.Ranges, error) {
	if f := r.rangeFlags.from; f != "" {
		return readRanges(f, width)
	}
	ranges, err := r.calibrate(ctx, e)
	if f := r.rangeFlags.to; err == nil && f != "" {
		out := npyHeader(npyFloat32, 2, width)
		for _, row := range [][]float32{ranges.Low, ranges.High} {
			out = vectors.Float32.Append(out, row, nil)
		}
		err = os.WriteFile(f, out, 0o666)
	}
	return ranges, err
}

// readRanges reads the matrix of the smallest and the largest values.
func readRanges(name string, width int) (none vectors.Ranges, err error) {
	const header = 1 << 16
	file, err := bounded.ReadFile(name, header+int64(2*4*width))
	if err != nil {
		return none, err
	}
	rows, err := readMatrix(file)
	if err != nil {
		return none, fmt.Errorf("%s: %w", name, err)
	}
	if len(rows) != 2 || len(rows[0]) != width {
		return none, fmt.Errorf("%s: %d by %d values, want 2 by %d: the smallest and the largest of each dimension", name, len(rows), len(rows[0]), width)
	}
	for i, low := range rows[0] {
		if high := rows[1][i]; !(low <= high) || math.IsInf(float64(low), 0) || math.IsInf(float64(high), 0) {
			return none, fmt.Errorf("%s: the range of dimension %d is from %g to %g", name, i, low, high)
		}
	}
	return vectors.Ranges{Low: rows[0], High: rows[1]}, nil
}

// fewTexts is how many embeddings are few to find ranges with, as for sentence-transformers.
const fewTexts = 100

// calibrate finds the ranges of the dimensions in the embeddings of the calibration's texts.
func (r *embedding) calibrate(ctx context.Context, e *engine.Engine) (ranges vectors.Ranges, err error) {
	name, count := r.rangeFlags.calibrate, 0
	file, err := os.Open(name)
	if err != nil {
		return ranges, err
	}
	defer file.Close()
	ask := newAsking(ctx, e.EmbedStream, nil, r.prompt.options())
	defer ask.close()
	r.undone = "nothing is written, since the ranges were not known yet"
	for one, err := range r.lines(ctx, file, text, ask) {
		if err == nil {
			err = one.err
		}
		if err != nil {
			return ranges, fmt.Errorf("%s: %w", name, err)
		}
		r.shape.apply(one.values)
		ranges.Add(one.values)
		count++
		r.streamBar().Count("texts to calibrate with", count, 0)
	}
	switch {
	case count < 2:
		return ranges, fmt.Errorf("%s: %d texts, want at least 2, and better some thousands, to find ranges with", name, count)
	case count < fewTexts:
		r.warn("%s: the ranges are those of %d texts: values outside of them are cut off, and more texts have wider ranges", name, count)
	}
	return ranges, nil
}
