package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
)

// embedding is one run of embed.
type embedding struct {
	*program
	engineFlags   engineFlags
	prompt        promptFlags
	maxLength     int
	input, format string
	jsonLines     bool
}

// formats are the values of --format.
const (
	formatJSONL = "jsonl"
	formatF32   = "f32"
)

func (p *program) embed() *cobra.Command {
	r := &embedding{program: p, engineFlags: engineFlags{embedder: true}}
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
		RunE: func(c *cobra.Command, _ []string) error { return r.run(c.Context()) },
	}
	r.engineFlags.register(c.Flags())
	c.Flags().Lookup("model").Usage = "directory, or Hugging Face id in the local cache (required)"
	maxLengthFlag(c.Flags(), &r.maxLength)
	r.prompt.register(c.Flags())
	for name, usage := range map[string]string{ // of texts, where other commands have pairs
		"precision":    "auto (f32 on the cpu: how close others are is known of scores alone), f32, bf16x3, f16, bf16 or int8, as far as the instruction set has them; metal has f16; f64 with --device reference",
		"max-length":   "cut texts to so many tokens, special tokens included (default: what the model takes)",
		promptFlag:     "text to put before each text, as it is; '' is none (default: the model's default prompt, if it has one)",
		promptNameFlag: "put this one of the model's prompts before each text; \"info\" lists them",
	} {
		c.Flags().Lookup(name).Usage = usage
	}
	inputFlag(c, &r.input)
	c.Flags().BoolVar(&r.jsonLines, "jsonl", false, "the input is JSON Lines")
	c.Flags().StringVar(&r.format, "format", formatJSONL, "what is written: jsonl, or f32 (little-endian float32)")
	return c
}

// vector is the embedding of one line of the input.
type vector struct {
	line   int // from 1
	id     json.RawMessage
	values []float32
	err    error         // why there are no values
	known  chan struct{} // closed when there are values or an error
}

func (r *embedding) check() error {
	if r.engineFlags.model == "" {
		return usageError("want --model: a directory, or a Hugging Face id in the local cache")
	}
	if r.format != formatJSONL && r.format != formatF32 {
		return usageError("--format %q: want %s or %s", r.format, formatJSONL, formatF32)
	}
	return errors.Join(checkMaxLength(r.maxLength), r.prompt.check())
}

func (r *embedding) run(ctx context.Context) (err error) {
	if err := r.check(); err != nil {
		return err
	}
	file, err := r.openInput(r.input)
	if err != nil {
		return err
	}
	defer file.Close()
	e, _, err := r.engineFlags.open(r.program, engine.Embedder(), engine.MaxLength(r.maxLength))
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
	write, total, bad := r.writer(e.Info().Dimensions), 0, 0
	var first error
	for one, err := range eachLine(ctx, file, func(number int, line []byte, err error, emit func(*vector) bool) {
		if err == nil && r.jsonLines && jsonl.Blank(line) {
			return
		}
		// Each line is a call of its own: the engine fills its passes from all that wait.
		// eachLine lets so many of them wait as suit it.
		one := &vector{line: number, err: err, known: make(chan struct{})}
		text := ""
		if err == nil {
			text, one.id, one.err = r.parse(line)
		}
		if one.err != nil {
			close(one.known)
		} else {
			go one.embed(ctx, e, text, prompt)
		}
		emit(one)
	}) {
		if err != nil {
			return err
		}
		if <-one.known; one.err != nil {
			if bad++; !ofText(one.err) {
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

// parse returns a line's text, and its id if it has one.
func (r *embedding) parse(line []byte) (text string, id json.RawMessage, err error) {
	if !r.jsonLines {
		return string(jsonl.Text(line)), nil, nil
	}
	text, raw, err := jsonl.ParseText(line)
	return text, slices.Clone(raw), err
}

func (v *vector) embed(ctx context.Context, e *engine.Engine, text string, prompt []engine.CallOption) {
	defer close(v.known)
	v.values, v.err = e.Embed(ctx, nil, []string{text}, prompt...)
	if of := (*engine.TextError)(nil); errors.As(v.err, &of) {
		v.err = lineError{of.Err} // its index is in this call
	}
}

// lineError is an error of one text.
type lineError struct{ error }

func (e lineError) Unwrap() error { return e.error }

// ofText reports whether an error is of one line, and the next ones may be good.
func ofText(err error) bool {
	return errors.As(err, &lineError{}) || !errors.Is(err, engine.ErrClosed) && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrHardware) && !errors.Is(err, engine.ErrModel)
}

// writer returns what writes a line's answer, in the format that was asked for. A user may
// write a line and wait for its answer, so that nothing is kept back.
func (r *embedding) writer(width int) func(*vector) error {
	var out []byte
	if r.format == formatF32 {
		return func(v *vector) error {
			out = out[:0]
			if v.err != nil {
				r.warn("%v", v.err)
				v.values = slices.Repeat([]float32{float32(math.NaN())}, width)
			}
			for _, x := range v.values {
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
			}
			_, err := r.stdout.Write(out)
			return err
		}
	}
	return func(v *vector) error {
		out = append(out[:0], '{')
		if v.id != nil {
			out = append(append(append(out, `"id":`...), v.id...), ',')
		}
		if v.err != nil {
			out = append(out, appendError(nil, v.err)[1:]...)
		} else {
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
