package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
)

// answering is one run of a command that answers each line of its input by itself: embed or
// classify.
type answering struct {
	*program
	engineFlags engineFlags
	prompt      promptFlags
	maxLength   int
	input       string
	jsonLines   bool
}

// answer is what one line of the input gets.
type answer struct {
	line   int // from 1
	id     json.RawMessage
	pair   bool
	values []float32
	err    error // why there are no values
}

// asked is what a line says.
type asked struct {
	text   string
	second string // of a pair
	pair   bool
	id     []byte
}

// parser reads the JSON of a line.
type parser func(line []byte) (asked, error)

// asking has an engine answer texts and pairs, each in its order.
type asking struct {
	texts *flow[string, []float32]
	pairs *flow[engine.Pair, []float32]
}

// stream is a method of the engine that answers a sequence of T.
type stream[T, R any] func(context.Context, iter.Seq[T], ...engine.CallOption) iter.Seq2[R, error]

// newAsking opens the streams; pairs is nil for an engine that takes none.
func newAsking(ctx context.Context, texts stream[string, []float32], pairs stream[engine.Pair, []float32], opts []engine.CallOption) *asking {
	a := &asking{texts: newFlow(ctx, with(texts, opts))}
	if pairs != nil {
		a.pairs = newFlow(ctx, with(pairs, opts))
	}
	return a
}

func with[T, R any](s stream[T, R], opts []engine.CallOption) func(context.Context, iter.Seq[T]) iter.Seq2[R, error] {
	return func(ctx context.Context, all iter.Seq[T]) iter.Seq2[R, error] { return s(ctx, all, opts...) }
}

func (a *asking) put(what asked) {
	if what.pair {
		a.pairs.put(engine.Pair{Query: what.text, Passage: what.second})
	} else {
		a.texts.put(what.text)
	}
}

func (a *asking) take(pair bool) ([]float32, error) {
	if pair {
		return a.pairs.take()
	}
	return a.texts.take()
}

func (a *asking) close() {
	a.texts.close()
	if a.pairs != nil {
		a.pairs.close()
	}
}

// register adds the flags. They speak of texts, where those of other commands speak of pairs.
func (r *answering) register(c *cobra.Command) {
	r.engineFlags.register(c.Flags())
	maxLengthFlag(c.Flags(), &r.maxLength)
	r.prompt.register(c.Flags())
	ofTexts(c)
	inputFlag(c, &r.input)
	c.Flags().BoolVar(&r.jsonLines, "jsonl", false, "the input is JSON Lines")
}

// ofTexts makes the flags that there are speak of texts.
func ofTexts(c *cobra.Command) {
	for name, usage := range map[string]string{
		"model":        "directory, or Hugging Face id in the local cache (required)",
		"precision":    "auto (the fastest whose results are close to f32's), f32, bf16x3, f16, bf16 or int8, as far as the instruction set has them; metal has f16; f64 with --device reference",
		"max-length":   "cut texts to so many tokens, special tokens included (default: what the model takes)",
		promptFlag:     "text to put before each text, as it is; '' is none (default: the model's default prompt, if it has one)",
		promptNameFlag: "put this one of the model's prompts before each text; \"info\" lists them",
	} {
		if f := c.Flags().Lookup(name); f != nil {
			f.Usage = usage
		}
	}
}

func (r *answering) check() error {
	return errors.Join(needsModel(&r.engineFlags), checkMaxLength(r.maxLength, leastOfText), r.prompt.check())
}

// needsModel is for commands whose models are of a kind of which none is the default.
func needsModel(f *engineFlags) error {
	if f.model == "" {
		return usageError("want --model: a directory, or a Hugging Face id in the local cache")
	}
	return nil
}

// open opens the input and then the engine.
func (r *answering) open(opts ...engine.Option) (io.ReadCloser, *engine.Engine, error) {
	file, err := r.openInput(r.input)
	if err != nil {
		return nil, nil, err
	}
	e, _, err := r.engineFlags.open(r.program, append(opts, engine.MaxLength(r.maxLength))...)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	if err := e.Tokenize(new(model.Batch), nil, r.prompt.options()...); err != nil { // checks the prompt before any line is read
		return nil, nil, errors.Join(err, e.Close(), file.Close())
	}
	return file, e, nil
}

// lines has the engine answer each line of a file, and yields the answers in their order, each as
// soon as it is known. The last error, if any, is not about a line.
func (r *answering) lines(ctx context.Context, file io.Reader, parse parser, ask *asking) iter.Seq2[*answer, error] {
	return func(yield func(*answer, error) bool) {
		for one, err := range eachLine(ctx, file, func(number int, line []byte, err error, emit func(*answer) bool) {
			if err == nil && r.jsonLines && jsonl.Blank(line) {
				return
			}
			one := &answer{line: number, err: err}
			var what asked
			switch {
			case err != nil:
			case r.jsonLines:
				what, one.err = parse(line)
				one.id, one.pair = slices.Clone(what.id), what.pair
			default:
				what.text = string(jsonl.Text(line))
			}
			if one.err == nil {
				ask.put(what)
			}
			emit(one)
		}) {
			if err == nil && one.err == nil {
				if one.values, one.err = ask.take(one.pair); one.err != nil && !isLine(one.err) {
					err = one.err
				}
			}
			if err == nil && one.err != nil {
				one.err = fmt.Errorf("line %d: %w", one.line, one.err)
			}
			if !yield(one, err) || err != nil {
				return
			}
		}
	}
}

// run answers all lines, and writes each answer.
func (r *answering) run(ctx context.Context, file io.Reader, parse parser, ask *asking, write func(*answer) error) error {
	defer ask.close()
	r.undone = "no line was answered yet"
	total, bad := 0, 0
	var first error
	for one, err := range r.lines(ctx, file, parse, ask) {
		if err != nil {
			return err
		}
		if one.err != nil {
			if bad++; first == nil {
				first = one.err
			}
		}
		if err := write(one); err != nil {
			return err
		}
		total++
		r.streamBar().Count("texts", total, 0)
		r.undone = fmt.Sprintf("lines answered until then: %d", total)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d lines are in error, the first is %w", bad, total, first)
	}
	return nil
}

// begin appends the beginning of an answer's JSON: its id, if it has one, and the error in
// place of values. whole reports whether that is all of it.
func (a *answer) begin(out []byte) (_ []byte, whole bool) {
	out = append(out, '{')
	if a.id != nil {
		out = append(append(append(out, `"id":`...), a.id...), ',')
	}
	if a.err != nil {
		return append(out, appendError(nil, a.err)[1:]...), true
	}
	return out, false
}
