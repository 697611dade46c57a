package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
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

` + pairsHelp + `

Pairs of texts are cut to --max-length, in the way that "info" calls the model's
truncation; one that it leaves too long is an error of its line. Tokens are taken as
they are.

Each line gets a line of output, in the same order: {"score": x}, or for a list
{"scores": [x, ...]} in the list's order, or {"error": "..."} where the line cannot be
scored, which stops nothing. A score is a raw logit in float32, in the shortest form
that reads back equal. Memory does not grow with the input.

The exit code is 1 if any line was in error.`,
		Example: `  echo '{"query":"what is a cell","passage":"A cell is the unit of life."}' | minilm-metal score
  echo '{"query":"what is a cell","documents":["The unit of life.","A room."]}' | minilm-metal score
  minilm-metal score --input pairs.jsonl --sigmoid > scores.jsonl
  minilm-metal tokenize < pairs.jsonl | minilm-metal score`,
		Args: noArguments,
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
				prompt := scoreFlags.prompt.options()
				if err := e.Tokenize(new(model.Batch), nil, prompt...); err != nil { // checks the prompt before any line is read
					return nil, errors.Join(err, e.Close())
				}
				info := e.Info()
				return &scorer{engine: e, prompt: prompt, bounds: modelBounds(&info.Config), scores: newFlow(c.Context(), with(e.StreamTokens, nil))}, nil
			})
		},
	}
	engineFlags.register(c.Flags())
	scoreFlags.register(c.Flags())
	inputFlag(c, &input)
	return c
}

// scorer answers pairs with scores.
type scorer struct {
	engine *engine.Engine
	prompt []engine.CallOption
	bounds bounds
	scores *flow[engine.Tokens, float32]
	batch  model.Batch // memory, reused for each pair
	line   []byte      // the scores of the current line, with commas
}

func (s *scorer) Close() error {
	s.scores.close()
	return s.engine.Close()
}

// prepare gives the pair to the engine as tokens: while they wait, they take less memory
// than text of any length.
func (s *scorer) prepare(line *jsonl.Line, i int) (engine.Tokens, error) {
	var tokens engine.Tokens
	if line.Tokens != nil {
		tokens = line.Tokens[i]
		if err := s.bounds.check(tokens); err != nil {
			return engine.Tokens{}, err
		}
	} else {
		s.batch.Reset()
		if err := s.engine.Tokenize(&s.batch, []engine.Pair{{Query: line.Query, Passage: line.Passages[i]}}, s.prompt...); err != nil {
			if bad := (*engine.PairError)(nil); errors.As(err, &bad) {
				err = bad.Err // its index is in this call, not in the line
			}
			return engine.Tokens{}, err
		}
		tokens = engine.Tokens{IDs: slices.Clone(s.batch.IDs), Types: slices.Clone(s.batch.Types)}
	}
	s.scores.put(tokens)
	return engine.Tokens{}, nil
}

func (s *scorer) answer(engine.Tokens) error {
	score, err := s.scores.take()
	s.line = append(appendFloat(s.line, score), ',')
	return err
}

func (s *scorer) finish(out []byte, list bool) []byte {
	scores := bytes.TrimSuffix(s.line, []byte(","))
	s.line = s.line[:0]
	if list {
		return append(append(append(out, `{"scores":[`...), scores...), "]}\n"...)
	}
	return append(append(append(out, `{"score":`...), scores...), "}\n"...)
}

// appendFloat appends x in the shortest form that reads back as the same float32. strconv
// writes a finite number as valid JSON.
func appendFloat(out []byte, x float32) []byte {
	return strconv.AppendFloat(out, float64(x), 'g', -1, 32)
}

func appendError(out []byte, err error) []byte {
	text, _ := json.Marshal(err.Error()) // a string always marshals
	return append(append(append(out, `{"error":`...), text...), "}\n"...)
}
