package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

func (p *program) tokenize() *cobra.Command {
	var (
		name, input string
		maxLength   int
	)
	c := &cobra.Command{
		Use:   "tokenize",
		Short: "Turn pairs into token ids: JSON Lines in, JSON Lines out",
		Long: `Turn pairs of a query and a passage into the ids that the model reads.

` + pairsHelp + `

Each line gets a line of output in the same order: {"input_ids": [...],
"token_type_ids": [...]}, for a list with lists of lists, or {"error": "..."}, which
stops nothing. Lines that are tokens already are checked and written again.

Of --model only the tokenizer's files are read (tokenizer.json, or vocab.txt and
tokenizer_config.json), and config.json, if there is one, for the most tokens
that the model takes. Weights are not needed.

The exit code is 1 if any line was in error.`,
		Example: `  echo '{"query":"what is a cell","passage":"A cell is the unit of life."}' | minilm-metal tokenize
  minilm-metal tokenize --model ./bert-base-uncased --max-length 128 < pairs.jsonl`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkMaxLength(maxLength); err != nil {
				return err
			}
			return p.answer(c.Context(), input, func() (answerer, error) {
				found, err := p.checkpoint(name, hub.Tokenizer)
				if err != nil {
					return nil, err
				}
				t, err := openTokenizer(found.files, maxLength)
				if err != nil {
					return nil, err
				}
				for _, w := range t.tokenizer.Warnings() {
					p.warn("%s: %s", found.name, w)
				}
				return t, nil
			})
		},
	}
	modelFlag(c.Flags(), &name)
	maxLengthFlag(c.Flags(), &maxLength)
	inputFlag(c, &input)
	return c
}

// tokens answers with token ids.
type tokens struct {
	tokenizer *tokenizer.Tokenizer
	bounds    bounds
	// Of the line, each pair's ids and types as JSON, with commas.
	ids, types []byte
}

// openTokenizer opens the tokenizer in files, cutting pairs as the engine with
// those files would.
func openTokenizer(files fs.FS, maxLength int) (*tokens, error) {
	tok, err := tokenizer.LoadFS(files)
	if err != nil {
		return nil, err
	}
	t := &tokens{bounds: bounds{vocab: tok.VocabSize(), types: math.MaxInt32, length: math.MaxInt}}
	length := tok.MaxLength()
	config, err := model.ReadConfig(files)
	switch {
	case err == nil:
		t.bounds = modelBounds(config)
		length = min(length, config.MaxPositions)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if maxLength > 0 {
		length = maxLength
	}
	cutting := tok.Truncation()
	cutting.MaxLength = length
	t.tokenizer, err = tok.Truncating(cutting)
	return t, err
}

func (t *tokens) Close() error { return nil }

func (t *tokens) prepare(line *jsonl.Line, i int) (pair engine.Tokens, err error) {
	if line.Tokens != nil {
		return line.Tokens[i], t.bounds.check(line.Tokens[i])
	}
	pair.IDs, pair.Types, err = t.tokenizer.AppendPair(nil, nil, line.Query, line.Passages[i])
	return pair, err
}

func (t *tokens) answer(pair engine.Tokens) error {
	t.ids = append(appendInts(t.ids, pair.IDs), ',')
	t.types = append(appendInts(t.types, pair.Types), ',')
	return nil
}

func (t *tokens) finish(out []byte, list bool) []byte {
	open, end := "", ""
	if list {
		open, end = "[", "]"
	}
	ids, types := bytes.TrimSuffix(t.ids, []byte(",")), bytes.TrimSuffix(t.types, []byte(","))
	t.ids, t.types = t.ids[:0], t.types[:0]
	return fmt.Appendf(out, "{\"input_ids\":%s%s%s,\"token_type_ids\":%s%s%s}\n", open, ids, end, open, types, end)
}

func appendInts(out []byte, x []int32) []byte {
	out = append(out, '[')
	for i, v := range x {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(v), 10)
	}
	return append(out, ']')
}
