package main

import (
	"errors"
	"io/fs"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
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

The input is that of "score". Each line gets a line of output in the same order:
{"input_ids": [...], "token_type_ids": [...]}, or {"error": "..."}, which stops
nothing. Lines that are tokens already are checked and written again.

Of --model only the tokenizer's files are read (tokenizer.json, or vocab.txt and
tokenizer_config.json), and config.json, if there is one, for the most tokens
that the model takes. Weights are not needed.

The exit code is 1 if any line was in error.`,
		Example: `  echo '{"query":"what is a cell","passage":"A cell is the unit of life."}' | minilm-metal tokenize
  minilm-metal tokenize --model ./bert-base-uncased --max-length 128 < pairs.jsonl`,
		Args: cobra.NoArgs,
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
	t.tokenizer, err = tok.Truncating(length, tok.Side())
	return t, err
}

func (t *tokens) Close() error { return nil }

func (t *tokens) prepare(in *input) error {
	if in.ids != nil {
		return in.check(t.bounds)
	}
	in.ids, in.types = t.tokenizer.AppendPair(nil, nil, in.pair.Query, in.pair.Passage)
	in.pair = engine.Pair{} // which may be much longer
	return nil
}

func (t *tokens) answer(out []byte, in *input) ([]byte, error) {
	out = appendInts(append(out, `{"input_ids":`...), in.ids)
	out = appendInts(append(out, `,"token_type_ids":`...), in.types)
	return append(out, "}\n"...), nil
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
