package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	values []float32
	err    error         // why there are no values
	known  chan struct{} // closed when there are values or an error
}

// asked is what a line says.
type asked struct {
	text   string
	second string // of a pair
	pair   bool
	id     []byte
}

// register adds the flags. They speak of texts, where those of other commands speak of pairs.
func (r *answering) register(c *cobra.Command) {
	r.engineFlags.register(c.Flags())
	maxLengthFlag(c.Flags(), &r.maxLength)
	r.prompt.register(c.Flags())
	for name, usage := range map[string]string{
		"model":        "directory, or Hugging Face id in the local cache (required)",
		"precision":    "auto (the fastest whose results are close to f32's), f32, bf16x3, f16, bf16 or int8, as far as the instruction set has them; metal has f16; f64 with --device reference",
		"max-length":   "cut texts to so many tokens, special tokens included (default: what the model takes)",
		promptFlag:     "text to put before each text, as it is; '' is none (default: the model's default prompt, if it has one)",
		promptNameFlag: "put this one of the model's prompts before each text; \"info\" lists them",
	} {
		c.Flags().Lookup(name).Usage = usage
	}
	inputFlag(c, &r.input)
	c.Flags().BoolVar(&r.jsonLines, "jsonl", false, "the input is JSON Lines")
}

func (r *answering) check() error {
	if r.engineFlags.model == "" {
		return usageError("want --model: a directory, or a Hugging Face id in the local cache")
	}
	return errors.Join(checkMaxLength(r.maxLength), r.prompt.check())
}

// run opens the engine and answers all lines. parse reads a line; ask has the engine answer
// it; writer returns what writes an answer.
func (r *answering) run(ctx context.Context, of engine.Option, parse func(line []byte) (asked, error),
	ask func(context.Context, *engine.Engine, asked, []engine.CallOption) ([]float32, error), writer func(engine.Info) func(*answer) error, opts ...engine.Option) (err error) {
	file, err := r.openInput(r.input)
	if err != nil {
		return err
	}
	defer file.Close()
	e, _, err := r.engineFlags.open(r.program, append(opts, of, engine.MaxLength(r.maxLength))...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	prompt := r.prompt.options()
	if err := e.Tokenize(new(model.Batch), nil, prompt...); err != nil { // checks the prompt before any line is read
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	r.undone = "no line was answered yet"
	write, total, bad := writer(e.Info()), 0, 0
	var first error
	for one, err := range eachLine(ctx, file, func(number int, line []byte, err error, emit func(*answer) bool) {
		if err == nil && r.jsonLines && jsonl.Blank(line) {
			return
		}
		// Each line is a call of its own: the engine fills its passes from all that wait.
		// eachLine lets so many of them wait as suit it.
		one := &answer{line: number, err: err, known: make(chan struct{})}
		var what asked
		switch {
		case err != nil:
		case r.jsonLines:
			what, one.err = parse(line)
			one.id = slices.Clone(what.id)
		default:
			what.text = string(jsonl.Text(line))
		}
		if one.err != nil {
			close(one.known)
		} else {
			go func() {
				defer close(one.known)
				one.values, one.err = ask(ctx, e, what, prompt)
				// Its index is in this call.
				if of := (*engine.TextError)(nil); errors.As(one.err, &of) {
					one.err = lineError{of.Err}
				} else if of := (*engine.PairError)(nil); errors.As(one.err, &of) {
					one.err = lineError{of.Err}
				}
			}()
		}
		emit(one)
	}) {
		if err != nil {
			return err
		}
		if <-one.known; one.err != nil {
			if bad++; !ofLine(one.err) {
				return one.err
			}
			one.err = fmt.Errorf("line %d: %w", one.line, one.err)
			if first == nil {
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

// lineError is an error of one line.
type lineError struct{ error }

func (e lineError) Unwrap() error { return e.error }

// ofLine reports whether an error is of one line, and the next ones may be good.
func ofLine(err error) bool {
	return errors.As(err, &lineError{}) || !errors.Is(err, engine.ErrClosed) && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrHardware) && !errors.Is(err, engine.ErrModel)
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
