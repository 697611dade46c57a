package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
			return p.answer(c.Context(), input, func() (answerer, error) {
				e, _, err := engineFlags.open(p, opts...)
				if err != nil {
					return nil, err
				}
				info := e.Info()
				return &scorer{engine: e, bounds: modelBounds(&info.Config), scores: newScores(c.Context(), e.StreamTokens)}, nil
			})
		},
	}
	engineFlags.register(c.Flags())
	scoreFlags.register(c.Flags())
	inputFlag(c, &input)
	return c
}

// answerer turns pairs into lines of output. Reading and answering go on at the same time,
// a goroutine each.
type answerer interface {
	// prepare gets each pair when it has been read. The error is of the pair: answer does
	// not see it then.
	prepare(in *input) error
	// answer appends the pair's line to out. An error that is errNoScore is of the pair,
	// any other the end of all.
	answer(out []byte, in *input) ([]byte, error)
	Close() error
}

// answer answers every line of a file in order, each as soon as its answer is known.
func (p *program) answer(ctx context.Context, name string, open func() (answerer, error)) (err error) {
	file, err := p.openInput(name)
	if err != nil {
		return err
	}
	defer file.Close()
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
	for in, err := range eachLine(ctx, file, func(number int, line []byte, err error) input {
		in := input{line: number}
		if err == nil {
			err = in.parsePair(line)
		}
		if err == nil {
			err = a.prepare(&in)
		}
		if err != nil {
			in = input{line: number, err: err} // what is wrong may be long
		}
		return in
	}) {
		if err != nil {
			return err
		}
		if in.err == nil {
			if out, err = a.answer(out[:0], &in); errors.Is(err, errNoScore) {
				in.err = err
			} else if err != nil {
				return err
			}
		}
		if in.err != nil {
			err := fmt.Errorf("line %d: %w", in.line, in.err)
			out = appendError(out[:0], err)
			errs++
			if first == nil {
				first = err
			}
		}
		// Who writes a line and waits for its answer shall get it: nothing is held back.
		if _, err := p.stdout.Write(out); err != nil {
			return err
		}
		total++
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
	bounds bounds
	scores *scores[engine.Tokens]
	batch  model.Batch // memory, from pair to pair
}

func (s *scorer) Close() error {
	s.scores.close()
	return s.engine.Close()
}

// prepare gives the pair to the engine, as tokens: what waits takes less memory than text,
// however long that was.
func (s *scorer) prepare(in *input) error {
	tokens := engine.Tokens{IDs: in.ids, Types: in.types}
	if in.ids != nil {
		if err := in.check(s.bounds); err != nil {
			return err
		}
	} else {
		s.batch.Reset()
		if err := s.engine.Tokenize(&s.batch, []engine.Pair{in.pair}); err != nil {
			return err
		}
		tokens = engine.Tokens{IDs: slices.Clone(s.batch.IDs), Types: slices.Clone(s.batch.Types)}
	}
	*in = input{line: in.line}
	s.scores.put(tokens)
	return nil
}

func (s *scorer) answer(out []byte, _ *input) ([]byte, error) {
	score, err := s.scores.take()
	return append(appendFloat(append(out, `{"score":`...), score), "}\n"...), err
}

// appendFloat appends x in the shortest form that reads back as the same
// float32. What strconv writes of a finite number is JSON.
func appendFloat(out []byte, x float32) []byte {
	return strconv.AppendFloat(out, float64(x), 'g', -1, 32)
}

func appendError(out []byte, err error) []byte {
	text, _ := json.Marshal(err.Error()) // a string has no error
	return append(append(append(out, `{"error":`...), text...), "}\n"...)
}
