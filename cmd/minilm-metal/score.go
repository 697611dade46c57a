package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

func (p *program) score() *cobra.Command {
	var (
		engineFlags engineFlags
		scoreFlags  scoreFlags
		input       string
	)
	c := &cobra.Command{
		Use:   "score",
		Short: "Score pairs: JSON Lines in, JSON Lines out",
		Long: `Score pairs of a query and a passage.

Each line of the input is a JSON object with "query" and "passage" (or "q" and
"p"), or with "input_ids" and "token_type_ids" (all 0 where left out) as
"tokenize" writes them. Other fields are ignored. Texts are cut to --max-length;
tokens are taken as they are.

Each gets a line of output, in the same order: {"score": x}, or {"error": "..."}
where the line cannot be scored, which stops nothing. A score is a raw logit in
float32, in the shortest form that reads back equal. Memory does not grow with
the input.

The exit code is 1 if any line was in error.`,
		Example: `  echo '{"query":"what is a cell","passage":"A cell is the unit of life."}' | minilm-metal score
  minilm-metal score --input pairs.jsonl --sigmoid > scores.jsonl
  minilm-metal tokenize < pairs.jsonl | minilm-metal score`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opts, err := scoreFlags.options()
			if err != nil {
				return err
			}
			return p.stream(c.Context(), input, func() (answerer, error) {
				e, _, err := engineFlags.open(p, opts...)
				if err != nil {
					return nil, err
				}
				return &scorer{engine: e}, nil
			})
		},
	}
	engineFlags.register(c.Flags())
	scoreFlags.register(c.Flags())
	inputFlag(c, &input)
	return c
}

// answerer turns pairs into lines of output.
type answerer interface {
	// answer appends a line for each input to out, and sets err of those that it
	// has no answer for: their line says why. The error is of all of them.
	answer(ctx context.Context, out []byte, inputs []input) ([]byte, error)
	Close() error
}

// stream answers every line of a file, in order. Reading begins before open,
// which may take longer than a first chunk.
func (p *program) stream(ctx context.Context, name string, open func() (answerer, error)) (err error) {
	file, err := p.openInput(name)
	if err != nil {
		return err
	}
	defer file.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := startFeed(ctx, file)
	a, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()

	var (
		bar         = p.streamBar()
		out         []byte
		first       error // of the first line in error
		total, errs int
	)
	for {
		inputs, err := lines.next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if out, err = a.answer(ctx, out[:0], inputs); err != nil {
			return err
		}
		if _, err := p.stdout.Write(out); err != nil {
			return err
		}
		for i := range inputs {
			if err := inputs[i].err; err != nil {
				errs++
				if first == nil {
					first = err
				}
			}
		}
		total += len(inputs)
		bar.Count("pairs", total, 0)
	}
	if errs > 0 {
		return fmt.Errorf("%d of %d lines are in error, the first is %w", errs, total, first)
	}
	return nil
}

// scorer answers with scores.
type scorer struct {
	engine *engine.Engine

	// Memory, from chunk to chunk.
	pairs  []engine.Pair
	batch  model.Batch
	scores []float32
}

func (s *scorer) Close() error { return s.engine.Close() }

func (s *scorer) answer(ctx context.Context, out []byte, inputs []input) ([]byte, error) {
	info := s.engine.Info()
	s.pairs, s.scores = s.pairs[:0], s.scores[:0]
	s.batch.Reset()
	for i := range inputs {
		in := &inputs[i]
		switch {
		case in.err != nil:
		case in.ids == nil:
			s.pairs = append(s.pairs, in.pair)
		default:
			if err := in.check(modelBounds(&info.Config)); err != nil {
				in.fail(err)
				continue
			}
			s.batch.Append(in.ids, in.types)
		}
	}
	// Scores that are not numbers are NaN, and the others are good.
	var err error
	s.scores, err = s.engine.Score(ctx, s.scores, s.pairs)
	if len(s.scores) != len(s.pairs) {
		return out, err
	}
	s.scores, err = s.engine.ScoreTokens(ctx, s.scores, &s.batch)
	if len(s.scores) != len(s.pairs)+s.batch.Len() {
		return out, err
	}

	texts, tokens := s.scores[:len(s.pairs)], s.scores[len(s.pairs):]
	for i := range inputs {
		in := &inputs[i]
		if in.err == nil {
			from := &texts
			if in.ids != nil {
				from = &tokens
			}
			score := (*from)[0]
			*from = (*from)[1:]
			if math.IsNaN(float64(score)) {
				in.fail(errNoScore)
			} else {
				out = append(appendFloat(append(out, `{"score":`...), score), "}\n"...)
			}
		}
		if in.err != nil {
			out = appendError(out, in.err)
		}
	}
	return out, nil
}

// errNoScore is the error of a pair to which the model gives NaN or infinity.
var errNoScore = errors.New("the model's score is not a number")

// appendFloat appends x in the shortest form that reads back as the same
// float32. What strconv writes of a finite number is JSON.
func appendFloat(out []byte, x float32) []byte {
	return strconv.AppendFloat(out, float64(x), 'g', -1, 32)
}

func appendError(out []byte, err error) []byte {
	text, _ := json.Marshal(err.Error()) // a string has no error
	return append(append(append(out, `{"error":`...), text...), "}\n"...)
}
